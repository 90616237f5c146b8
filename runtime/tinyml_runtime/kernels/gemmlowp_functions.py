"""Exponential, logistic, tanh and reciprocal of fixed-point numbers, as gemmlowp computes them.

A number in Qm.n is an int32 whose real value is raw / 2**n, n = 31 - m; m are its integer bits.
Every function takes and gives raw values, either one Python int or an int64 array of them. With
`bits` of 15 they are int16, and everything is rounded to that.

Source    gemmlowp `fixedpoint/fixedpoint.h`, tflite-micro `lite/kernels/internal/common.h`
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

# int or an int64 array: only operators are applied, which both have.
Raw: TypeAlias = Any

INT32_BITS, INT16_BITS = 31, 15

# Newton's first guess of 1 / x for x from 1/2 to 1 is 48/17 - 32/17 * x; in Q2.
_GUESS = round(48 / 17 * 2**29)
_GUESS_SLOPE = round(-32 / 17 * 2**29)
_THIRD = round(2**31 / 3)
_EXP_OF_MINUS_EIGHTH = round(math.exp(-0.125) * 2**31)
# exp(-2**power) in Q0.31: a remainder's bits each multiply the exponential of what is left.
_EXP_OF_MINUS_POWER = {power: round(math.exp(-(2.0**power)) * 2**31) for power in range(-2, 5)}


def exp_on_negative_values(values: Raw, integer_bits: int, bits: int = INT32_BITS) -> Raw:
    """The exponential in Q0, for x <= 0 with up to 5 integer bits."""
    fraction_bits = bits - integer_bits
    quarter = 1 << (fraction_bits - 2)
    part = (values & (quarter - 1)) - quarter
    remainder = part - values
    result = _exp_from_minus_quarter(part << integer_bits, bits)
    for power in range(-2, integer_bits):
        has_bit = (remainder >> (fraction_bits + power)) & 1
        factor = _constant(_EXP_OF_MINUS_POWER[power], bits)
        result = result + has_bit * (_multiply(result, factor, bits) - result)
    return result + (values == 0) * (_one(bits) - result)


def logistic(values: Raw, integer_bits: int, bits: int = INT32_BITS) -> Raw:
    """1 / (1 + exp(-x)) in Q0."""
    magnitude = values - 2 * (values < 0) * values
    result = one_over_one_plus_x(exp_on_negative_values(-magnitude, integer_bits, bits), bits)
    result = result + (values < 0) * (_one(bits) - 2 * result)
    return result + (values == 0) * ((1 << (bits - 1)) - result)


def tanh(values: Raw, integer_bits: int, bits: int = INT32_BITS) -> Raw:
    """The hyperbolic tangent in Q0, for x with up to 4 integer bits."""
    magnitude = values - 2 * (values < 0) * values
    # The same bits with one integer bit more are 2 * x.
    exponential = exp_on_negative_values(-magnitude, integer_bits + 1, bits)
    above_one = _one_over_half_of_one_plus(exponential, bits) - (1 << (bits - 2))
    result = _saturate(above_one << 2, bits)
    return (values != 0) * (result - 2 * (values < 0) * result)


def one_over_one_plus_x(values: Raw, bits: int = INT32_BITS) -> Raw:
    """1 / (1 + x) in Q0 for x in Q0, from 0 to 1."""
    return _saturate(_one_over_half_of_one_plus(values, bits) << 1, bits)


def _one_over_half_of_one_plus(values: Raw, bits: int) -> Raw:
    """2 / (1 + x) in Q2 for x in Q0, from 0 to 1: three steps of Newton's method."""
    denominator = (values + _one(bits) + 1) >> 1
    slope, guess = _constant(_GUESS_SLOPE, bits), _constant(_GUESS, bits)
    estimate = _multiply(denominator, slope, bits) + guess
    for _ in range(3):
        error = (1 << (bits - 2)) - _multiply(denominator, estimate, bits)
        estimate = estimate + (_multiply(estimate, error, bits) << 2)
    return estimate


def _exp_from_minus_quarter(values: Raw, bits: int) -> Raw:
    """exp(x) in Q0 for x in Q0 from -1/4 to 0: the Taylor series around -1/8."""
    at_eighth = _constant(_EXP_OF_MINUS_EIGHTH, bits)
    x = values + (1 << (bits - 3))
    square = _multiply(x, x, bits)
    cube = _multiply(square, x, bits)
    fourth = _multiply(square, square, bits)
    tail = _multiply(_divide(fourth, 2) + cube, _constant(_THIRD, bits), bits)
    return at_eighth + _multiply(x + _divide(tail + square, 1), at_eighth, bits)


def _one(bits: int) -> int:
    """What stands for 1 in Q0: the largest number."""
    return (1 << bits) - 1


def _constant(value: int, bits: int) -> int:
    """A constant of 31 bits, rounded to fewer."""
    return value if bits == INT32_BITS else _divide(value, INT32_BITS - bits)


def _multiply(values: Raw, by: Raw, bits: int) -> Raw:
    """The product of fixed-point numbers, ties toward plus infinity; integer bits add up."""
    return (values * by + (1 << (bits - 1))) >> bits


def _divide(values: Raw, bits: int) -> Raw:
    """Divide by 2**bits, ties away from zero."""
    return (values + (1 << (bits - 1)) - (values < 0)) >> bits


def _saturate(values: Raw, bits: int) -> Raw:
    return values - (values > _one(bits)) * (values - _one(bits))
