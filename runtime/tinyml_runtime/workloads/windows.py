"""How many taps of a sliding window lie inside the image, counted exactly at its edges."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tinyml_runtime.model.options import Conv2DOptions, DepthwiseConv2DOptions
from tinyml_runtime.types import Padding


@dataclass(frozen=True, slots=True)
class Taps:
    """One direction of a window: `outputs` positions of `taps` taps, of which `inside` are in."""

    outputs: int
    taps: int
    inside: int
    full_positions: int

    @property
    def all(self) -> int:
        """Taps of all positions, inside or not."""
        return self.outputs * self.taps


@cache
def count_taps(
    inputs: int, taps: int, stride: int, dilation: int, outputs: int, padding: Padding
) -> Taps:
    """Count along one direction; `full_positions` are those with every tap inside."""
    reach = (taps - 1) * dilation + 1
    before = 0
    if padding is Padding.SAME:
        before = max(0, (outputs - 1) * stride + reach - inputs) // 2
    return taps_inside(inputs, taps, stride, dilation, outputs, before)


def taps_inside(
    inputs: int, taps: int, stride: int, dilation: int, outputs: int, before: int
) -> Taps:
    """As `count_taps`, with `before` elements of padding at the near end."""
    below = _pairs_below(before, stride, outputs, dilation, taps)
    inside = _pairs_below(before + inputs, stride, outputs, dilation, taps) - below
    first = positions_below(before, stride, outputs)
    last = positions_below(before + inputs - (taps - 1) * dilation, stride, outputs)
    return Taps(outputs, taps, inside, max(0, last - first))


def positions_below(limit: int, stride: int, outputs: int) -> int:
    """Positions of a window that have position * stride < limit."""
    return min(outputs, max(0, -(-limit // stride)))


def _pairs_below(limit: int, stride: int, outputs: int, dilation: int, taps: int) -> int:
    """Pairs that have position * stride + tap * dilation < limit.

    In closed form, because a file may claim any number of positions and of taps.
    """
    positions = positions_below(limit, stride, outputs)
    whole = positions_below(limit - (taps - 1) * dilation, stride, outputs)
    last = limit - (positions - 1) * stride + dilation - 1
    return whole * taps + _sum_of_quotients(positions - whole, stride, last, dilation)


def _sum_of_quotients(count: int, step: int, start: int, divisor: int) -> int:
    """The sum of (start + i * step) // divisor over the first `count` i; none is negative.

    Turns as Euclid's algorithm: the points under a line, whole columns of them first, then the
    rest with the axes exchanged.
    """
    total = 0
    while count > 0:
        total += count * (count - 1) // 2 * (step // divisor) + count * (start // divisor)
        step, start = step % divisor, start % divisor
        reached = step * count + start
        if reached < divisor:
            break
        count, start, step, divisor = reached // divisor, reached % divisor, divisor, step
    return total


def convolution_taps(
    options: Conv2DOptions | DepthwiseConv2DOptions,
    source: Sequence[int],
    weights: Sequence[int],
    output: Sequence[int],
) -> tuple[Taps, Taps]:
    """Rows and columns of a convolution, from the shapes of its operands: height and width 1, 2."""
    rows = count_taps(
        source[1],
        weights[1],
        options.stride_h,
        options.dilation_h_factor,
        output[1],
        options.padding,
    )
    columns = count_taps(
        source[2],
        weights[2],
        options.stride_w,
        options.dilation_w_factor,
        output[2],
        options.padding,
    )
    return rows, columns
