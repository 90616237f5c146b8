"""From accumulators to quantized outputs: add the bias, rescale, shift to the zero point, clamp.

The exact result is defined in integers (`fixed_point.py`); here it is computed in float64 where a
bound, settled in `prepare`, proves that the floats give the same integers.

Why that is exact. Write the factor of a channel as multiplier * 2**(shift - 31) and let e be the
right shift (0 for a left shift). gemmlowp rounds twice: t = floor(p + 1/2) with p = acc *
multiplier * 2**(shift + e - 31), then t / 2**e with ties away from zero. With x = p / 2**e both
roundings together are floor(x + 1/2 + d) where t >= 0 and floor(x + 1/2 - d) where t < 0, with
d = 2**-(e + 1), and d = 0 if e = 0. Every term is a multiple of the grid 2**(shift - 31). So sums
of magnitude below 2**52 grid units are exact in float64; and an x that is not exact, because it is
too large, is far outside of the output's range, where (rounding is monotonic) the clamp gives the
same. Failing that, `float_proofs.py` shows for most factors that lost bits do not matter.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

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

FLOAT32_EXACT = 2**24
FLOAT64_EXACT = 2**53

# What survives the clamp, with zero point and offset, stays below 2**(bits of the output + 2).
_MARGIN_BITS = 2
_SIGN_BIT = np.array(-(2**63))
# For fewer values the least number of calls is fastest, for more the least work for each of them.
_FEW_ELEMENTS = 1024
# Per-channel rows are repeated to about this length: NumPy's inner loops are slow on short rows.
_TILED_LENGTH = 1024
# Rows are taken in blocks of about this many elements, so that their float64 copies stay in cache.
_BLOCK_ELEMENTS = 32_768


def accumulator_dtype(bound: int) -> np.dtype[np.floating]:
    """The float type in which sums of integers of magnitude up to `bound` are exact."""
    return np.dtype(np.float32 if bound < FLOAT32_EXACT else np.float64)


@dataclass(frozen=True, slots=True)
class OutputRange:
    """Where the rescaled value goes: output zero point, clamp, and 8 or 16 bits."""

    zero_point: int
    minimum: int
    maximum: int
    bits: int = 8


class Requantizer:
    """Rescales rows of accumulators, shape [rows, channels], into int8 or int16 outputs.

    `factors` has one entry for all channels or one each. `bias` (or None) is added first. `bounds`
    are the largest magnitudes of the accumulators before the bias, per channel or for all. `rows`
    is the number of rows of one sample: calls come with a multiple of it.
    `wide` selects the arithmetic of 64-bit accumulators (16-bit multipliers, one rounding).
    """

    def __init__(
        self,
        factors: Sequence[FixedPoint],
        output: OutputRange,
        *,
        channels: int,
        rows: int,
        bounds: Array | int,
        bias: Array | None = None,
        wide: bool = False,
    ) -> None:
        """Choose the fastest exact way and lay out its constants."""
        self._output = output
        self._wide = wide
        # The nudge is what the first of two roundings leaves to the second.
        self._is_nudged = not wide and not rounds_once()
        self._channels = channels
        self._multipliers = _per_channel([f.multiplier for f in factors], channels)
        self._shifts = _per_channel([f.shift for f in factors], channels)
        zeros = np.zeros(channels, np.int64)
        self._bias = zeros if bias is None else bias.reshape(-1).astype(np.int64)
        self._bounds = _per_channel(np.asarray(bounds, np.float64).reshape(-1), channels)
        total = self._bounds + np.abs(self._bias)
        scale = self._real_scales()
        # Per channel: no intermediate leaves its register, so outputs rise with accumulators.
        largest = total * (scale if wide else 2.0 ** np.maximum(self._shifts, 0))
        monotonic = (largest < 2.0**31) & (total < FLOAT64_EXACT)
        grid_bits = (15 if wide else 31) - self._shifts
        margin = output.bits + _MARGIN_BITS
        sums_exact = np.ldexp(total * scale + 2.0**margin, grid_bits) < 2.0**52
        fixed, outputs = self._fixed_outputs(monotonic)
        plain = monotonic & (sums_exact | (grid_bits + margin <= 53)) & ~fixed
        for channel in np.flatnonzero(monotonic & ~plain & ~fixed).tolist():
            plain[channel] = not wide and self._keeps_away(factors[channel % len(factors)])
        self._hard = np.flatnonzero(~plain & ~fixed)
        self.is_float = self._hard.size < channels
        self._lay_out(
            repeats=_repeats(rows, channels),
            scale=np.where(plain, scale, 0.0),
            bias=np.where(plain, self._bias, 0).astype(np.float64),
            target=np.where(fixed, outputs, output.zero_point),
            sums_exact=bool(np.all(sums_exact | ~plain)),
        )

    def __call__(self, accumulators: Array, out: Array) -> None:
        """Write the outputs for `accumulators`, exact integers in float32 or float64, into `out`.

        Both are contiguous; `out` has as many elements and the output's element type. float64
        accumulators are overwritten.
        """
        self.bind(out)(accumulators)

    def bind(self, out: Array) -> Callable[[Array], None]:
        """The same as a function of the accumulators, for outputs that stay where they are."""
        if not self._hard.size:
            return self._bind_floats(out)
        in_floats = self._bind_floats(out) if self.is_float else None
        rows = out.reshape(-1, self._channels)

        def run(accumulators: Array) -> None:
            columns = accumulators.reshape(rows.shape)[:, self._hard]
            if in_floats is not None:
                in_floats(accumulators)
            rows[:, self._hard] = self._exact(columns, self._hard)

        return run

    def _fixed_outputs(self, monotonic: Array) -> tuple[Array, Array]:
        """Per channel: whether all accumulators up to the bound give the same output; and which.

        Such are dead filters, whose tiny scales and huge biases no float could carry.
        """
        bounds = np.where(monotonic, self._bounds, 0.0)
        lowest, highest = self._exact(np.stack([-bounds, bounds]), np.arange(self._channels))
        return monotonic & (lowest == highest), lowest

    def _keeps_away(self, factor: FixedPoint) -> bool:
        output = self._output
        zero_point = output.zero_point
        farthest = max(abs(output.minimum - zero_point), abs(output.maximum - zero_point)) + 2.0
        largest = farthest + abs(zero_point) + 2.0**output.bits
        return keeps_away(factor, farthest, largest, is_nudged=self._is_nudged)

    def _real_scales(self) -> Array:
        if not self._wide:
            return np.ldexp(self._multipliers.astype(np.float64), self._shifts - 31)
        reduced = np.where(
            self._multipliers < 0x7FFF0000, (self._multipliers + 2**15) >> 16, 0x7FFF
        )
        return np.ldexp(reduced.astype(np.float64), self._shifts - 15)

    def _lay_out(
        self, *, repeats: int, scale: Array, bias: Array, target: Array, sums_exact: bool
    ) -> None:
        """Constants of the float form, rows repeated `repeats` times.

        `target` is the output for an accumulator of zero before rounding, the zero point unless the
        channel is fixed; `sums_exact` says that acc * scale + any constant is exact.
        """
        output = self._output
        right = np.maximum(-self._shifts, 0)
        has_nudge = (right > 0) & (scale > 0.0) & self._is_nudged
        nudge = np.where(has_nudge, np.ldexp(0.5, -right), 0.0)
        # With one rounding, and where a clamp at the zero point hides negative values, the sign of
        # x does not matter.
        self._signed = bool(np.any(nudge)) and output.minimum < output.zero_point
        # The offset makes all values that survive the clamp positive: truncation is floor there.
        offset = 2 ** (output.bits - 1)
        constant = target + offset + 0.5
        if not self._signed:
            constant += nudge
        # A folded bias costs nothing; but where the sign of x is needed, x must come by itself.
        self._bias_folded = not np.any(bias) if self._signed else sums_exact
        if self._bias_folded:
            constant += bias * scale
        self._row = repeats * self._channels
        self._unsigned = np.dtype(f"u{output.bits // 8}")
        self._offset = np.array(offset, self._unsigned)
        self._scale = _row(scale, repeats)
        self._constant = _row(constant, repeats)
        self._nudge = _row(nudge, repeats)
        self._bias_row = _row(bias, repeats)
        self._low = np.array(float(output.minimum + offset))
        self._high = np.array(float(output.maximum + offset))

    def _bind_floats(self, out: Array) -> Callable[[Array], None]:
        if out.size == 1:
            return self._bind_value(out)
        rows = out.reshape(-1)
        if rows.size > self._row:
            rows = rows.reshape(-1, self._row)
        step = max(1, _BLOCK_ELEMENTS // self._row)
        if rows.ndim == 1 or len(rows) <= step:
            return self._bind_block(rows)
        blocks = [
            (slice(start, start + step), self._bind_block(rows[start : start + step]))
            for start in range(0, len(rows), step)
        ]

        def run(accumulators: Array) -> None:
            by_row = accumulators.reshape(rows.shape)
            for part, in_block in blocks:
                in_block(by_row[part])

        return run

    def _bind_block(self, out: Array) -> Callable[[Array], None]:
        shape, scale, constant, bias = out.shape, self._scale, self._constant, self._bias_row
        is_folded = self._bias_folded
        add_nudge = self._nudging(out.size) if self._signed else None
        store = self._storing(out)

        def run(accumulators: Array) -> None:
            x = accumulators.reshape(shape)
            if x.dtype != np.float64:
                x = x.astype(np.float64)
            if not is_folded:
                np.add(x, bias, x)
            np.multiply(x, scale, x)
            if add_nudge is not None:
                add_nudge(x)
            np.add(x, constant, x)
            store(x)

        return run

    def _storing(self, out: Array) -> Callable[[Array], object]:
        """What clamps values with the offset, takes their floor, and stores them."""
        if out.size < _FEW_ELEMENTS:
            places = np.empty(out.shape, np.intp)
            bits = 8 * out.itemsize
            results = _clamped_results(bits, self._output.minimum, self._output.maximum)

            def look_up(x: Array) -> None:
                places[...] = x
                results.take(places, None, out, "clip")

            return look_up
        low, high, offset = self._low, self._high, self._offset
        unsigned = out.view(self._unsigned)

        def store(x: Array) -> None:
            x.clip(low, high, x)
            unsigned[...] = x
            np.bitwise_xor(unsigned, offset, unsigned)

        return store

    def _bind_value(self, out: Array) -> Callable[[Array], None]:
        """A single output: much faster in Python's floats."""
        scale, constant, nudge = self._scale.item(), self._constant.item(), self._nudge.item()
        bias = 0.0 if self._bias_folded else self._bias_row.item()
        is_signed, low, high = self._signed, self._low.item(), self._high.item()
        offset = self._offset.item()

        def run(accumulators: Array) -> None:
            x = (accumulators.item() + bias) * scale
            if is_signed:
                x += math.copysign(nudge, x)
            out[...] = int(min(max(x + constant, low), high)) - offset

        return run

    def _nudging(self, size: int) -> Callable[[Array], object]:
        """What moves values away from zero by the nudge, in the way that suits so many values."""
        nudge = self._nudge
        if size < _FEW_ELEMENTS:
            return lambda x: np.add(x, np.copysign(nudge, x), x)
        bits = nudge.view(np.int64)

        def add_nudge(x: Array) -> None:
            signed = np.bitwise_and(x.view(np.int64), _SIGN_BIT)
            np.bitwise_or(signed, bits, signed)
            np.add(x, signed.view(np.float64), x)

        return add_nudge

    def _exact(self, accumulators: Array, channels: Array) -> Array:
        """The definition itself, in integers, for columns of accumulators of these channels."""
        acc = accumulators.astype(np.int64)
        acc += self._bias[channels]
        multipliers, shifts = self._multipliers[channels], self._shifts[channels]
        if self._channels == 1:  # faster with numbers
            multipliers, shifts = multipliers.item(), shifts.item()
        if self._wide:
            scaled = multiply_wide_by_quantized_multiplier(acc, multipliers, shifts)
        else:
            scaled = multiply_by_quantized_multiplier(wrap_int32(acc), multipliers, shifts)
        shifted = wrap_int32(scaled + self._output.zero_point)
        return np.clip(shifted, self._output.minimum, self._output.maximum)


def _per_channel(values: Sequence[int] | Array, channels: int) -> Array:
    array = np.asarray(values)
    return np.ascontiguousarray(np.broadcast_to(array, (channels,)))


@cache
def _clamped_results(bits: int, minimum: int, maximum: int) -> Array:
    """The output for every value with the offset, from 0 on."""
    half = 2 ** (bits - 1)
    stored: Array = np.asarray(range(-half, half))
    values: Array = np.clip(stored, minimum, maximum)
    return values.astype(f"i{bits // 8}")


def _row(values: Array, repeats: int) -> Array:
    """A row of constants, or a scalar array if all are the same: NumPy repeats that faster."""
    if values.size and np.all(values == values[0]):
        return values[0, ...]
    return np.tile(values, repeats)


def _repeats(rows: int, channels: int) -> int:
    """How often a row of channels is repeated: a divisor of `rows`, long enough to be fast."""
    wanted = max(1, _TILED_LENGTH // max(1, channels))
    return next((n for n in range(min(wanted, rows), 1, -1) if rows % n == 0), 1)
