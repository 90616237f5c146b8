"""ADD, SUB, MUL of two operands, with a fused clamp.

Shapes    two inputs that broadcast against each other -> output
Types     float32; int32 without scales; int8 and int16 with scales; inputs and output alike
Units     real = scale * (stored - zero point). Zero points of int16 may be any for ADD and SUB and
          must be 0 for MUL. int32 values are counts: ADD and SUB refuse scales, MUL ignores them
Source    tflite-micro `micro/kernels/add_common.cc`, `sub_common.cc`, `mul_common.cc`,
          `lite/kernels/internal/reference/add.h`, `sub.h`, `mul.h` and `integer_ops/`

An operator on int8 is a table of its results for all 65,536 pairs of values; for int16 see
`int16_arithmetic.py`.

The commit that we follow divides the scales of SUB as float32, builds of 2026-10 as
float64; we do as the latter. They differ in a few results, by one step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    quantize_multiplier,
    wrap_int32,
)
from tinyml_runtime.kernels.binding import Bindable
from tinyml_runtime.kernels.broadcast import (
    BroadcastData,
    Compute,
    Operands,
    broadcast,
    broadcast_operands,
    broadcast_stacks,
    evaluate_broadcast,
)
from tinyml_runtime.kernels.fused_activation import float_range, quantized_range
from tinyml_runtime.kernels.int16_arithmetic import (
    int16_product,
    int16_sum,
    rescale,
    sum_scaling,
)
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.pair_tables import tabulated_pairs
from tinyml_runtime.model.options import AddOptions, MulOptions, SubOptions
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

# The stored values of two operands, as int64, to the rescaled result before zero point and clamp.
Formula: TypeAlias = Callable[[Array, Array], Array]

_QUANTIZED = (TensorType.INT8, TensorType.INT16)
_TYPES = (TensorType.FLOAT32, TensorType.INT32, *_QUANTIZED)
_LARGEST_FLOAT = float(np.finfo(np.float32).max)


def prepare_add(context: PrepareContext, node: Node) -> BroadcastData:
    """Settle three rescalings: of both operands to twice the larger scale, of the sum from it."""
    operands = _operands(context, node)
    activation = node.options_as(AddOptions).fused_activation
    kind = operands.output.type
    if kind is TensorType.FLOAT32:
        return broadcast(operands, _clamped_floats(np.add, activation))
    if kind is TensorType.INT32:
        _check_without_scale(operands.first, operands.second)
        return broadcast(operands, _clamped_words(np.add, Activation.NONE))
    return broadcast(operands, _quantized_sum(operands, 1, activation))


def prepare_sub(context: PrepareContext, node: Node) -> BroadcastData:
    """Settle three rescalings as ADD does."""
    operands = _operands(context, node)
    activation = node.options_as(SubOptions).fused_activation
    kind = operands.output.type
    if kind is TensorType.FLOAT32:
        return broadcast(operands, _clamped_floats(np.subtract, activation))
    if kind is TensorType.INT32:
        _check_without_scale(operands.first, operands.second, operands.output)
        return broadcast(operands, _clamped_words(np.subtract, activation))
    return broadcast(operands, _quantized_sum(operands, -1, activation))


def prepare_mul(context: PrepareContext, node: Node) -> BroadcastData:
    """Settle the rescaling of the product."""
    check_counts(node, (2,))
    operands = _operands(context, node)
    activation = node.options_as(MulOptions).fused_activation
    kind = operands.output.type
    if kind is TensorType.FLOAT32:
        return broadcast(operands, _clamped_floats(np.multiply, activation))
    if kind is TensorType.INT32:
        return broadcast(operands, _clamped_words(np.multiply, activation))
    first, second, output = operands.first, operands.second, operands.output
    check(output.scale > 0.0, "the output has no positive scale")
    factor = quantize_multiplier(first.scale * second.scale / output.scale)
    if kind is TensorType.INT16:
        points = first.zero_point, second.zero_point, output.zero_point
        check(not any(points), "the zero point of an INT16 is not 0")
        return broadcast(operands, int16_product(output, activation, factor))

    def rescaled_product(x: Array, y: Array) -> Array:
        product = (x - first.zero_point) * (y - second.zero_point)
        return rescale(wrap_int32(product), factor)

    return broadcast(operands, _tabulated(operands, rescaled_product, activation))


def _operands(context: PrepareContext, node: Node) -> Operands:
    operands = broadcast_operands(context, node)
    kind = operands.output.type
    check(kind in _TYPES, f"Type {kind.name} ({int(kind)}) not supported.")
    return operands


def _check_without_scale(*tensors: Tensor) -> None:
    for tensor in tensors:
        check(not tensor.is_quantized, f"INT32 tensor '{tensor.name}' has a scale")


def _quantized_sum(operands: Operands, sign: int, activation: Activation) -> Compute:
    """The first operand plus or minus the second."""
    scaling = sum_scaling(operands)
    if operands.output.type is TensorType.INT16:
        return int16_sum(operands, scaling, sign, activation)

    def rescaled_sum(x: Array, y: Array) -> Array:
        total = scaling.first(x) + sign * scaling.second(y)
        return rescale(wrap_int32(total), scaling.factor)

    return _tabulated(operands, rescaled_sum, activation)


def _tabulated(operands: Operands, formula: Formula, activation: Activation) -> Compute:
    """The formula with zero point and clamp, as a table for int8."""
    output = operands.output
    low, high = quantized_range(activation, output)

    def clamped(x: Array, y: Array) -> Array:
        shifted = formula(x, y)
        shifted += output.zero_point
        return shifted.clip(low, high, out=shifted)

    return tabulated_pairs(clamped, output.dtype)


def _clamped_floats(operation: np.ufunc, activation: Activation) -> Compute:
    """TFLM clamps to the finite floats where no activation does, so that no infinity gets out."""
    limits = float_range(activation) or (-_LARGEST_FLOAT, _LARGEST_FLOAT)
    return _clamped(operation, np.float32(limits[0]), np.float32(limits[1]))


def _clamped_words(operation: np.ufunc, activation: Activation) -> Compute:
    limits = float_range(activation)
    if limits is None:
        return operation
    return _clamped(operation, np.int32(limits[0]), np.int32(min(limits[1], INT32_MAX)))


def _clamped(
    operation: np.ufunc, low: np.float32 | np.int32, high: np.float32 | np.int32
) -> Compute:
    limits = np.array(low), np.array(high)

    @Bindable
    def compute(first: Array, second: Array, out: Array) -> Callable[[], None]:
        def run() -> None:
            operation(first, second, out)
            out.clip(*limits, out)

        return run

    return compute


ADD = Registration(BuiltinOperator.ADD, prepare_add, evaluate_broadcast, broadcast_stacks)
SUB = Registration(BuiltinOperator.SUB, prepare_sub, evaluate_broadcast, broadcast_stacks)
MUL = Registration(BuiltinOperator.MUL, prepare_mul, evaluate_broadcast, broadcast_stacks)
