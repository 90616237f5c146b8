"""What pools ask of their windows: border elements, which SAME padding adds, do not count."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tinyml_runtime.kernels.windows import Axis, Window, image_window
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.tensor import Array, Tensor


def pooling_window(options: Pool2DOptions, image: Tensor) -> Window:
    """The windows over an image, without taps that are in the border for every one of them."""
    window = image_window(
        image,
        (options.filter_height, options.filter_width),
        (options.stride_h, options.stride_w),
        options.padding,
    )
    height, width = image.shape[1:3]
    return Window(_trimmed(window.rows, height), _trimmed(window.columns, width))


def element_counts(window: Window, image: Array) -> Array:
    """Elements of the image that each window has, [output height, output width, 1].

    As large as the output: to be asked for where the output has its memory already.
    """
    height, width = image.shape[1:3]
    return np.outer(_counts(window.rows, height), _counts(window.columns, width))[..., np.newaxis]


def bind_sums_in_order(window: Window, image: Array) -> Callable[[], Array]:
    """Sums of windows, every one in the order of its elements: the rounding of TFLM's sums."""
    padded, refresh = window.bind_padded(image, 0.0, image.dtype)
    taps = [window.tap(padded, *divmod(tap, window.columns.taps)) for tap in range(window.taps)]
    sums = np.empty(taps[0].shape, image.dtype)
    steps = [(taps[0], taps[1]), *((sums, tap) for tap in taps[2:])] if len(taps) > 1 else []

    def add_up() -> Array:
        refresh()
        for first, second in steps:
            np.add(first, second, sums)
        return sums if steps else taps[0]

    return add_up


def _trimmed(axis: Axis, size: int) -> Axis:
    travel = (axis.outputs - 1) * axis.stride
    first = max(0, axis.before - travel)
    taps = min(axis.taps - 1, axis.before + size - 1) - first + 1
    before = axis.before - first
    after = max(0, travel + taps - size - before)
    return Axis(taps, axis.stride, 1, axis.outputs, before, after)


def _counts(axis: Axis, size: int) -> Array:
    starts = np.arange(axis.outputs, dtype=np.int64) * axis.stride - axis.before
    return np.minimum(starts + axis.taps, size) - np.maximum(starts, 0)
