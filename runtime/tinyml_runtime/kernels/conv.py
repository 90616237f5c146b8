"""CONV_2D: every output is the sum of a window of the input times the weights of its channel.

Shapes    input [batch, height, width, channels], weights [filters, rows, columns, channels /
          groups], bias [filters] -> output [batch, output height, output width, filters]
Types     float32; int8 with int8 or int4 weights and int32 bias; int16 with int8 weights and int32
          or int64 bias
Units     real = scale * (stored - zero point); weights may have a scale per filter
Source    tflite-micro `micro/kernels/conv_common.cc`, `conv.cc`,
          `lite/kernels/internal/reference/conv.h` and `integer_ops/conv.h`

Windows are copied into rows (im2col) and multiplied by BLAS. float32 sums have another order than
TFLM's, whose difference grows with the number of summands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import numpy as np

from tinyml_runtime.kernels.fused_activation import (
    bind_bias_and_clamp,
    float_range,
    quantized_range,
)
from tinyml_runtime.kernels.quantized_layer import (
    LayerScaling,
    QuantizedLayer,
    accumulates_wide,
    channel_factors,
    check_bias,
    check_operand_types,
    check_weight_scales,
    input_limit,
    quantized_layer,
    when_first_used,
)
from tinyml_runtime.kernels.windows import Window, image_window
from tinyml_runtime.model.options import Conv2DOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
)
from tinyml_runtime.requantize import OutputRange
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, WEIGHTS, BIAS = 0, 1, 2
OUTPUT = 0

# Windows are copied in blocks of about this many elements, so that a block stays in cache.
_BLOCK_ELEMENTS = 2**18
# Fewer are copied to a place of their own; with more, memory that was just in use is faster.
_KEPT_ELEMENTS = 2**14

Multiply: TypeAlias = Callable[[Array | None], Array]


@dataclass(frozen=True, slots=True)
class ConvData:
    """What `prepare` settles; `layer` is None where weights or bias are not constants."""

    window: Window
    groups: int
    filters: int
    has_bias: bool
    is_constant: bool
    clamp: tuple[float, float] | None
    scaling: LayerScaling | None
    layer: Callable[[], QuantizedLayer] | None


def prepare(context: PrepareContext, node: Node) -> ConvData:
    """Check the operands; lay out the windows, the weights and the scales."""
    options = node.options_as(Conv2DOptions)
    source = context.input(node, INPUT)
    weights = context.input(node, WEIGHTS)
    bias = context.optional_input(node, BIAS)
    output = context.output(node, OUTPUT)
    check(len(node.inputs) in (2, 3), f"there are {len(node.inputs)} inputs, not 2 or 3")
    check_operand_types(source, weights, output)
    groups = _groups(source, weights)
    filters, *taps, _ = weights.shape
    window = image_window(
        source,
        (taps[0], taps[1]),
        (options.stride_h, options.stride_w),
        options.padding,
        (options.dilation_h_factor, options.dilation_w_factor),
    )
    check_shape(
        output, "output 0", (source.shape[0], window.rows.outputs, window.columns.outputs, filters)
    )
    check_bias(source, bias, filters)
    constant = weights.is_constant and (bias is None or bias.is_constant)
    has_bias = bias is not None
    if source.type is TensorType.FLOAT32:
        clamp = float_range(options.fused_activation)
        return ConvData(window, groups, filters, has_bias, constant, clamp, None, None)
    check_weight_scales(weights, filters, axis=0)
    low, high = quantized_range(options.fused_activation, output)
    is_int8 = source.type is TensorType.INT8
    scaling = LayerScaling(
        # TFLM's int16 convolution has no zero points.
        input_zero_point=source.zero_point if is_int8 else 0,
        input_limit=input_limit(source),
        real_factors=channel_factors(source, weights, output, filters),
        output=OutputRange(output.zero_point if is_int8 else 0, low, high, 8 if is_int8 else 16),
        wide=accumulates_wide(source, bias, options.quantized_bias_type),
    )
    layer = None
    if constant:
        values = None if bias is None else bias.values
        layer = when_first_used(_layer, weights.values, values, scaling, window, groups)
    return ConvData(window, groups, filters, has_bias, constant, None, scaling, layer)


def bind(context: EvalContext, node: Node, data: ConvData) -> Callable[[], None]:
    """Copy windows into rows, multiply by the weights, add the bias, rescale or clamp, store."""
    source = context.input(node, INPUT).values
    weights = context.input(node, WEIGHTS).values
    output = context.output(node, OUTPUT).values.reshape(-1, data.filters)
    bias = context.input(node, BIAS).values if data.has_bias else None
    if data.scaling is None:
        return _bind_floats(source, weights, bias, output, data)
    if data.layer is not None:
        return _bind_integers(source, data.layer(), data.scaling.input_zero_point, output, data)
    return partial(_make_and_run, source, weights, bias, output, data, data.scaling)


def _make_and_run(
    source: Array,
    weights: Array,
    bias: Array | None,
    output: Array,
    data: ConvData,
    scaling: LayerScaling,
) -> None:
    layer = _layer(weights, bias, scaling, data.window, data.groups)
    _bind_integers(source, layer, scaling.input_zero_point, output, data)()


def _bind_integers(
    source: Array, layer: QuantizedLayer, fill: int, output: Array, data: ConvData
) -> Callable[[], None]:
    padded, refresh = data.window.bind_padded(source, fill, layer.weights.dtype)
    steps = [
        (_bind_products(windows, layer.weights, data), layer.requantizer.bind(output[part]))
        for part, windows in _blocks(padded, data)
    ]

    def run() -> None:
        refresh()
        for multiply, requantize in steps:
            requantize(multiply(None))

    return run


def _bind_floats(
    source: Array, weights: Array, bias: Array | None, output: Array, data: ConvData
) -> Callable[[], None]:
    padded, refresh = data.window.bind_padded(source, 0.0, np.dtype(np.float32))
    matrix = weights.reshape(data.filters, -1)
    steps = [
        (
            output[part],
            _bind_products(windows, matrix, data),
            bind_bias_and_clamp(output[part], bias, data.clamp),
        )
        for part, windows in _blocks(padded, data)
    ]

    def run() -> None:
        refresh()
        for rows, multiply, finish in steps:
            multiply(rows)
            finish()

    return run


def _layer(
    weights: Array, bias: Array | None, scaling: LayerScaling, window: Window, groups: int
) -> QuantizedLayer:
    matrix = weights.reshape(weights.shape[0], -1)
    depth = matrix.shape[1] * groups
    whole = window.is_pointwise or _lines(window, depth) >= window.rows.outputs
    rows = window.outputs if whole else window.columns.outputs
    return quantized_layer(matrix, bias, scaling, rows)


def _groups(source: Tensor, weights: Tensor) -> int:
    check(len(source.shape) == 4, f"the input has {len(source.shape)} dimensions, not 4")
    check(len(weights.shape) == 4, f"the weights have {len(weights.shape)} dimensions, not 4")
    channels, depth, filters = source.shape[3], weights.shape[3], weights.shape[0]
    check(
        depth > 0 and channels >= depth and channels % depth == 0,
        f"input channels {channels} are no multiple of the weights' {depth}",
    )
    groups = channels // depth
    check(
        filters >= groups and filters % groups == 0,
        f"{filters} filters do not spread over {groups} groups",
    )
    return groups


def _lines(window: Window, depth: int) -> int:
    """How many lines of windows, each window `depth` elements, make up a block."""
    return max(1, _BLOCK_ELEMENTS // max(1, window.columns.outputs * depth))


def _blocks(padded: Array, data: ConvData) -> Iterator[tuple[slice, Array]]:
    """Windows in blocks, as views of the image, each with the output rows that it gives."""
    window = data.window
    if window.is_pointwise:
        yield slice(None), padded
        return
    view = window.view(padded)
    batch, height, width = view.shape[:3]
    lines = _lines(window, window.taps * padded.shape[3])
    if lines >= height:
        images = lines // height
        for first in range(0, batch, images):
            last = min(first + images, batch)
            part = slice(first * height * width, last * height * width)
            yield part, view[first:last]
        return
    for image in range(batch):
        for first in range(0, height, lines):
            last = min(first + lines, height)
            start = image * height * width
            part = slice(start + first * width, start + last * width)
            yield part, view[image, first:last]


def _bind_products(windows: Array, weights: Array, data: ConvData) -> Multiply:
    """Sums of products, shape [rows, filters], as a function of where to put them (or None)."""
    if data.groups > 1:
        return partial(_grouped_products, windows, weights, data)
    depth = data.window.taps * windows.shape[-1]
    transposed = weights.T
    rows: Array = windows.reshape(-1, depth)
    if np.may_share_memory(rows, windows):
        return lambda out: rows.dot(transposed, out)
    if windows.size > _KEPT_ELEMENTS:
        return lambda out: windows.reshape(-1, depth).dot(transposed, out)
    spread = rows.reshape(windows.shape)

    def multiply(out: Array | None) -> Array:
        spread[...] = windows
        return rows.dot(transposed, out)

    return multiply


def _grouped_products(windows: Array, weights: Array, data: ConvData, out: Array | None) -> Array:
    """Windows as one matrix a group, [groups, rows, depth of a group], times those of weights."""
    groups = data.groups
    split = windows.reshape(-1, data.window.taps, groups, windows.shape[-1] // groups)
    columns = np.ascontiguousarray(split.transpose(2, 0, 1, 3)).reshape(groups, len(split), -1)
    matrices = weights.reshape(groups, -1, weights.shape[1])
    sums = (columns @ matrices.transpose(0, 2, 1)).transpose(1, 0, 2).reshape(len(split), -1)
    if out is not None:
        out[...] = sums
    return sums


CONV_2D = Registration(
    BuiltinOperator.CONV_2D, prepare, BindingEvaluate(bind), stacks=lambda data: data.is_constant
)
