"""FULLY_CONNECTED: every output unit is the dot product of the input with one row of weights.

Shapes    input [..., depth], weights [units, depth], bias [units] -> output [..., units]
Types     float32; int8 with int8 or int4 weights and int32 bias; int16 with int8 weights and int32
          or int64 bias
Units     real = scale * (stored - zero point); int8 weights may have a scale per unit
Source    tflite-micro `micro/kernels/fully_connected_common.cc`, `fully_connected.cc`,
          `lite/kernels/internal/reference/fully_connected.h`, `integer_ops/fully_connected.h`

float32 sums have another order than TFLM's, whose difference grows with the number of summands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from tinyml_runtime.errors import NodeError
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
    input_limit,
    quantized_layer,
    when_first_used,
)
from tinyml_runtime.model.options import FullyConnectedOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
)
from tinyml_runtime.requantize import OutputRange
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, WEIGHTS, BIAS = 0, 1, 2
OUTPUT = 0

# How far apart, in output steps, TFLM lets the bias's scale and the product of the others be.
_BIAS_SCALE_TOLERANCE = 0.02

_WEIGHT_TYPES = {
    TensorType.FLOAT32: (TensorType.FLOAT32,),
    TensorType.INT8: (TensorType.INT8, TensorType.INT4),
    TensorType.INT16: (TensorType.INT8,),
}


@dataclass(frozen=True, slots=True)
class FullyConnectedData:
    """What `prepare` settles; `layer` is None where weights or bias are not constants."""

    batch: int
    depth: int
    units: int
    has_bias: bool
    clamp: tuple[float, float] | None
    weights_zero_point: int
    scaling: LayerScaling | None
    layer: Callable[[], QuantizedLayer] | None
    is_constant: bool


def prepare(context: PrepareContext, node: Node) -> FullyConnectedData:
    """Check the operands; lay out the weights and the scales."""
    options = node.options_as(FullyConnectedOptions)
    source = context.input(node, INPUT)
    weights = context.input(node, WEIGHTS)
    bias = context.optional_input(node, BIAS)
    output = context.output(node, OUTPUT)
    _check_types(source, weights, output)
    batch, units, depth = _shape(source, weights, output)
    check_bias(source, bias, units)
    constant = weights.is_constant and (bias is None or bias.is_constant)
    has_bias = bias is not None
    if source.type is TensorType.FLOAT32:
        clamp = float_range(options.fused_activation)
        return FullyConnectedData(batch, depth, units, has_bias, clamp, 0, None, None, constant)
    low, high = quantized_range(options.fused_activation, output)
    per_unit = len(weights.quantization.scales) > 1
    scaling = LayerScaling(
        input_zero_point=source.zero_point,
        input_limit=input_limit(source),
        real_factors=_unit_factors(source, weights, output)
        if per_unit
        else (_factor(source, weights, bias, output),),
        output=OutputRange(output.zero_point, low, high, 8 * output.dtype.itemsize),
        wide=accumulates_wide(source, bias, options.quantized_bias_type),
    )
    # Scales per unit are symmetric; a single one may come with a zero point from old converters.
    zero_point = 0 if per_unit else weights.zero_point
    data = FullyConnectedData(
        batch, depth, units, has_bias, None, zero_point, scaling, None, constant
    )
    if not constant:
        return data
    values = None if bias is None else bias.values
    return replace(data, layer=when_first_used(_layer, weights.values, values, scaling, data))


def bind(context: EvalContext, node: Node, data: FullyConnectedData) -> Callable[[], None]:
    """Multiply by the weights, add the bias, rescale or clamp, store."""
    source = context.input(node, INPUT).values.reshape(-1, data.depth)
    weights = context.input(node, WEIGHTS).values
    output = context.output(node, OUTPUT).values
    bias = context.input(node, BIAS).values if data.has_bias else None
    if data.scaling is None:
        return _bind_floats(source, weights, bias, output, data)
    if data.layer is not None:
        return _bind_integers(source, data.layer(), output)
    scaling = data.scaling
    return lambda: _bind_integers(source, _layer(weights, bias, scaling, data), output)()


def _bind_integers(source: Array, layer: QuantizedLayer, output: Array) -> Callable[[], None]:
    weights = layer.weights.T
    rows = np.empty(source.shape, weights.dtype)
    requantize = layer.requantizer.bind(output)

    def run() -> None:
        rows[...] = source
        # As `@`, at half its cost.
        requantize(rows.dot(weights))

    return run


def _bind_floats(
    source: Array, weights: Array, bias: Array | None, output: Array, data: FullyConnectedData
) -> Callable[[], None]:
    matrix = weights.reshape(-1, data.depth)[: data.units].T
    sums = output.reshape(-1, data.units)
    finish = bind_bias_and_clamp(sums, bias, data.clamp)

    def run() -> None:
        source.dot(matrix, sums)
        finish()

    return run


def _layer(
    weights: Array, bias: Array | None, scaling: LayerScaling, data: FullyConnectedData
) -> QuantizedLayer:
    matrix = weights.reshape(-1, data.depth)[: data.units]
    if data.weights_zero_point:
        matrix = matrix.astype(np.int64) - data.weights_zero_point
    return quantized_layer(matrix, bias, scaling, data.batch)


def _check_types(source: Tensor, weights: Tensor, output: Tensor) -> None:
    check(source.type is output.type, f"input is {source.type.name}, output {output.type.name}")
    if source.type not in _WEIGHT_TYPES:
        raise NodeError(f"Type {source.type.name} ({int(source.type)}) not supported.")
    check(
        weights.type in _WEIGHT_TYPES[source.type],
        f"Input type: {source.type.name} with filter type: {weights.type.name} not supported.",
        "convert the model with full integer quantization, or leave it in float32",
    )


def _shape(source: Tensor, weights: Tensor, output: Tensor) -> tuple[int, int, int]:
    """Batch, units and depth. Dimensions before the last two of the weights do not matter."""
    check(len(weights.shape) >= 2, f"the weights have {len(weights.shape)} dimensions, not 2")
    check(len(output.shape) >= 1, "the output is a scalar")
    depth, units = weights.shape[-1], output.shape[-1]
    check(depth > 0 and units > 0, f"the weights have shape {list(weights.shape)}")
    check(
        units == weights.shape[-2],
        f"the output has {units} units, the weights {weights.shape[-2]}",
    )
    batch = output.size // units
    check(
        source.size == batch * depth,
        f"the input has {source.size} elements, {batch} rows of {depth} are needed",
    )
    return batch, units, depth


def _unit_factors(source: Tensor, weights: Tensor, output: Tensor) -> tuple[float, ...]:
    check(weights.type is not TensorType.INT4, "INT4 weights cannot have a scale per unit")
    dimension = weights.quantization.dimension
    scales = len(weights.quantization.scales)
    check(
        0 <= dimension < len(weights.shape) and weights.shape[dimension] == scales,
        f"there are {scales} weight scales, which do not fit dimension {dimension}",
    )
    return channel_factors(source, weights, output, output.shape[-1])


def _factor(source: Tensor, weights: Tensor, bias: Tensor | None, output: Tensor) -> float:
    """The one factor: TFLM multiplies the scales of input and weights in float32."""
    check(output.scale > 0.0, "the output has no positive scale")
    if bias is not None:
        apart = abs(source.scale * weights.scale - bias.scale) / output.scale
        check(
            apart <= _BIAS_SCALE_TOLERANCE,
            "scale_diff / output_scale <= 0.02 was not true.",
            "the bias's scale must be the product of the scales of input and weights",
        )
    product = float(np.float32(source.scale) * np.float32(weights.scale))
    check(product >= 0.0, "input_product_scale >= 0 was not true.")
    return product / output.scale


FULLY_CONNECTED = Registration(
    BuiltinOperator.FULLY_CONNECTED,
    prepare,
    BindingEvaluate(bind),
    stacks=lambda data: data.is_constant,
)
