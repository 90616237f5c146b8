"""Logarithm and reciprocal square root in fixed point, as TFLM computes them.

A number with m integer bits is an int32 whose real value is raw / 2**(31 - m). Both functions take
and give raw values, either one Python int, which is faster up to about ten of them, or an int64
array.

Source    tflite-micro `lite/kernels/internal/common.h`
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np

from tinyml_runtime.fixed_point import INT32_MAX, INT32_MIN
from tinyml_runtime.kernels.gemmlowp_functions import one_over_one_plus_x

# int or an int64 array: hardly more than operators is applied, which both have.
Raw: TypeAlias = Any


def _fraction(real: float) -> int:
    return round(real * 2**31)


_LOG_OF_TWO = _fraction(math.log(2.0))
_ROOT_OF_HALF = _fraction(math.sqrt(0.5))
# The logarithm's rational function, around 2**-0.25.
_CENTER = _fraction(0.5**0.25)
_NUMERATOR = _fraction(11.0 / 240.0 * 2.0**0.25)
_DENOMINATOR_SQUARE = _fraction(1.0 / 20.0 * 2.0**0.25)
_DENOMINATOR_CONSTANT = _fraction(2.0 / 2.0**0.25 - 2.0**0.25)
_DENOMINATOR_SLOPE = _fraction(1.0 / 4.0 * 2.0**0.25)
# Newton's iteration of the reciprocal root, in numbers with 3 integer bits.
_ONE = 1 << 28
_ONE_AND_A_HALF = 3 << 27
_STEPS = 5
_LARGEST_START = 2**29 - 1
_FIRST_SHIFT = 11


def logarithm(values: Raw, integer_bits: int, result_bits: int) -> Raw:
    """log(x) with `result_bits` integer bits, for x from 1 on with `integer_bits`.

    x is written as 2**power * r with r near 2**-0.25: the power counts, and a rational function of
    r gives the rest. Of two ways to choose the power, a whole number and a quarter more or less,
    the one with the smaller r is taken.
    """
    sum_bits = result_bits + 1
    unit, quarter = 1 << (31 - sum_bits), 1 << (29 - sum_bits)
    zeros = 32 - _bits(values)
    above = _saturate(_multiply(_saturate(values << (zeros - 1)), _ROOT_OF_HALF) << 1)
    power_above = (integer_bits - zeros) * unit + quarter
    headroom = 31 - _bits(_multiply(values, _ROOT_OF_HALF))
    below = _saturate(values << headroom)
    power_below = (integer_bits - headroom) * unit - quarter
    rest = above - (above > below) * (above - below)
    power = power_above + (power_below > power_above) * (power_below - power_above)
    quotient = _multiply(_divide(_numerator(rest), sum_bits), _reciprocal_of_denominator(rest))
    return _saturate((_multiply(power, _LOG_OF_TWO) + quotient) << 1)


def inverse_square_root(values: Raw) -> tuple[Raw, Raw]:
    """Multipliers and shifts with multiplier * 2**(shift - 31) = 1 / sqrt(value), for integers.

    Values below 1 count as 1. Shifts are to the left, so most are negative.
    """
    is_one = values <= 1
    start = values + is_one * (2 - values)
    is_large = start > _LARGEST_START
    start = start >> (2 * is_large)
    pairs = (31 - _bits(start)) // 2 - 1
    right_shift = _FIRST_SHIFT - pairs + is_large
    too_far = right_shift < 0
    root = _newton((start << (2 * pairs)) >> 1) << (-right_shift * too_far)
    return root + is_one * (INT32_MAX - root), -right_shift * (1 - (is_one | too_far))


def _newton(values: Raw) -> Raw:
    half = _divide(values, 1)
    root = 0 * values + _ONE
    for _ in range(_STEPS):
        cube = _saturate(_multiply(_multiply(root, root), root) << 6)
        root = _saturate((_multiply(root, _ONE_AND_A_HALF) - _multiply(half, cube)) << 3)
    return _multiply(root, _ROOT_OF_HALF)


def _numerator(rest: Raw) -> Raw:
    offset = 2 * (rest - _CENTER)
    square = _multiply(offset, offset)
    return _multiply(offset, rest) + _multiply(_multiply(offset, square), _NUMERATOR)


def _reciprocal_of_denominator(rest: Raw) -> Raw:
    offset = 2 * (rest - _CENTER)
    square = _multiply(offset, offset)
    bracket = _DENOMINATOR_CONSTANT + offset + _multiply(square, _DENOMINATOR_SQUARE)
    middle = (rest + _CENTER + 1) >> 1
    return one_over_one_plus_x(_multiply(middle, bracket) + _multiply(offset, _DENOMINATOR_SLOPE))


def _bits(values: Raw) -> Raw:
    """Length of the binary form; at least 1, and not more than the 31 that positive values have."""
    if isinstance(values, int):
        return min(max(values.bit_length(), 1), 31)
    bits = np.frexp(values.astype(np.float64))[1].astype(np.int64)
    return bits.clip(1, 31)


def _multiply(values: Raw, by: Raw) -> Raw:
    """The product of fixed-point numbers, ties toward plus infinity; integer bits add up."""
    return (values * by + (1 << 30)) >> 31


def _divide(values: Raw, bits: int) -> Raw:
    """Divide by 2**bits, ties away from zero."""
    return (values + (1 << (bits - 1)) - (values < 0)) >> bits


def _saturate(values: Raw) -> Raw:
    values = values - (values > INT32_MAX) * (values - INT32_MAX)
    return values - (values < INT32_MIN) * (values - INT32_MIN)
