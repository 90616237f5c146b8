"""Sliding windows: padding, stride and dilation of convolutions and pools.

Source: tflite-micro `lite/kernels/padding.h`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinyml_runtime.errors import NodeError
from tinyml_runtime.registration import check
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Padding


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a window: `taps` positions, `dilation` apart, moved by `stride`.

    `before` and `after` are the elements of padding that the windows reach at either end.
    """

    taps: int
    stride: int
    dilation: int
    outputs: int
    before: int
    after: int

    @property
    def reach(self) -> int:
        """Elements from the first to the last position of one window, both included."""
        return (self.taps - 1) * self.dilation + 1


def window_axis(size: int, taps: int, stride: int, padding: Padding, *, dilation: int = 1) -> Axis:
    """The windows along an axis of `size` elements; NodeError for values that give none."""
    check(taps > 0 and stride > 0 and dilation > 0, "window, stride or dilation is not positive")
    reach = (taps - 1) * dilation + 1
    span = size + stride - (1 if padding is Padding.SAME else reach)
    outputs = span // stride
    if outputs <= 0:
        raise NodeError(f"a window of {reach} does not fit an input of {size}")
    total = max(0, (outputs - 1) * stride + reach - size)
    return Axis(taps, stride, dilation, outputs, total // 2, total - total // 2)


@dataclass(frozen=True, slots=True)
class Window:
    """Windows over the height and width of an image [batch, height, width, channels]."""

    rows: Axis
    columns: Axis

    @property
    def taps(self) -> int:
        """Positions in one window."""
        return self.rows.taps * self.columns.taps

    @property
    def outputs(self) -> int:
        """Windows over one image."""
        return self.rows.outputs * self.columns.outputs

    @property
    def is_pointwise(self) -> bool:
        """Whether every window is one element and the windows are all elements in order."""
        return (
            self.taps == 1
            and self.rows.stride == self.columns.stride == 1
            and not (self.rows.before or self.rows.after)
            and not (self.columns.before or self.columns.after)
        )

    def bind_padded(
        self, image: Array, fill: float, dtype: np.dtype[Any]
    ) -> tuple[Array, Callable[[], None]]:
        """`image` in another element type, with a border of `fill` where windows reach over it.

        Also the function that brings it up to date with the image.
        """
        rows, columns = self.rows, self.columns
        is_bordered = bool(rows.before or rows.after or columns.before or columns.after)
        if dtype == image.dtype and not is_bordered:
            return image, lambda: None
        batch, height, width, channels = image.shape
        top, left = rows.before, columns.before
        shape = (batch, top + height + rows.after, left + width + columns.after, channels)
        padded = np.full(shape, fill, dtype)
        inside = padded[:, top : top + height, left : left + width]

        def refresh() -> None:
            inside[...] = image

        return padded, refresh

    def view(self, padded: Array) -> Array:
        """All windows: [batch, output height, output width, rows, columns, channels], no copy."""
        batch, _, _, channels = padded.shape
        along_batch, along_row, along_column, along_channel = padded.strides
        rows, columns = self.rows, self.columns
        return np.ndarray(  # as as_strided, at a fifth of its cost
            (batch, rows.outputs, columns.outputs, rows.taps, columns.taps, channels),
            padded.dtype,
            padded,
            0,
            (
                along_batch,
                along_row * rows.stride,
                along_column * columns.stride,
                along_row * rows.dilation,
                along_column * columns.dilation,
                along_channel,
            ),
        )

    def tap(self, padded: Array, row: int, column: int) -> Array:
        """The element that each window has at one of its positions, as a view of `padded`."""
        rows, columns = self.rows, self.columns
        top, left = row * rows.dilation, column * columns.dilation
        bottom = top + (rows.outputs - 1) * rows.stride + 1
        right = left + (columns.outputs - 1) * columns.stride + 1
        return padded[:, top : bottom : rows.stride, left : right : columns.stride]


def image_window(
    image: Tensor,
    taps: tuple[int, int],
    strides: tuple[int, int],
    padding: Padding,
    dilations: tuple[int, int] = (1, 1),
) -> Window:
    """The windows over an image tensor; pairs are (height, width). NodeError if it has none."""
    check(len(image.shape) == 4, f"the image has {len(image.shape)} dimensions, not 4")
    rows, columns = (
        window_axis(size, tap, stride, padding, dilation=dilation)
        for size, tap, stride, dilation in zip(
            image.shape[1:3], taps, strides, dilations, strict=True
        )
    )
    return Window(rows, columns)
