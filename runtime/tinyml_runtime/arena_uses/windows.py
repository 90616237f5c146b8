"""The windows of convolutions, as far as the sizes of buffers depend on them.

Source: tflite-micro `lite/kernels/padding.h`
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_runtime.arena_use import ArenaContext
from tinyml_runtime.model.options import Conv2DOptions, DepthwiseConv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import Padding

INPUT, WEIGHTS = 0, 1
OUTPUT = 0


@dataclass(frozen=True, slots=True)
class Side:
    """One direction: `taps` positions, `dilation` apart, moved by `stride` over `size` elements."""

    size: int
    taps: int
    stride: int
    dilation: int
    outputs: int
    before: int


@dataclass(frozen=True, slots=True)
class Windows:
    """All windows; `depth` is the number of channels that one filter reads."""

    batch: int
    rows: Side
    columns: Side
    channels: int
    depth: int
    filters: int

    @property
    def taps(self) -> int:
        """Positions in one window."""
        return self.rows.taps * self.columns.taps

    @property
    def patch(self) -> int:
        """Elements in one window, over all channels."""
        return self.taps * self.channels

    @property
    def is_plain_pointwise(self) -> bool:
        """Whether windows are all elements, one after another."""
        steps = self.rows.stride, self.columns.stride
        is_padded = self.rows.before or self.columns.before
        return self.taps == 1 and steps == (1, 1) and not is_padded

    @property
    def is_dilated(self) -> bool:
        """Whether positions of a window are not neighbours."""
        return (self.rows.dilation, self.columns.dilation) != (1, 1)


def side(size: int, taps: int, stride: int, padding: Padding, dilation: int, outputs: int) -> Side:
    """One direction of a window, with the padding before the first element."""
    reach = (taps - 1) * dilation + 1
    windows = (size + stride - (1 if padding is Padding.SAME else reach)) // stride
    before = max(0, (windows - 1) * stride + reach - size) // 2
    return Side(size, taps, stride, dilation, outputs, before)


def windows_of(
    source: Tensor,
    weights: Tensor,
    output: Tensor,
    strides: tuple[int, int],
    padding: Padding,
    dilations: tuple[int, int],
) -> Windows:
    """The windows of a convolution; pairs are (height, width)."""
    rows, columns = (
        side(
            source.shape[1 + axis],
            weights.shape[1 + axis],
            strides[axis],
            padding,
            dilations[axis],
            output.shape[1 + axis],
        )
        for axis in (0, 1)
    )
    return Windows(
        source.shape[0], rows, columns, source.shape[3], weights.shape[3], output.shape[3]
    )


def conv_windows(
    source: Tensor,
    weights: Tensor,
    output: Tensor,
    options: Conv2DOptions | DepthwiseConv2DOptions,
) -> Windows:
    """The windows of CONV_2D or DEPTHWISE_CONV_2D."""
    strides = options.stride_h, options.stride_w
    dilations = options.dilation_h_factor, options.dilation_w_factor
    return windows_of(source, weights, output, strides, options.padding, dilations)


def windows_of_node(
    arena: ArenaContext, node: Node, options: Conv2DOptions | DepthwiseConv2DOptions
) -> Windows | None:
    """The windows of CONV_2D or DEPTHWISE_CONV_2D, or None where a tensor is not there."""
    source, weights = arena.input(node, INPUT), arena.input(node, WEIGHTS)
    output = arena.output(node, OUTPUT)
    if source is None or weights is None or output is None:
        return None
    return conv_windows(source, weights, output, options)


def scratch_if_any(arena: ArenaContext, size: int) -> None:
    """A buffer to work in, where it has bytes."""
    if size > 0:
        arena.scratch(size)
