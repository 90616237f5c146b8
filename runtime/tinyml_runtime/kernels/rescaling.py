"""Rescaling of a few accumulators: in int64, with the least number of NumPy calls.

`Requantizer` is for whole images. Recurrent layers rescale some ten to some hundred values at a
time, often to 16 bits and often to the two factors of very different size: there integers take no
longer than floats, and they need no proof that the scales are harmless.

Why one shift is enough. gemmlowp rounds twice: t = (p + 2**30) >> 31 with p = acc * multiplier,
then (t + half - (t < 0)) >> e with half = 2**e / 2. Floors nest, so both are (p + 2**30 + 2**31 *
(half - (t < 0))) >> (31 + e). The sign of p may stand for that of t: they differ only where t is 0,
and then the result is 0 either way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_runtime.fixed_point import (
    FixedPoint,
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    wrap_int32,
)
from tinyml_runtime.tensor import Array

# Sums of two terms below this fit into int64.
_LARGEST_TERM = 2.0**62


class Rescaling:
    """Rescales rows of int64 accumulators in place, exactly, and clamps them to `limits`.

    Each factor is for equally many neighbouring columns. No accumulator is larger than `bounds`,
    one for all columns or one each. `wide` selects the arithmetic of 64-bit accumulators.
    """

    def __init__(
        self,
        factors: Sequence[FixedPoint],
        columns: int,
        limits: tuple[int, int],
        *,
        bounds: Array | float,
        zero_point: int = 0,
        wide: bool = False,
    ) -> None:
        """Lay out the constants of every column."""
        repeats = columns // len(factors)
        self._multipliers = np.repeat([f.multiplier for f in factors], repeats)
        self._shifts = np.repeat([f.shift for f in factors], repeats)
        self._zero_point = zero_point
        self._limits = limits
        self._wide = wide
        if wide:
            fits = self._lay_out_wide(bounds)
        else:
            fits = self._lay_out(bounds)
        scales = np.ldexp(self._scaled.astype(np.float64), -self._right)
        reach = bounds * scales + 1.0
        moved = np.ldexp(float(abs(zero_point)), self._right)
        # Nothing leaves its 32 bits, and 64 bits hold everything on the way.
        self._is_plain = bool(
            np.all(fits & (reach < 2.0**31) & (moved < _LARGEST_TERM / 2) & (self._right < 63))
        )
        low, high = limits
        self._clamps = bool(np.any((zero_point + reach > high) | (zero_point - reach < low)))
        if self._is_plain:
            self._offset += zero_point << self._right

    def _lay_out(self, bounds: Array | float) -> Array:
        left = np.maximum(self._shifts, 0)
        right = np.maximum(-self._shifts, 0)
        self._scaled = self._multipliers << left
        self._right = 31 + right
        self._offset = 2**30 + (((np.int64(1) << right) >> 1) << 31)
        # A right shift takes ties away from zero: negative values get one less.
        self._ties = np.where(right > 0, 2**31, 0)
        return bounds * 2.0**left < 2.0**31

    def _lay_out_wide(self, bounds: Array | float) -> Array:
        fits_int16 = self._multipliers < 0x7FFF0000
        self._scaled = np.where(fits_int16, (self._multipliers + 2**15) >> 16, 0x7FFF)
        self._right = 15 - self._shifts
        self._offset = np.int64(1) << np.maximum(self._right - 1, 0)
        self._ties = np.zeros_like(self._offset)
        return (bounds * self._scaled.astype(np.float64) < _LARGEST_TERM) & (self._right > 0)

    def __call__(self, values: Array) -> None:
        """Rescale `values`, shape [rows, columns], in place."""
        if self._is_plain:
            np.multiply(values, self._scaled, out=values)
            if not self._wide:
                signs = values >> 63
                signs *= self._ties
                values += signs
            values += self._offset
            values >>= self._right
        else:
            self._in_general(values)
        if self._clamps:
            low, high = self._limits
            np.maximum(values, low, out=values)
            np.minimum(values, high, out=values)

    def _in_general(self, values: Array) -> None:
        if self._wide:
            scaled = multiply_wide_by_quantized_multiplier(values, self._multipliers, self._shifts)
        else:
            wrapped = wrap_int32(values)
            scaled = multiply_by_quantized_multiplier(wrapped, self._multipliers, self._shifts)
        np.add(scaled, self._zero_point, out=values)
