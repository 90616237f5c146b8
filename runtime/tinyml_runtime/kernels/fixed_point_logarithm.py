"""The natural logarithm of fixed-point numbers from 1 on.

A number with m integer bits is an int32 whose real value is raw / 2**(31 - m).

Source    tflite-micro `lite/kernels/internal/common.h`, log_x_for_x_greater_than_or_equal_to_1
"""

from __future__ import annotations

import math

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from tinyml_runtime.kernels.gemmlowp_functions import one_over_one_plus_x
from tinyml_runtime.tensor import Array


def _fraction(real: float) -> int:
    return round(real * 2**31)


_LOG_OF_TWO = _fraction(math.log(2.0))
_ROOT_OF_HALF = _fraction(math.sqrt(0.5))
_CENTER = _fraction(0.5**0.25)
_NUMERATOR = _fraction(11.0 / 240.0 * 2.0**0.25)
_DENOMINATOR_SQUARE = _fraction(1.0 / 20.0 * 2.0**0.25)
_DENOMINATOR_CONSTANT = _fraction(2.0 / 2.0**0.25 - 2.0**0.25)
_DENOMINATOR_SLOPE = _fraction(1.0 / 4.0 * 2.0**0.25)


def logarithm(values: Array, integer_bits: int, result_bits: int) -> Array:
    """log(x) with `result_bits` integer bits, for x with `integer_bits`.

    x is written as 2**power * r with r near 2**-0.25: its power of two counts, and a rational
    function of r gives the rest. Of two ways to choose the power, a whole number and a quarter
    more or less, the one with the smaller r is taken.
    """
    sum_bits = result_bits + 1
    quarter = 1 << (29 - sum_bits)
    zeros = _leading_zeros(values)
    above = _saturating_shift(_multiply(_saturating_shift(values, zeros - 1), _ROOT_OF_HALF), 1)
    power_above = ((integer_bits - zeros) << (31 - sum_bits)) + quarter
    headroom = _leading_zeros(_multiply(values, _ROOT_OF_HALF)) - 1
    below = _saturating_shift(values, headroom)
    power_below = ((integer_bits - headroom) << (31 - sum_bits)) - quarter
    rest = np.minimum(above, below)
    power = np.maximum(power_above, power_below)
    scaled = rounding_divide_by_pot(_numerator(rest), sum_bits)
    reciprocal = one_over_one_plus_x(_denominator_minus_one(rest))
    return _saturating_shift(_multiply(power, _LOG_OF_TWO) + _multiply(scaled, reciprocal), 1)


def _numerator(rest: Array) -> Array:
    offset = 2 * (rest - _CENTER)
    square = _multiply(offset, offset)
    return _multiply(offset, rest) + _multiply(_multiply(offset, square), _NUMERATOR)


def _denominator_minus_one(rest: Array) -> Array:
    offset = 2 * (rest - _CENTER)
    square = _multiply(offset, offset)
    bracket = _DENOMINATOR_CONSTANT + offset + _multiply(_DENOMINATOR_SQUARE, square)
    middle = (rest + _CENTER + 1) >> 1
    return _multiply(middle, bracket) + _multiply(_DENOMINATOR_SLOPE, offset)


def _leading_zeros(values: Array) -> Array:
    """Of the 32 bits; at least 1, which it is for all values that a sum can have."""
    bits = np.frexp(np.maximum(values, 0).astype(np.float64))[1]
    return 32 - bits.astype(np.int64)


def _saturating_shift(values: Array, bits: Array | int) -> Array:
    return np.clip(values << bits, INT32_MIN, INT32_MAX)


_multiply = saturating_rounding_doubling_high_mul
