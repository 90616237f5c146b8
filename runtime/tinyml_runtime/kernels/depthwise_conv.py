"""DEPTHWISE_CONV_2D: every channel is convolved by itself, with one or more filters.

Shapes    input [batch, height, width, channels], weights [1, rows, columns, channels * multiplier],
          bias [channels * multiplier] -> output [batch, output height, output width, channels *
          multiplier]
Types     float32; int8 with int8 or int4 weights and int32 bias; int16 with int8 weights and int64
          bias
Units     real = scale * (stored - zero point); weights may have a scale per output channel
Source    tflite-micro `micro/kernels/depthwise_conv_common.cc`, `depthwise_conv.cc`,
          `lite/kernels/internal/reference/depthwiseconv_float.h`, `integer_ops/depthwise_conv.h`

Windows are multiplied and summed line by line: the columns of the image are first sorted by their
remainder modulo the stride (their phase), so that every position of the window reads neighbouring
columns, and a line of outputs is one long row to NumPy. An input of one channel is a matrix product
instead.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from tinyml_runtime.kernels.fused_activation import (
    bind_bias_and_clamp,
    float_range,
    quantized_range,
)
from tinyml_runtime.kernels.quantized_layer import (
    LayerScaling,
    QuantizedLayer,
    channel_factors,
    check_bias,
    check_operand_types,
    check_weight_scales,
    input_limit,
    quantized_layer,
    when_first_used,
)
from tinyml_runtime.kernels.windows import Window, image_window
from tinyml_runtime.model.options import DepthwiseConv2DOptions
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


@dataclass(frozen=True, slots=True)
class PhaseTaps:
    """The positions of the window that read columns of one phase, `step` groups apart.

    `weights` [rows, columns of this phase, output width * channels] repeats them for all outputs.
    """

    phase: int
    first: int
    step: int
    weights: Array


@dataclass(frozen=True, slots=True)
class DepthwiseConvData:
    """What `prepare` settles; `layer` is None where weights or bias are not constants."""

    window: Window
    channels: int
    multiplier: int
    has_bias: bool
    is_constant: bool
    clamp: tuple[float, float] | None
    scaling: LayerScaling | None
    layer: Callable[[], QuantizedLayer] | None
    taps: Callable[[], tuple[PhaseTaps, ...]] | None


def prepare(context: PrepareContext, node: Node) -> DepthwiseConvData:
    """Check the operands; lay out the windows, the weights and the scales."""
    options = node.options_as(DepthwiseConv2DOptions)
    source = context.input(node, INPUT)
    weights = context.input(node, WEIGHTS)
    bias = context.optional_input(node, BIAS)
    output = context.output(node, OUTPUT)
    check(len(node.inputs) in (2, 3), f"there are {len(node.inputs)} inputs, not 2 or 3")
    check_operand_types(source, weights, output)
    multiplier = _depth_multiplier(source, weights, options)
    channels = weights.shape[3]
    window = image_window(
        source,
        (weights.shape[1], weights.shape[2]),
        (options.stride_h, options.stride_w),
        options.padding,
        (options.dilation_h_factor, options.dilation_w_factor),
    )
    check_shape(
        output, "output 0", (source.shape[0], window.rows.outputs, window.columns.outputs, channels)
    )
    check_bias(source, bias, channels)
    check(
        source.type is not TensorType.INT16 or bias is None or bias.type is TensorType.INT64,
        "the bias of an INT16 depthwise convolution must be INT64",
    )
    constant = weights.is_constant and (bias is None or bias.is_constant)
    has_bias = bias is not None
    if source.type is TensorType.FLOAT32:
        clamp = float_range(options.fused_activation)
        taps = None
        if weights.is_constant:
            taps = when_first_used(_phase_taps, weights.values, window)
        return DepthwiseConvData(
            window, channels, multiplier, has_bias, constant, clamp, None, None, taps
        )
    check_weight_scales(weights, channels, axis=3)
    scaling = _scaling(source, weights, output, channels, options)
    layer = taps = None
    if constant:
        values = None if bias is None else bias.values
        layer = when_first_used(_layer, weights.values, values, scaling, window)
        taps = when_first_used(_taps_of, layer, window)
    return DepthwiseConvData(
        window, channels, multiplier, has_bias, constant, None, scaling, layer, taps
    )


def _scaling(
    source: Tensor,
    weights: Tensor,
    output: Tensor,
    channels: int,
    options: DepthwiseConv2DOptions,
) -> LayerScaling:
    low, high = quantized_range(options.fused_activation, output)
    is_int8 = source.type is TensorType.INT8
    return LayerScaling(
        # TFLM's int16 convolution has no zero points.
        input_zero_point=source.zero_point if is_int8 else 0,
        input_limit=input_limit(source),
        real_factors=channel_factors(source, weights, output, channels),
        output=OutputRange(output.zero_point if is_int8 else 0, low, high, 8 if is_int8 else 16),
        wide=not is_int8,
    )


def bind(context: EvalContext, node: Node, data: DepthwiseConvData) -> Callable[[], None]:
    """Add up the products of every window position, add the bias, rescale or clamp, store."""
    source = context.input(node, INPUT).values
    weights = context.input(node, WEIGHTS).values
    output = context.output(node, OUTPUT).values
    bias = context.input(node, BIAS).values if data.has_bias else None
    if data.scaling is None:
        if data.taps is not None:
            return _bind_floats(source, weights, bias, output, data)
        return lambda: _bind_floats(source, weights, bias, output, data)()
    if data.layer is not None:
        return _bind_integers(source, data.layer(), data.scaling.input_zero_point, output, data)
    return partial(_make_and_run, source, weights, bias, output, data, data.scaling)


def _make_and_run(
    source: Array,
    weights: Array,
    bias: Array | None,
    output: Array,
    data: DepthwiseConvData,
    scaling: LayerScaling,
) -> None:
    layer = _layer(weights, bias, scaling, data.window)
    _bind_integers(source, layer, scaling.input_zero_point, output, data)()


def _bind_integers(
    source: Array, layer: QuantizedLayer, fill: int, output: Array, data: DepthwiseConvData
) -> Callable[[], None]:
    add_up = _bind_sums(source, fill, layer.weights.T, data)
    requantize = layer.requantizer.bind(output)
    return lambda: requantize(add_up())


def _bind_floats(
    source: Array, weights: Array, bias: Array | None, output: Array, data: DepthwiseConvData
) -> Callable[[], None]:
    add_up = _bind_sums(source, 0.0, weights, data)
    finish = bind_bias_and_clamp(output, bias, data.clamp)

    def run() -> None:
        output[...] = add_up().reshape(output.shape)
        finish()

    return run


def _depth_multiplier(source: Tensor, weights: Tensor, options: DepthwiseConv2DOptions) -> int:
    check(len(source.shape) == 4, f"the input has {len(source.shape)} dimensions, not 4")
    check(len(weights.shape) == 4, f"the weights have {len(weights.shape)} dimensions, not 4")
    inputs, outputs = source.shape[3], weights.shape[3]
    check(weights.shape[0] == 1, f"dimension 0 of the weights is {weights.shape[0]}, not 1")
    multiplier = options.depth_multiplier
    check(
        0 < outputs == inputs * multiplier,
        f"{outputs} output channels are not {inputs} input channels times {multiplier}",
    )
    return multiplier


def _layer(
    weights: Array, bias: Array | None, scaling: LayerScaling, window: Window
) -> QuantizedLayer:
    return quantized_layer(weights.reshape(-1, weights.shape[-1]).T, bias, scaling, window.outputs)


def _taps_of(layer: Callable[[], QuantizedLayer], window: Window) -> tuple[PhaseTaps, ...]:
    return _phase_taps(layer().weights.T, window)


def _phase_taps(weights: Array, window: Window) -> tuple[PhaseTaps, ...]:
    """The window's positions by the phase of the columns that they read."""
    rows, columns = window.rows, window.columns
    grid = weights.reshape(rows.taps, columns.taps, -1)
    # Every so many positions of the window, the phase is the same again.
    period = columns.stride // math.gcd(columns.stride, columns.dilation)
    found: list[PhaseTaps] = []
    for column in range(min(period, columns.taps)):
        first, phase = divmod(column * columns.dilation, columns.stride)
        repeated = np.tile(grid[:, column::period], (1, 1, columns.outputs))
        step = columns.dilation * period // columns.stride
        found.append(PhaseTaps(phase, first, step, repeated))
    return tuple(found)


def _bind_sums(
    source: Array, fill: float, weights: Array, data: DepthwiseConvData
) -> Callable[[], Array]:
    """Sums of products in the weights' type, in the order of the output, as a function."""
    window = data.window
    if source.shape[3] == 1:
        padded, refresh = window.bind_padded(source, fill, weights.dtype)
        view = window.view(padded)
        matrix = weights.reshape(window.taps, -1)

        def multiply() -> Array:
            refresh()
            return view.reshape(-1, window.taps).dot(matrix)

        return multiply
    phases, refresh = _bind_phases(source, fill, weights.dtype, data)
    taps = _phase_taps(weights, window) if data.taps is None else data.taps()
    first, *others = [_bind_phase_sums(phases, part, data) for part in taps]

    def add_up() -> Array:
        refresh()
        sums = first()
        for add_up_phase in others:
            sums += add_up_phase()
        return sums

    return add_up


def _bind_phase_sums(
    phases: Array, taps: PhaseTaps, data: DepthwiseConvData
) -> Callable[[], Array]:
    """Sums over the positions of one phase, [batch, output height, output width * channels]."""
    rows = data.window.rows
    _, batch, _, _ = phases.shape
    along_phase, along_batch, along_row, along_column = phases.strides
    height, width, line = taps.weights.shape
    group = along_column * data.channels
    view = np.ndarray(
        (batch, rows.outputs, height, width, line),
        phases.dtype,
        phases,
        taps.phase * along_phase + taps.first * group,
        (
            along_batch,
            along_row * rows.stride,
            along_row * rows.dilation,
            group * taps.step,
            along_column,
        ),
    )
    if batch * data.window.outputs > 1:
        return lambda: np.einsum("nyrcx,rcx->nyx", view, taps.weights)
    only = view[0, 0]
    products = np.empty(only.shape, phases.dtype)
    by_position = products.reshape(-1, line)
    ones = np.ones(len(by_position), phases.dtype)

    def add_up() -> Array:
        np.multiply(only, taps.weights, products)
        # A sum, at a third of its cost.
        return ones.dot(by_position)

    return add_up


def _bind_phases(
    source: Array, fill: float, dtype: np.dtype[np.floating], data: DepthwiseConvData
) -> tuple[Array, Callable[[], None]]:
    """The padded image, columns sorted by remainder modulo the stride, one output channel each.

    Shape [stride, batch, padded height, padded width / stride * channels]; and the function that
    brings it up to date with the image.
    """
    rows, columns = data.window.rows, data.window.columns
    batch, height = source.shape[:2]
    stride = columns.stride
    groups = columns.outputs + (columns.reach - 1) // stride
    tall = rows.before + height + rows.after
    phases = np.full((stride, batch, tall, groups, data.channels), fill, dtype)
    by_channel = phases.reshape(*phases.shape[:-1], -1, data.multiplier)
    copies: list[tuple[Array, Array]] = []
    for phase in range(stride):
        # Column x of the image lies at padded column x + before = group * stride + phase.
        first = (phase - columns.before) % stride
        group = (first + columns.before) // stride
        seen = source[:, :, first::stride]
        room = min(seen.shape[2], groups - group)
        if room > 0:
            inside = by_channel[phase, :, rows.before : rows.before + height, group : group + room]
            copies.append((inside, seen[:, :, :room, :, np.newaxis]))

    def refresh() -> None:
        for inside, seen in copies:
            inside[...] = seen

    return phases.reshape(stride, batch, tall, groups * data.channels), refresh


DEPTHWISE_CONV_2D = Registration(
    BuiltinOperator.DEPTHWISE_CONV_2D,
    prepare,
    BindingEvaluate(bind),
    stacks=lambda data: data.is_constant,
)
