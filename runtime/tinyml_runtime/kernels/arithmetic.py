"""ADD, SUB, MUL of two operands, with a fused clamp.

Shapes    two inputs that broadcast against each other -> output
Types     float32; int32 without scales; int8 and int16 with scales; inputs and output alike
Units     real = scale * (stored - zero point). Zero points of int16 may be any for ADD and SUB and
          must be 0 for MUL. int32 values are counts: ADD and SUB refuse scales, MUL ignores them
Source    tflite-micro `micro/kernels/add_common.cc`, `sub_common.cc`, `mul_common.cc`,
          `lite/kernels/internal/reference/add.h`, `sub.h`, `mul.h` and `integer_ops/`

An operator on int8 is a table of its results for all 65,536 pairs of values.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    FixedPoint,
    float32_ratio,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multiplier_below_one,
    wrap_int32,
)
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
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.model.options import AddOptions, MulOptions, SubOptions
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

# The stored values of two operands, as int64, to the rescaled result before zero point and clamp.
Formula: TypeAlias = Callable[[Array, Array], Array]

_QUANTIZED = (TensorType.INT8, TensorType.INT16)
_TYPES = (TensorType.FLOAT32, TensorType.INT32, *_QUANTIZED)
# Operands are shifted left before they are rescaled, as far as 32 bits allow, to keep precision.
_LEFT_SHIFT = {TensorType.INT8: 20, TensorType.INT16: 15}
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
    check(operands.output.is_quantized, "the output has no scale")
    first, second = operands.first.scale, operands.second.scale
    unit = 2.0 * max(first, second)
    check(unit > 0.0 < operands.output.scale, "a scale is not positive")
    unshifted = 2 ** _LEFT_SHIFT[kind] * operands.output.scale
    factors = first / unit, second / unit, unit / unshifted
    formula = _rescaled_sum(operands, factors, negate=False)
    return broadcast(operands, _quantized(operands, formula, activation))


def prepare_sub(context: PrepareContext, node: Node) -> BroadcastData:
    """Settle three rescalings as ADD does, but from scales that are divided as float32."""
    operands = _operands(context, node)
    activation = node.options_as(SubOptions).fused_activation
    kind = operands.output.type
    if kind is TensorType.FLOAT32:
        return broadcast(operands, _clamped_floats(np.subtract, activation))
    if kind is TensorType.INT32:
        _check_without_scale(operands.first, operands.second, operands.output)
        return broadcast(operands, _clamped_words(np.subtract, activation))
    first, second = operands.first.scale, operands.second.scale
    unit = 2.0 * max(first, second)
    check(unit > 0.0 < operands.output.scale, "a scale is not positive")
    unshifted = 2 ** _LEFT_SHIFT[kind] * operands.output.scale
    factors = (
        float32_ratio(first, unit),
        float32_ratio(second, unit),
        float32_ratio(unit, unshifted),
    )
    formula = _rescaled_sum(operands, factors, negate=True)
    return broadcast(operands, _quantized(operands, formula, activation))


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
    if kind is TensorType.INT16:
        points = first.zero_point, second.zero_point, output.zero_point
        check(not any(points), "the zero point of an INT16 is not 0")
    check(output.scale > 0.0, "the output has no positive scale")
    factor = quantize_multiplier(first.scale * second.scale / output.scale)

    def rescaled_product(x: Array, y: Array) -> Array:
        product = (x - first.zero_point) * (y - second.zero_point)
        return _rescale(wrap_int32(product), factor)

    return broadcast(operands, _quantized(operands, rescaled_product, activation))


def _operands(context: PrepareContext, node: Node) -> Operands:
    operands = broadcast_operands(context, node)
    kind = operands.output.type
    check(kind in _TYPES, f"Type {kind.name} ({int(kind)}) not supported.")
    return operands


def _check_without_scale(*tensors: Tensor) -> None:
    for tensor in tensors:
        check(not tensor.is_quantized, f"INT32 tensor '{tensor.name}' has a scale")


def _rescaled_sum(
    operands: Operands, factors: tuple[float, float, float], *, negate: bool
) -> Formula:
    """The sum or difference; factors are those of the two operands and of the result."""
    left_shift = _LEFT_SHIFT[operands.output.type]
    first, second, result = (quantize_multiplier_below_one(factor) for factor in factors)

    def rescaled_sum(x: Array, y: Array) -> Array:
        scaled_x = _rescale(wrap_int32((x - operands.first.zero_point) << left_shift), first)
        scaled_y = _rescale(wrap_int32((y - operands.second.zero_point) << left_shift), second)
        total = scaled_x - scaled_y if negate else scaled_x + scaled_y
        return _rescale(wrap_int32(total), result)

    return rescaled_sum


def _rescale(values: Array, factor: FixedPoint) -> Array:
    return multiply_by_quantized_multiplier(values, factor.multiplier, factor.shift)


def _quantized(operands: Operands, formula: Formula, activation: Activation) -> Compute:
    """The formula with zero point and clamp: as a table for int8, as it is for int16."""
    output = operands.output
    low, high = quantized_range(activation, output)

    def clamped(x: Array, y: Array) -> Array:
        shifted = formula(x.astype(np.int64), y.astype(np.int64)) + output.zero_point
        return np.minimum(np.maximum(shifted, low), high)

    if output.type is TensorType.INT8:
        values = np.arange(2**8, dtype=np.uint8).view(np.int8)
        table = clamped(values[:, np.newaxis], values).astype(np.int8)
        return partial(_look_up_pairs, table.reshape(-1))

    def compute(first: Array, second: Array, out: Array) -> None:
        np.copyto(out, clamped(first, second), casting="unsafe")

    return compute


def _look_up_pairs(table: Array, first: Array, second: Array, out: Array) -> None:
    pairs = first.view(np.uint8).astype(np.uint16)
    pairs <<= 8
    table.take(np.bitwise_or(pairs, second.view(np.uint8)), None, out, "wrap")


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
    def compute(first: Array, second: Array, out: Array) -> None:
        operation(first, second, out)
        np.maximum(out, low, out=out)
        np.minimum(out, high, out=out)

    return compute


ADD = Registration(BuiltinOperator.ADD, prepare_add, evaluate_broadcast, broadcast_stacks)
SUB = Registration(BuiltinOperator.SUB, prepare_sub, evaluate_broadcast, broadcast_stacks)
MUL = Registration(BuiltinOperator.MUL, prepare_mul, evaluate_broadcast, broadcast_stacks)
