"""Fixed-point arithmetic of quantized kernels, exact: integers only, in int64 arrays.

A real factor is a 32-bit multiplier and a shift: factor = multiplier * 2**(shift - 31).
Source: tflite-micro `lite/kernels/internal/common.{h,cc}`, `quantization_util.cc` and gemmlowp's
`fixedpoint.h`, built as TFLM builds them (double rounding), and with TFLITE_SINGLE_ROUNDING inside
of `single_rounding`.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tinyml_runtime.errors import NodeError
from tinyml_runtime.tensor import Array

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1

Integers: TypeAlias = Array | int | np.integer[Any]

# Which build of the kernels is at work; every call of a kernel may be of another one.
_ROUNDS_ONCE: ContextVar[bool] = ContextVar("rounds_once", default=False)
_SCALES: ContextVar[type[np.float64 | np.float32]] = ContextVar("scales", default=np.float64)
_LARGEST_SHIFT = 30


def rounds_once() -> bool:
    """Whether products are rounded once, not twice."""
    return _ROUNDS_ONCE.get()


@contextmanager
def single_rounding() -> Generator[None]:
    """While it lasts, products are rounded once, as built with TFLITE_SINGLE_ROUNDING."""
    token = _ROUNDS_ONCE.set(True)
    try:
        yield
    finally:
        _ROUNDS_ONCE.reset(token)


def scale_type() -> type[np.float64 | np.float32]:
    """In which numbers kernels divide scales that TFLM has divided in float32 at times."""
    return _SCALES.get()


@contextmanager
def float32_scales() -> Generator[None]:
    """While it lasts, `scale_type` is float32."""
    token = _SCALES.set(np.float32)
    try:
        with np.errstate(over="ignore", under="ignore", divide="ignore", invalid="ignore"):
            yield
    finally:
        _SCALES.reset(token)


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A real factor as multiplier * 2**(shift - 31).

    The magnitude of the multiplier is in [2**30, 2**31), or the multiplier is 0 or -2**31.
    """

    multiplier: int
    shift: int


def float32_ratio(numerator: float, denominator: float) -> float:
    """The quotient in float32 arithmetic: some kernels of TFLM divide scales before widening."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        return float(np.float32(numerator) / np.float32(denominator))


def quantize_multiplier(factor: float) -> FixedPoint:
    """The fixed-point form of `factor`, as TFLite's `QuantizeMultiplier` rounds it.

    Factors below 2**-32 become 0, and so does what is no finite number: no kernel should ask for
    the latter, but a model can make one do so, and then this is what x86 and Arm give.
    """
    if factor == 0.0 or not math.isfinite(factor):
        return FixedPoint(0, 0)
    fraction, shift = math.frexp(factor)
    magnitude = math.floor(abs(fraction) * 2**31 + 0.5)  # TfLiteRound: half away from zero
    multiplier = magnitude if factor > 0.0 else -magnitude
    if multiplier == 2**31:
        multiplier //= 2
        shift += 1
    if shift < -31:  # too small for a right shift of 31: every product rounds to zero
        return FixedPoint(0, 0)
    if shift > _LARGEST_SHIFT and rounds_once():
        return FixedPoint(INT32_MAX, _LARGEST_SHIFT)
    return FixedPoint(multiplier, shift)


def quantize_multiplier_below_one(factor: float) -> FixedPoint:
    """The fixed-point form of a factor between 0 and 1; NodeError where TFLM stops the program."""
    quantized = quantize_multiplier(factor)
    if not 0.0 < factor < 1.0 or quantized.shift > 0:
        raise NodeError(f"the scales make a factor of {factor:g}, which must be between 0 and 1")
    return quantized


def quantize_multiplier_above_one(factor: float) -> FixedPoint:
    """The fixed-point form of a factor above 1; NodeError where TFLM stops the program."""
    if not factor > 1.0:
        raise NodeError(f"the scales make a factor of {factor:g}, which must be above 1")
    return quantize_multiplier(factor)


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
    Inside of `single_rounding` there is but one rounding.
    """
    if rounds_once():
        return multiply_rounding_once(values, multiplier, shift)
    if isinstance(multiplier, int) and isinstance(shift, int):
        return _multiply_by_one_factor(np.asarray(values, np.int64), multiplier, shift)
    power = np.asarray(shift, np.int64)
    shifted = np.asarray(values, np.int64)
    if np.any(power > 0):
        shifted = wrap_int32(shifted << np.maximum(power, 0))
    product = saturating_rounding_doubling_high_mul(shifted, multiplier)
    if np.any(power < 0):
        product = rounding_divide_by_pot(product, np.maximum(-power, 0))
    return product


def multiply_rounding_once(values: Integers, multiplier: Integers, shift: Integers) -> Array:
    """The same rounded once, ties toward plus infinity; there is no left shift to wrap."""
    total = np.maximum(31 - np.asarray(shift, np.int64), 1)
    product = np.asarray(values, np.int64) * np.asarray(multiplier, np.int64)
    return wrap_int32((product + (np.int64(1) << (total - 1))) >> total)


def _multiply_by_one_factor(values: Array, multiplier: int, shift: int) -> Array:
    """The same with one factor for all values: half the time, because it works in place."""
    if shift > 0:
        values = wrap_int32(values << shift)
    product = values * multiplier
    product += 2**30
    product >>= 31
    if multiplier == INT32_MIN:
        product = np.minimum(product, INT32_MAX)
    if shift < 0:
        product += product >> 63  # -1 for negative values: their ties round down
        product += 1 << (-shift - 1)
        product >>= -shift
    return product


def multiply_wide_by_quantized_multiplier(
    values: Integers, multiplier: Integers, shift: Integers
) -> Array:
    """The same for int64 values: the multiplier is cut to 16 bits and there is one rounding."""
    wide = np.asarray(multiplier, np.int64)
    reduced = np.where(wide < 0x7FFF0000, (wide + 2**15) >> 16, 0x7FFF)
    total = 15 - np.asarray(shift, np.int64)
    product = np.asarray(values, np.int64) * reduced + (np.int64(1) << (total - 1))
    return wrap_int32(product >> total)
