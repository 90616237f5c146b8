"""Rescaling of a few accumulators: in float64, in place, with the least number of NumPy calls.

`Requantizer` is for whole images. Recurrent layers rescale some ten to some hundred values at a
time, and go on computing with the results.

Why that is exact. `requantize.py` says which sum's floor gemmlowp's two roundings are. Either all
of its terms are multiples of a grid, and so small that no bit is lost; or `float_proofs.py` shows
that the lost bits do not matter.

The first rounding nudges a value away from zero, the same way for all values of one sign. Where all
are nudged by one 2**-fine, results are looked up by values in steps of that: the table knows the
sign, and the nudge takes no call.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np

from tinyml_runtime.fixed_point import (
    FixedPoint,
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    rounds_once,
    wrap_int32,
)
from tinyml_runtime.float_proofs import keeps_away
from tinyml_runtime.tensor import Array

# Makes something of values and an operand, and writes it into the third array.
_Change: TypeAlias = Callable[[Array, Array, Array], object]
# Less than 2**51 away from it, the low half of a double's bits is the low half of the integer's.
_WRAPS = np.array(1.5 * 2.0**52)
# A table of fine steps should stay in a processor's cache.
_MOST_RESULTS = 2**18


class Rescaling:
    """Rescales rows of accumulators, exact integers in float64, and clamps them to `limits`.

    Each factor is for equally many neighbouring columns. No accumulator is larger than `bounds`,
    one for all columns or one each. `wide` selects the arithmetic of 64-bit accumulators.

    A caller may multiply by the `factors`, or the row `scale`, before: an operand of a product if
    `is_float`, the terms of a sum if `takes_scaled`. The `offset` that rounds may be one of these
    terms if `takes_offset`.
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
        self._limits, self._zero_point, self._wide = limits, zero_point, wide
        largest = np.broadcast_to(np.asarray(bounds, np.float64), columns)
        grids = [
            _Grid(factor, float(part.max()), limits, zero_point, wide)
            for factor, part in zip(factors, np.split(largest, len(factors)), strict=True)
        ]
        self._wraps = any(grid.wraps for grid in grids)
        self.takes_scaled = all(grid.is_fine for grid in grids) and not self._wraps
        self.is_float = all(grid.is_fine or grid.keeps_away for grid in grids)
        self._nudge = _row([grid.nudge for grid in grids], repeats)
        # Where a clamp at the zero point hides negative values, the sign does not matter.
        self._is_signed = zero_point > limits[0] and bool(np.any(self._nudge))
        self._fine = _fineness(self._nudge, limits) if self._is_signed else 0
        offset = np.array(zero_point - limits[0] + 0.5)
        if self._fine:
            self._is_signed = False
        elif not self._is_signed:
            offset = offset + self._nudge
        self.offset = np.ldexp(offset, self._fine)
        self.factors = [math.ldexp(grid.scale, self._fine) for grid in grids]
        self.scale = _row(self.factors, repeats)
        self.takes_offset = (
            self.takes_scaled and not self._is_signed and all(grid.is_finer for grid in grids)
        )

    def bind(
        self,
        values: Array,
        out: Array,
        *,
        biases: Array | None = None,
        is_scaled: bool = False,
        is_offset: bool = False,
        added_late: int = 0,
    ) -> Callable[[], None]:
        """What rescales `values`, shape [rows, columns], and writes the results into `out`.

        `values` are overwritten, and may be `out`. Biases are integers that are added to them
        first. `is_scaled` says that they come multiplied, `is_offset` that the offset is in them,
        too. `added_late` is added after the clamp, in the type of `out`.
        """
        results = _results(self._limits, added_late, out.dtype, self._fine, self._zero_point)
        whole = _results(self._limits, added_late, out.dtype, 0, 0)
        if not self.is_float:
            return partial(self._in_integers, values, biases, whole, out)
        steps = self._steps(values, biases, is_scaled=is_scaled, is_offset=is_offset)
        if len(values) == 1:
            # NumPy is faster with a vector than with a matrix of one row.
            values, out = values[0], out[0]
            steps = [(change, np.squeeze(operand)) for change, operand in steps]
        places, look_up = np.empty(values.shape, np.intp), results.take

        def run() -> None:
            for change, operand in steps:
                change(values, operand, values)
            # Truncation is floor wherever the place is not clipped to the first.
            places[...] = values
            look_up(places, None, out, "clip")

        return run

    def _steps(
        self, values: Array, biases: Array | None, *, is_scaled: bool, is_offset: bool
    ) -> list[tuple[_Change, Array]]:
        """What makes places of results from `values`, in place."""
        steps: list[tuple[_Change, Array]] = []
        # Where more than 32 bits can come out of a sum, the low ones are kept.
        if self._wraps:
            steps.append((_wrapping(values), _WRAPS if biases is None else biases + _WRAPS))
        elif biases is not None:
            steps.append((np.add, biases))
        if not is_scaled:
            steps.append((np.multiply, self.scale))
        if self._is_signed:
            steps.append((_add_away_from_zero, self._nudge))
        if not is_offset:
            steps.append((np.add, self.offset))
        return steps

    def _in_integers(
        self, accumulators: Array, biases: Array | None, results: Array, out: Array
    ) -> None:
        """The definition itself."""
        values = accumulators.astype(np.int64)
        if biases is not None:
            values += biases.astype(np.int64)
        if self._wide:
            scaled = multiply_wide_by_quantized_multiplier(values, self._multipliers, self._shifts)
        else:
            values = wrap_int32(values)
            scaled = multiply_by_quantized_multiplier(values, self._multipliers, self._shifts)
        results.take(scaled + (self._zero_point - self._limits[0]), None, out, "clip")


class _Grid:
    """One factor: x = acc * multiplier / 2**bits, for accumulators up to a bound."""

    def __init__(
        self,
        factor: FixedPoint,
        bound: float,
        limits: tuple[int, int],
        zero_point: int,
        wide: bool,
    ) -> None:
        multiplier, bits = factor.multiplier, 31 - factor.shift
        is_nudged = not rounds_once()
        right = max(-factor.shift, 0) if is_nudged else 0
        self.wraps = not wide and factor.shift <= 0 and 2.0**31 <= bound < 2.0**51
        if self.wraps:
            bound = 2.0**31
        fits = factor.shift <= 0 or math.ldexp(bound, factor.shift) < 2.0**31
        if wide:
            multiplier, bits, right = _reduced(factor.multiplier), 15 - factor.shift, 0
            fits = True
        self.scale = math.ldexp(multiplier, -bits)
        self.nudge = math.ldexp(0.5, -right) if right else 0.0
        reach = bound * self.scale
        largest = reach + abs(zero_point) + 2.0
        is_plain = fits and bits > 0 and multiplier >= 0 and reach < 2.0**31
        zeros = (multiplier & -multiplier).bit_length() - 1
        # Terms are multiples of the step. With the offset, only sums within the limits matter.
        most = min(math.ldexp(1.0, zeros - bits), 0.5) * 2.0**53
        span = limits[1] - limits[0] + 2.0
        self.is_fine = is_plain and max(largest, span) <= most
        self.is_finer = is_plain and largest + span <= most
        farthest = min(reach, max(abs(limit - zero_point) for limit in limits)) + 2.0
        largest = farthest + abs(zero_point) + limits[1] - limits[0]
        self.keeps_away = (
            is_plain and not wide and keeps_away(factor, farthest, largest, is_nudged=is_nudged)
        )


def _reduced(multiplier: int) -> int:
    """The multiplier cut to 16 bits, as for 64-bit accumulators."""
    return min((multiplier + 2**15) >> 16, 0x7FFF)


def _fineness(nudge: Array, limits: tuple[int, int]) -> int:
    """The steps in which results are looked up, 2**-steps; 0 where nudges differ, or need many."""
    if nudge.ndim:
        return 0
    fine = -math.frexp(float(nudge))[1] + 1
    return fine if (limits[1] - limits[0] + 1) << fine <= _MOST_RESULTS else 0


@cache
def _results(
    limits: tuple[int, int], added_late: int, dtype: np.dtype[Any], fine: int, zero_point: int
) -> Array:
    """The result for every value within the limits, in steps of 2**-fine, from the lowest on.

    Steps are nudged by one, away from what is half above the zero point.
    """
    low, high = limits
    places = np.arange((high - low + 1) << fine)
    if fine:
        half_above = (2 * (zero_point - low) + 1) << (fine - 1)
        places = (places + np.where(places < half_above, -1, 1)) >> fine
    return (places.clip(0, high - low) + low + added_late).astype(dtype)


def _wrapping(values: Array) -> _Change:
    """What adds to integers like `values`, `_WRAPS` among it, and keeps the low 32 bits."""
    wide = np.empty(values[0].shape if len(values) == 1 else values.shape, "<f8")
    low = wide.view("<i4")[..., ::2]

    def change(integers: Array, added: Array, out: Array) -> None:
        np.add(integers, added, wide)
        out[...] = low

    return change


def _add_away_from_zero(values: Array, nudge: Array, out: Array) -> None:
    np.add(values, np.copysign(nudge, values), out)


def _row(values: Sequence[float], repeats: int) -> Array:
    """One row, or a scalar array if all are the same: NumPy repeats that faster."""
    if len(set(values)) == 1:
        return np.array(values[0])
    return np.repeat(np.array(values), repeats)[np.newaxis]
