"""Fixed-point arithmetic of quantized kernels, exact: integers only, in int64 arrays.

A positive real factor is a 32-bit multiplier and a shift: factor = multiplier * 2**(shift - 31).
Source: tflite-micro `lite/kernels/internal/common.{h,cc}`, `quantization_util.cc` and gemmlowp's
`fixedpoint.h`, built as TFLM builds them (double rounding).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tinyml_runtime.tensor import Array

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

Integers: TypeAlias = Array | int | np.integer[Any]


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A real factor as multiplier * 2**(shift - 31); the multiplier is in [2**30, 2**31) or 0."""

    multiplier: int
    shift: int


def quantize_multiplier(factor: float) -> FixedPoint:
    """The fixed-point form of `factor` >= 0, as TFLite's `QuantizeMultiplier` rounds it."""
    if factor == 0.0:
        return FixedPoint(0, 0)
    fraction, shift = math.frexp(factor)
    multiplier = math.floor(fraction * 2**31 + 0.5)  # TfLiteRound: half away from zero
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:  # too small for a right shift of 31: every product rounds to zero
        return FixedPoint(0, 0)
    if shift > 30:
        return FixedPoint(INT32_MAX, 30)
    return FixedPoint(multiplier, shift)


def wrap_int32(values: Integers) -> Array:
    """Keep the low 32 bits, as int64: what a 32-bit register holds after an overflow."""
    return np.asarray(values, np.int64).astype(np.int32).astype(np.int64)


def saturating_rounding_doubling_high_mul(a: Integers, b: Integers) -> Array:
    """(a * b * 2) >> 32 of int32 values, ties toward plus infinity; only MIN * MIN saturates."""
    product = np.asarray(a, np.int64) * np.asarray(b, np.int64)
    return np.minimum((product + 2**30) >> 31, INT32_MAX)


def rounding_divide_by_pot(values: Integers, exponent: Integers) -> Array:
    """Divide by 2**exponent, ties away from zero."""
    x = np.asarray(values, np.int64)
    power = np.asarray(exponent, np.int64)
    half = (np.int64(1) << power) >> 1
    return (x + half - ((x < 0) & (power > 0))) >> power


def multiply_by_quantized_multiplier(
    values: Integers, multiplier: Integers, shift: Integers
) -> Array:
    """Multiply int32 values by multiplier * 2**(shift - 31), rounded twice as gemmlowp does.

    Multiplier and shift broadcast against the values. A left shift wraps at 32 bits, as in C++.
    """
    power = np.asarray(shift, np.int64)
    shifted = wrap_int32(np.asarray(values, np.int64) << np.maximum(power, 0))
    product = saturating_rounding_doubling_high_mul(shifted, multiplier)
    return rounding_divide_by_pot(product, np.maximum(-power, 0))


def multiply_wide_by_quantized_multiplier(
    values: Integers, multiplier: Integers, shift: Integers
) -> Array:
    """The same for int64 values: the multiplier is cut to 16 bits and there is one rounding."""
    wide = np.asarray(multiplier, np.int64)
    reduced = np.where(wide < 0x7FFF0000, (wide + 2**15) >> 16, 0x7FFF)
    total = 15 - np.asarray(shift, np.int64)
    product = np.asarray(values, np.int64) * reduced + (np.int64(1) << (total - 1))
    return wrap_int32(product >> total)
