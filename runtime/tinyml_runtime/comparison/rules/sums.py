"""Sums of products of layers, exact, by a loop over the taps of the weights: no kernel's code.

Shapes are those of the kernels; values come and go as float64, in which integers are exact below
2**53. Inputs are given less their zero point, so that borders are zero.
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.comparison.rules.rule import Operation
from tinyml_runtime.kernels.windows import Window, image_window
from tinyml_runtime.model.options import (
    BatchMatMulOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    TransposeConvOptions,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Padding


def sum_conv(operation: Operation, image: Array, weights: Array) -> Array:
    """CONV_2D: [batch, height, width, filters]; channels may come in groups."""
    options = operation.node.options_as(Conv2DOptions)
    filters, rows, columns, depth = weights.shape
    window, padded = _windows(operation, options, image, (rows, columns))
    groups = image.shape[3] // depth
    shape = (image.shape[0], window.rows.outputs, window.columns.outputs, groups, filters // groups)
    sums = np.zeros(shape)
    for row in range(rows):
        for column in range(columns):
            tap = window.tap(padded, row, column)
            for group in range(groups):
                own = tap[..., group * depth : (group + 1) * depth]
                first = group * (filters // groups)
                part = weights[first : first + filters // groups, row, column]
                sums[..., group, :] += own @ part.T
    return sums.reshape(*shape[:3], filters)


def sum_depthwise(operation: Operation, image: Array, weights: Array) -> Array:
    """DEPTHWISE_CONV_2D: [batch, height, width, channels * multiplier]."""
    options = operation.node.options_as(DepthwiseConv2DOptions)
    _, rows, columns, channels = weights.shape
    window, padded = _windows(operation, options, image, (rows, columns))
    sums = np.zeros((image.shape[0], window.rows.outputs, window.columns.outputs, channels))
    multiplier = channels // image.shape[3]
    for row in range(rows):
        for column in range(columns):
            tap = window.tap(padded, row, column)
            sums += np.repeat(tap, multiplier, axis=3) * weights[0, row, column]
    return sums


def _windows(
    operation: Operation,
    options: Conv2DOptions | DepthwiseConv2DOptions,
    image: Array,
    taps: tuple[int, int],
) -> tuple[Window, Array]:
    """The windows over an image, and the image with its borders."""
    window = image_window(
        operation.input(0),
        taps,
        (options.stride_h, options.stride_w),
        options.padding,
        (options.dilation_h_factor, options.dilation_w_factor),
    )
    padded, refresh = window.bind_padded(image, 0.0, np.dtype(np.float64))
    refresh()
    return window, padded


def sum_transpose_conv(operation: Operation, image: Array, weights: Array) -> Array:
    """TRANSPOSE_CONV: [batch, height, width, filters]."""
    options = operation.node.options_as(TransposeConvOptions)
    filters, rows, columns, _ = weights.shape
    batch, height, width, _ = image.shape
    out_height, out_width = operation.output.shape[1:3]
    down, right = options.stride_h, options.stride_w
    reach = (height - 1) * down + rows, (width - 1) * right + columns
    sums = np.zeros((batch, max(reach[0], out_height), max(reach[1], out_width), filters))
    for row in range(rows):
        for column in range(columns):
            bottom, end = row + (height - 1) * down + 1, column + (width - 1) * right + 1
            sums[:, row:bottom:down, column:end:right] += image @ weights[:, row, column].T
    top = _cut(out_height, height, rows, down, options.padding)
    left = _cut(out_width, width, columns, right, options.padding)
    room = ((0, 0), (0, top), (0, left), (0, 0))
    return np.pad(sums, room)[:, top : top + out_height, left : left + out_width]


def _cut(output: int, size: int, taps: int, stride: int, padding: Padding) -> int:
    """The elements cut off before the first output: the padding of the convolution turned round."""
    span = output + stride - (1 if padding is Padding.SAME else taps)
    windows = span // stride
    return max(0, (windows - 1) * stride + taps - output) // 2


def sum_fully_connected(operation: Operation, rows: Array, weights: Array) -> Array:
    """FULLY_CONNECTED: the shape of the output, whose last axis are the units."""
    depth = weights.shape[-1]
    sums = rows.reshape(-1, depth) @ weights.reshape(-1, depth).T
    return sums.reshape(operation.output.shape)


def sum_batch_matmul(operation: Operation, left: Array, right: Array) -> Array:
    """BATCH_MATMUL: [..., rows, columns]."""
    options = operation.node.options_as(BatchMatMulOptions)
    if options.adj_x:
        left = left.swapaxes(-1, -2)
    if options.adj_y:
        right = right.swapaxes(-1, -2)
    return np.matmul(left, right)


def centered(tensor: Tensor) -> Array:
    """Stored values less the zero point, as float64; floats as they are."""
    values = tensor.values.astype(np.float64)
    return values - tensor.zero_point if tensor.dtype.kind in "iu" else values
