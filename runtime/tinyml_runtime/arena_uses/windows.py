"""The windows of convolutions, as far as the sizes of buffers depend on them.

Source: tflite-micro `lite/kernels/padding.h`
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import Padding


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
