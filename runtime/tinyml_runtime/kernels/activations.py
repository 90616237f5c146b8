"""RELU, RELU6, LEAKY_RELU: activations as operators of their own.

Shapes    input of any shape -> output of the same shape
Types     float32, int8, int16; input and output alike
Units     real = scale * (stored - zero point); RELU and LEAKY_RELU rescale to the output's scale,
          RELU6 leaves values as they are and looks at the input's scale only
Source    tflite-micro `micro/kernels/activations.h`, `activations_common.cc`,
          `leaky_relu_common.cc`, `lite/kernels/internal/reference/leaky_relu.h`

The commit that we follow divides the scales of RELU and LEAKY_RELU as float32, builds of 2026-10 as
float64; we do as the latter. They differ in a few results, by one step.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    float32_ratio,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    scale_type,
)
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.unary import (
    UnaryData,
    evaluate_unary,
    tabulated,
    unary_operands,
    unary_stacks,
)
from tinyml_runtime.model.options import LeakyReluOptions
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

_ZERO, _SIX, _INFINITY = np.float32(0.0), np.float32(6.0), np.float32(np.inf)


def prepare_relu(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the rescaled input, cut off below the output's zero point."""
    source, output = _operands(context, node)
    if source.type is TensorType.FLOAT32:
        return UnaryData(_relu_floats, not source.is_constant)
    if source.type is TensorType.INT16:
        check(source.zero_point == output.zero_point == 0, "the zero point of an INT16 is not 0")
    check(output.scale > 0.0, "the output has no positive scale")
    number = scale_type()
    factor = quantize_multiplier(float(number(source.scale) / number(output.scale)))
    limits = np.iinfo(output.dtype)
    low = max(int(limits.min), output.zero_point)

    def relu(stored: Array) -> Array:
        centered = stored - source.zero_point
        scaled = multiply_by_quantized_multiplier(centered, factor.multiplier, factor.shift)
        return (scaled + output.zero_point).clip(low, limits.max)

    return tabulated(source, output, relu)


def prepare_relu6(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate a clamp to the stored forms of 0 and 6, without rescaling."""
    source, output = _operands(context, node)
    if source.type is TensorType.FLOAT32:
        return UnaryData(_relu6_floats, not source.is_constant)
    check(source.scale > 0.0, "the input has no positive scale")
    limits = np.iinfo(source.dtype)
    zero = source.zero_point
    six = math.floor(min(float32_ratio(6.0, source.scale), INT32_MAX) + 0.5) + zero
    six = min(max(six, int(limits.min)), int(limits.max))

    def relu6(stored: Array) -> Array:
        return np.where(stored > six, six, np.where(stored < zero, zero, stored))

    return tabulated(source, output, relu6)


def prepare_leaky_relu(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate two rescalings: one for values above the zero point, one times alpha below it."""
    check_counts(node, (1,))
    source, output = _operands(context, node)
    alpha = np.float32(node.options_as(LeakyReluOptions).alpha)
    if source.type is TensorType.FLOAT32:
        return UnaryData(partial(_leaky_relu_floats, alpha), not source.is_constant)
    check(output.scale > 0.0, "the output has no positive scale")
    number = scale_type()
    scale, to = number(source.scale), number(output.scale)
    above = quantize_multiplier(float(scale / to))
    below = quantize_multiplier(float(scale * number(alpha) / to))
    limits = np.iinfo(output.dtype)

    def leaky_relu(stored: Array) -> Array:
        centered = stored - source.zero_point
        positive = multiply_by_quantized_multiplier(centered, above.multiplier, above.shift)
        # A negative multiplier is applied as its magnitude, so that ties round the other way.
        negative = multiply_by_quantized_multiplier(centered, abs(below.multiplier), below.shift)
        negative = -negative if below.multiplier < 0 else negative
        scaled = np.where(centered >= 0, positive, negative) + output.zero_point
        return scaled.clip(limits.min, limits.max)

    return tabulated(source, output, leaky_relu)


def _operands(context: PrepareContext, node: Node) -> tuple[Tensor, Tensor]:
    source, output = unary_operands(context, node)
    check(
        source.type in (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16),
        f"Only float32/int8/int16 is supported currently, got {source.type.name}",
    )
    check_same_type(output, "output", source)
    return source, output


def _relu_floats(values: Array, out: Array) -> None:
    values.clip(_ZERO, _INFINITY, out=out)  # NumPy is slow at the maximum of an array and a scalar


def _relu6_floats(values: Array, out: Array) -> None:
    values.clip(_ZERO, _SIX, out=out)


def _leaky_relu_floats(alpha: np.float32, values: Array, out: Array) -> None:
    np.multiply(values, alpha, out=out)
    np.copyto(out, values, where=values > _ZERO)


RELU = Registration(BuiltinOperator.RELU, prepare_relu, evaluate_unary, unary_stacks)
RELU6 = Registration(BuiltinOperator.RELU6, prepare_relu6, evaluate_unary, unary_stacks)
LEAKY_RELU = Registration(
    BuiltinOperator.LEAKY_RELU, prepare_leaky_relu, evaluate_unary, unary_stacks
)
