"""Exponential, logistic, tanh and reciprocal of fixed-point numbers, as gemmlowp computes them.

A number in Qm.n is an int32 whose real value is raw / 2**n, n = 31 - m; m are its integer bits.
Every function takes and gives raw values, either one Python int or an int64 array of them.

Source    gemmlowp `fixedpoint/fixedpoint.h`, tflite-micro `lite/kernels/internal/common.h`
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

from tinyml_runtime.fixed_point import INT32_MAX

# int or an int64 array: only operators are applied, which both have.
Raw: TypeAlias = Any

_ONE_IN_Q2 = 1 << 29
# Newton's first guess of 1 / x for x from 1/2 to 1 is 48/17 - 32/17 * x.
_GUESS = round(48 / 17 * _ONE_IN_Q2)
_GUESS_SLOPE = round(-32 / 17 * _ONE_IN_Q2)
_THIRD = round(2**31 / 3)
_EIGHTH = 1 << 28
_EXP_OF_MINUS_EIGHTH = round(math.exp(-0.125) * 2**31)
# exp(-2**power) in Q0.31: a remainder's bits each multiply the exponential of what is left.
_EXP_OF_MINUS_POWER = {power: round(math.exp(-(2.0**power)) * 2**31) for power in range(-2, 5)}


def exp_on_negative_values(values: Raw, integer_bits: int) -> Raw:
    """The exponential in Q0, for x <= 0 with up to 5 integer bits."""
    fraction_bits = 31 - integer_bits
    quarter = 1 << (fraction_bits - 2)
    part = (values & (quarter - 1)) - quarter
    remainder = part - values
    result = _exp_from_minus_quarter(part << integer_bits)
    for power in range(-2, integer_bits):
        has_bit = (remainder >> (fraction_bits + power)) & 1
        result = result + has_bit * (_multiply(result, _EXP_OF_MINUS_POWER[power]) - result)
    return result + (values == 0) * (INT32_MAX - result)


def logistic(values: Raw, integer_bits: int) -> Raw:
    """1 / (1 + exp(-x)) in Q0."""
    magnitude = values - 2 * (values < 0) * values
    result = one_over_one_plus_x(exp_on_negative_values(-magnitude, integer_bits))
    result = result + (values < 0) * (INT32_MAX - 2 * result)
    return result + (values == 0) * ((1 << 30) - result)


def tanh(values: Raw, integer_bits: int) -> Raw:
    """The hyperbolic tangent in Q0, for x with up to 4 integer bits."""
    magnitude = values - 2 * (values < 0) * values
    # The same bits with one integer bit more are 2 * x.
    exponential = exp_on_negative_values(-magnitude, integer_bits + 1)
    result = _saturate((_one_over_half_of_one_plus(exponential) - _ONE_IN_Q2) << 2)
    return (values != 0) * (result - 2 * (values < 0) * result)


def one_over_one_plus_x(values: Raw) -> Raw:
    """1 / (1 + x) in Q0 for x in Q0, from 0 to 1."""
    return _saturate(_one_over_half_of_one_plus(values) << 1)


def _one_over_half_of_one_plus(values: Raw) -> Raw:
    """2 / (1 + x) in Q2 for x in Q0, from 0 to 1: three steps of Newton's method."""
    denominator = (values + INT32_MAX + 1) >> 1
    estimate = _multiply(denominator, _GUESS_SLOPE) + _GUESS
    for _ in range(3):
        error = _ONE_IN_Q2 - _multiply(denominator, estimate)
        estimate = estimate + (_multiply(estimate, error) << 2)
    return estimate


def _exp_from_minus_quarter(values: Raw) -> Raw:
    """exp(x) in Q0 for x in Q0 from -1/4 to 0: the Taylor series around -1/8."""
    x = values + _EIGHTH
    square = _multiply(x, x)
    cube = _multiply(square, x)
    fourth = _multiply(square, square)
    tail = _multiply(_divide(fourth, 2) + cube, _THIRD)
    return _EXP_OF_MINUS_EIGHTH + _multiply(x + _divide(tail + square, 1), _EXP_OF_MINUS_EIGHTH)


def _multiply(values: Raw, by: Raw) -> Raw:
    """The product of fixed-point numbers, ties toward plus infinity; integer bits add up."""
    return (values * by + (1 << 30)) >> 31


def _divide(values: Raw, bits: int) -> Raw:
    """Divide by 2**bits, ties away from zero."""
    return (values + (1 << (bits - 1)) - (values < 0)) >> bits


def _saturate(values: Raw) -> Raw:
    return values - (values > INT32_MAX) * (values - INT32_MAX)
