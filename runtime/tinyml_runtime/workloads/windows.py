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
    # A file may claim any number of positions: turns go over the taps alone.
    inside = sum(
        _positions(outputs, stride, before - tap * dilation, inputs) for tap in range(taps)
    )
    full = _positions(outputs, stride, before, inputs - reach + 1)
    return Taps(outputs, taps, inside, full)


def _positions(outputs: int, stride: int, before: int, end: int) -> int:
    """Positions that have 0 <= position * stride - before < end."""
    first = max(0, -(-before // stride))
    last = min(outputs - 1, (end - 1 + before) // stride)
    return max(0, last - first + 1)


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
