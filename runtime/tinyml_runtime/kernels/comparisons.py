"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL of two operands.

Shapes    two inputs that broadcast against each other -> bool output
Types     float32, int32, int64, int8 with scales; EQUAL and NOT_EQUAL also bool; inputs alike
Units     int8: real values are compared, after both were rescaled to fixed point with 8 more bits,
          so that values closer than that are equal
Source    tflite-micro `micro/kernels/comparisons.cc`,
          `lite/kernels/internal/reference/comparisons.h`

GREATER also takes int16, for which TFLM settles no scales: in memory that was zero, as it is on
start, it multiplies both operands by 0, and no element is greater.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier_below_one,
)
from tinyml_runtime.kernels.broadcast import (
    FIRST,
    OUTPUT,
    SECOND,
    BroadcastData,
    Operands,
    broadcast,
    broadcast_stacks,
    evaluate_broadcast,
)
from tinyml_runtime.kernels.operands import check_same_type
from tinyml_runtime.kernels.pair_tables import tabulated_pairs
from tinyml_runtime.registration import Node, PrepareContext, Registration, check, check_type
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

_PLAIN = (TensorType.FLOAT32, TensorType.INT32, TensorType.INT64)
_LEFT_SHIFT = 8


def prepare(
    operation: np.ufunc, others: tuple[TensorType, ...], context: PrepareContext, node: Node
) -> BroadcastData:
    """Check types and shapes; `others` are the types beside those that all comparisons take."""
    first, second = context.input(node, FIRST), context.input(node, SECOND)
    output = context.output(node, OUTPUT)
    kind = first.type
    check(
        kind in _PLAIN or kind is TensorType.INT8 or kind in others,
        f"Type {kind.name} ({int(kind)}) not supported.",
    )
    check_same_type(second, "the second input", first)
    check_type(output, "the output", TensorType.BOOL)
    operands = Operands(first, second, output)
    if kind is TensorType.INT8:
        return broadcast(operands, _tabulated(operation, first, second))
    if kind is TensorType.INT16:
        return broadcast(operands, _nowhere)
    return broadcast(operands, operation)


def _tabulated(
    operation: np.ufunc, first: Tensor, second: Tensor
) -> Callable[[Array, Array, Array], object]:
    rescale_first, rescale_second = _rescaling(first), _rescaling(second)

    def formula(x: Array, y: Array) -> Array:
        return operation(rescale_first(x), rescale_second(y))

    return tabulated_pairs(formula, np.dtype(np.bool_))


def _rescaling(tensor: Tensor) -> Callable[[Array], Array]:
    factor = quantize_multiplier_below_one(tensor.scale)

    def rescale(stored: Array) -> Array:
        shifted = (stored - tensor.zero_point) << _LEFT_SHIFT
        return multiply_by_quantized_multiplier(shifted, factor.multiplier, factor.shift)

    return rescale


def _nowhere(first: Array, second: Array, out: Array) -> None:
    out[...] = False


def _register(
    operator: BuiltinOperator, operation: np.ufunc, *others: TensorType
) -> Registration[BroadcastData]:
    return Registration(
        operator, partial(prepare, operation, others), evaluate_broadcast, broadcast_stacks
    )


EQUAL = _register(BuiltinOperator.EQUAL, np.equal, TensorType.BOOL)
NOT_EQUAL = _register(BuiltinOperator.NOT_EQUAL, np.not_equal, TensorType.BOOL)
GREATER = _register(BuiltinOperator.GREATER, np.greater, TensorType.INT16)
GREATER_EQUAL = _register(BuiltinOperator.GREATER_EQUAL, np.greater_equal)
LESS = _register(BuiltinOperator.LESS, np.less)
LESS_EQUAL = _register(BuiltinOperator.LESS_EQUAL, np.less_equal)
