"""Ways to multiply integers by a real factor and to round the product.

Source    TFLite and TFLM `kernels/internal/common.cc` (double and single rounding), LiteRT
          `optimized/avx2_quantization_utils.h`; gemmlowp `fixedpoint.h`; XNNPACK
          `xnnpack/requantization.h` (float32, ties to even)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    FixedPoint,
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)
from tinyml_runtime.tensor import Array


@dataclass(frozen=True, slots=True)
class Factors:
    """The factor of every channel, or of all: a ratio of scales, in three arithmetics.

    `exact` comes from float64, `single` from float32 alone, `mixed` from a product of scales in
    float32 that float64 divides.
    """

    exact: Array
    single: Array
    mixed: Array

    @classmethod
    def ratio(cls, numerators: Sequence[float | Array], denominator: float) -> Factors:
        """The product of `numerators` over `denominator`."""
        exact, single = np.float64(1.0), np.float32(1.0)
        for value in numerators:
            exact = exact * np.asarray(value, np.float64)
            single = single * np.asarray(value, np.float32)
        return cls(
            exact=np.atleast_1d(exact / denominator),
            single=np.atleast_1d(single / np.float32(denominator)),
            mixed=np.atleast_1d(np.float64(single) / denominator),
        )

    def first(self) -> Factors:
        """The factor of the first channel for all of them."""
        return Factors(self.exact[:1], self.single[:1], self.mixed[:1])


class Multiply(Protocol):
    """int64 values [..., channels] times their factors, rounded to int64."""

    def __call__(self, values: Array, factors: Factors, *, wide: bool = False) -> Array:
        """`wide` says that the values are accumulators of 64 bits."""
        ...


@dataclass(frozen=True, slots=True)
class Way:
    """A way to multiply, and the name of what it does otherwise than TFLM."""

    name: str
    words: str
    multiply: Multiply


FixedMultiply = Callable[[Array, Array, Array], Array]


def _in_fixed_point(multiply: FixedMultiply, pick: Callable[[Factors], Array]) -> Multiply:
    """Multiply by multiplier and shift of the factors that `pick` gives."""

    def run(values: Array, factors: Factors, *, wide: bool = False) -> Array:
        fixed = [quantize_multiplier(float(factor)) for factor in pick(factors)]
        multipliers, shifts = _columns(fixed)
        if wide:
            return multiply_wide_by_quantized_multiplier(values, multipliers, shifts)
        return multiply(values, multipliers, shifts)

    return run


def _columns(fixed: Sequence[FixedPoint]) -> tuple[Array, Array]:
    multipliers = np.array([each.multiplier for each in fixed], np.int64)
    return multipliers, np.array([each.shift for each in fixed], np.int64)


def _exact(factors: Factors) -> Array:
    return factors.exact


def _single(factors: Factors) -> Array:
    return factors.single


def _mixed(factors: Factors) -> Array:
    return factors.mixed


def multiply_rounding_once(values: Array, multiplier: Array, shift: Array) -> Array:
    """TFLite built with TFLITE_SINGLE_ROUNDING: one rounding, ties towards plus infinity."""
    total = 31 - shift
    return (values * multiplier + (np.int64(1) << (total - 1))) >> total


def _ties_away(values: Array, multiplier: Array, shift: Array) -> Array:
    """Two roundings, both with ties away from zero; gemmlowp's first one rounds them up."""
    product = wrap_int32(values << np.maximum(shift, 0)) * multiplier
    high = np.sign(product) * ((np.abs(product) + 2**30) >> 31)
    return rounding_divide_by_pot(np.minimum(high, INT32_MAX), np.maximum(-shift, 0))


def _ties_up(values: Array, multiplier: Array, shift: Array) -> Array:
    """Two roundings, both with ties towards plus infinity, as shifts of vector units round."""
    shifted = wrap_int32(values << np.maximum(shift, 0))
    product = saturating_rounding_doubling_high_mul(shifted, multiplier)
    right = np.maximum(-shift, 0)
    return (product + ((np.int64(1) << right) >> 1)) >> right


def _cut_then_rounded(values: Array, multiplier: Array, shift: Array) -> Array:
    """LiteRT's AVX2 kernels: the high multiplication is cut off, the shift rounds ties up."""
    high = (wrap_int32(values << np.maximum(shift, 0)) * multiplier) >> 31
    right = np.maximum(-shift, 0)
    return (high + ((np.int64(1) << right) >> 1)) >> right


def multiply_in_float32(values: Array, factors: Factors, *, wide: bool = False) -> Array:
    """XNNPACK: the integer as float32, times the factor in float32, ties to even."""
    scaled = values.astype(np.float32) * factors.single
    return np.rint(scaled).astype(np.int64)


AS_TFLM = _in_fixed_point(multiply_by_quantized_multiplier, _exact)

FLOAT = Way(
    "float-rescaling",
    "rescales in float32 and rounds ties to even, not in fixed point",
    multiply_in_float32,
)
CUT = Way(
    "cut-multiplication",
    "cuts off the high multiplication and rounds only the shift",
    _in_fixed_point(_cut_then_rounded, _exact),
)
WIDTH = (
    "accumulator-width",
    "adds up in an accumulator of another width, whose multiplier has another precision",
)
_SCALES = (
    "scale-precision",
    "computes the factor from the scales in another precision (float32 or float64)",
)
_ONCE = ("single-rounding", "rounds rescaled values once, not twice")
_AWAY = ("ties-away", "rounds ties of the high multiplication away from zero, not up")
_UP = ("ties-up", "rounds ties of the shift up, not away from zero")

WAYS = (
    FLOAT,
    Way(*_SCALES, AS_TFLM),
    Way(*_SCALES, _in_fixed_point(multiply_by_quantized_multiplier, _single)),
    Way(*_SCALES, _in_fixed_point(multiply_by_quantized_multiplier, _mixed)),
    Way(*_ONCE, _in_fixed_point(multiply_rounding_once, _exact)),
    Way(*_ONCE, _in_fixed_point(multiply_rounding_once, _single)),
    Way(*_AWAY, _in_fixed_point(_ties_away, _exact)),
    CUT,
    replace(CUT, multiply=_in_fixed_point(_cut_then_rounded, _single)),
    Way(*_UP, _in_fixed_point(_ties_up, _exact)),
)
