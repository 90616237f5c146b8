"""Rules of layers: CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED, BATCH_MATMUL.

An accumulator is the sum of products of a window with the weights, plus the bias. Runtimes agree on
that as long as nothing overflows; they part where it is rescaled, or added up in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from tinyml_runtime.comparison.rules.floats import summation_rule
from tinyml_runtime.comparison.rules.multiplying import AS_TFLM, WIDTH, Factors, Multiply
from tinyml_runtime.comparison.rules.rescaled import Rescaled, rescaling_rules, usual_rules
from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.comparison.rules.sums import (
    centered,
    sum_batch_matmul,
    sum_conv,
    sum_depthwise,
    sum_fully_connected,
    sum_transpose_conv,
)
from tinyml_runtime.fixed_point import wrap_int32
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, TensorType

PER_TENSOR = (
    "per-tensor-scale",
    "takes the first scale of the weights for every channel",
)
OVERFLOW = (
    "accumulator-overflow",
    "adds up in an accumulator that overflows",
)
_INT16 = 2**15


@dataclass(frozen=True, slots=True)
class Layer:
    """Which inputs a layer multiplies (and adds), and how it adds products up."""

    add_up: Callable[[Operation, Array, Array], Array]
    data: int = 0
    weights: int = 1
    bias: int | None = 2


LAYERS = {
    "CONV_2D": Layer(sum_conv),
    "DEPTHWISE_CONV_2D": Layer(sum_depthwise),
    "FULLY_CONNECTED": Layer(sum_fully_connected),
    "TRANSPOSE_CONV": Layer(sum_transpose_conv, data=2, bias=3),
    "BATCH_MATMUL": Layer(sum_batch_matmul, bias=None),
}


def layer_rules(operation: Operation) -> Iterator[Rule]:
    """The rules that may explain a layer, integers or floats."""
    layer = LAYERS[operation.node.operator]
    data, weights = operation.input(layer.data), operation.input(layer.weights)
    if data.dtype.kind == "f":
        if weights.dtype.kind == "f":
            yield _float_rule(operation, layer)
        return
    sums = cache(partial(_accumulators, operation, layer))
    factors = Factors.ratio([data.scale, _weight_scales(weights)], operation.output.scale)
    wide = _is_wide(operation, layer)
    activation = getattr(operation.node.options, "fused_activation", Activation.NONE)

    def rescale(own: Factors, is_wide: bool, accumulate: Callable[[], Array]) -> Rescaled:
        def formula(multiply: Multiply) -> Array:
            return multiply(accumulate(), own, wide=is_wide)

        return Rescaled.to(operation.output, formula, activation)

    usual = rescale(factors, wide, sums)
    yield from rescaling_rules(usual)
    if data.type is TensorType.INT16:
        yield Rule(*WIDTH, partial(rescale(factors, not wide, sums).values, AS_TFLM))
    for overflow in (_wrap_int32, _wrap_int16, _saturate_int16):
        narrow = rescale(factors, wide, partial(_overflowing, overflow, sums))
        yield from usual_rules(*OVERFLOW, narrow)
    if factors.exact.size > 1:
        yield from usual_rules(*PER_TENSOR, rescale(factors.first(), wide, sums))


def _accumulators(operation: Operation, layer: Layer) -> Array:
    """Exact sums and bias, int64 [..., channels]."""
    data, weights = operation.input(layer.data), operation.input(layer.weights)
    # Scales per channel are symmetric, whatever the file says of their zero points.
    is_symmetric = len(weights.quantization.scales) > 1
    values = weights.values.astype(np.float64) if is_symmetric else centered(weights)
    sums = layer.add_up(operation, centered(data), values).astype(np.int64)
    bias = _bias(operation, layer)
    return sums if bias is None else sums + bias.values.reshape(-1).astype(np.int64)


def _float_rule(operation: Operation, layer: Layer) -> Rule:
    data, weights = operation.input(layer.data), operation.input(layer.weights)
    bias = _bias(operation, layer)

    def add_up(read: Callable[[Array], Array]) -> Array:
        first, second = (read(tensor.values.astype(np.float64)) for tensor in (data, weights))
        sums = layer.add_up(operation, first, second)
        return sums if bias is None else sums + read(bias.values.astype(np.float64)).reshape(-1)

    terms = 2 + weights.size // max(1, operation.output.shape[-1])
    return summation_rule(operation, add_up, terms)


def _bias(operation: Operation, layer: Layer) -> Tensor | None:
    return None if layer.bias is None else operation.optional_input(layer.bias)


def _weight_scales(weights: Tensor) -> Array:
    return np.asarray(weights.quantization.scales or (0.0,), np.float64)


def _is_wide(operation: Operation, layer: Layer) -> bool:
    """Whether TFLM accumulates in 64 bits: int16 inputs, unless the bias says 32."""
    if operation.input(layer.data).type is not TensorType.INT16 or layer.bias is None:
        return False
    bias = _bias(operation, layer)
    if bias is None:
        options = operation.node.options
        kind = getattr(options, "quantized_bias_type", TensorType.FLOAT32)
        return kind is not TensorType.INT32
    return bias.type is not TensorType.INT32


def _overflowing(overflow: Callable[[Array], Array], sums: Callable[[], Array]) -> Array:
    return overflow(sums())


def _wrap_int32(values: Array) -> Array:
    return wrap_int32(values)


def _wrap_int16(values: Array) -> Array:
    return (values + _INT16) % (2 * _INT16) - _INT16


def _saturate_int16(values: Array) -> Array:
    return values.clip(-_INT16, _INT16 - 1)
