"""Rescaling of a few accumulators: in int64, with the least number of NumPy calls.

`Requantizer` is for whole images. Recurrent layers rescale some ten to some hundred values at a
time, many of them to 16 bits: there integers take no longer than floats, and whatever the scales
are, they are exact.

Why one shift is enough. gemmlowp rounds twice: t = (p + 2**30) >> 31 with p = acc * multiplier,
then (t + half - (t < 0)) >> e with half = 2**e / 2. Floors nest, so both are (p + 2**30 + 2**31 *
(half - (t < 0))) >> (31 + e). The sign of p may stand for that of t: they differ only where t is 0,
and then the result is 0 either way.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint, multiply_wide_by_quantized_multiplier
from tinyml_runtime.tensor import Array

# Four terms below this, or one below four times this, can be added in int64.
_LARGEST_TERM = 2.0**60
_SIGN_SHIFT = np.array(63)


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
        self._low, self._high = np.array(limits[0]), np.array(limits[1])
        self._wide = wide
        self._wraps = self._is_general = False
        if wide:
            self._lay_out_wide(bounds)
        else:
            bounds = self._lay_out(bounds)
        exact = bounds * np.ldexp(self._scaled.astype(np.float64), -self._right)
        reach = np.floor(exact + 0.75)  # 1/2 by the last rounding, up to 1/4 by one before
        low, high = limits
        self._clamps = bool(np.any((zero_point + reach > high) | (zero_point - reach < low)))
        moved = np.ldexp(float(abs(zero_point)), self._right)
        self._late_zero_point = 0
        if self._is_general or np.any(moved >= _LARGEST_TERM):
            self._late_zero_point = zero_point
        else:
            self._offset += zero_point << self._right
        self._scaled, self._right = _constant(self._scaled), _constant(self._right)
        self._offset, self._ties = _constant(self._offset), _constant(self._ties)

    def _lay_out(self, bounds: Array | float) -> Array:
        """Constants of 32-bit accumulators; gives the bounds after an overflow."""
        self._left = np.maximum(self._shifts, 0)
        right = np.maximum(-self._shifts, 0)
        shifted = bounds * 2.0**self._left
        self._wraps = bool(np.any(shifted >= 2.0**31))
        self._scaled = self._multipliers if self._wraps else self._multipliers << self._left
        self._right = 31 + right
        self._offset = 2**30 + (((np.int64(1) << right) >> 1) << 31)
        # A right shift takes ties away from zero: negative values get one less.
        self._ties = np.where(right > 0, 2**31, 0)
        return np.full_like(shifted, 2.0**31) if self._wraps else shifted / 2.0**self._left

    def _lay_out_wide(self, bounds: Array | float) -> None:
        fits_int16 = self._multipliers < 0x7FFF0000
        self._scaled = np.where(fits_int16, (self._multipliers + 2**15) >> 16, 0x7FFF)
        self._right = 15 - self._shifts
        self._offset = np.int64(1) << np.maximum(self._right - 1, 0)
        products = bounds * self._scaled.astype(np.float64)
        plain = (self._right > 0) & (products < _LARGEST_TERM)
        plain &= np.ldexp(products, -self._right) < 2.0**31 - 1.0
        self._is_general = not np.all(plain)
        self._ties = np.zeros(1, np.int64)

    def __call__(self, values: Array) -> None:
        """Rescale `values`, shape [rows, columns], in place."""
        if self._wraps:
            values <<= self._left
            np.copyto(values, values.astype(np.int32))
        if self._is_general:
            values[...] = multiply_wide_by_quantized_multiplier(
                values, self._multipliers, self._shifts
            )
        else:
            values *= self._scaled
            if not self._wide:
                signs = values >> _SIGN_SHIFT
                signs *= self._ties
                values += signs
            values += self._offset
            values >>= self._right
        if self._late_zero_point:
            values += self._late_zero_point
        if self._clamps:
            np.maximum(values, self._low, out=values)
            np.minimum(values, self._high, out=values)


def _constant(values: Array) -> Array:
    """One row, or a scalar array if all are the same: NumPy takes twice as long to broadcast."""
    return values[0, ...] if np.all(values == values[0]) else values[np.newaxis]
