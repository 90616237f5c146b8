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
    inside = full = 0
    for position in range(outputs):
        origin = position * stride - before
        count = sum(0 <= origin + tap * dilation < inputs for tap in range(taps))
        inside += count
        full += count == taps
    return Taps(outputs, taps, inside, full)


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
