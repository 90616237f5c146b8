"""MAXIMUM, MINIMUM: the larger or the smaller of two elements, as they are stored.

Shapes    two inputs that broadcast against each other -> output
Types     float32, int8, int16, int32, int64; inputs and output alike
Units     as stored: scales and zero points are not looked at
Source    tflite-micro `micro/kernels/maximum_minimum.h`, `maximum_minimum.cc`
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.kernels.broadcast import (
    BroadcastData,
    Compute,
    broadcast,
    broadcast_operands,
    broadcast_stacks,
    evaluate_broadcast,
)
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

_INTEGERS = (TensorType.INT8, TensorType.INT16, TensorType.INT32, TensorType.INT64)


def prepare_maximum(context: PrepareContext, node: Node) -> BroadcastData:
    """Check types and shapes."""
    return _prepare(context, node, _larger, _larger_float)


def prepare_minimum(context: PrepareContext, node: Node) -> BroadcastData:
    """Check types and shapes."""
    return _prepare(context, node, _smaller, _smaller_float)


def _prepare(
    context: PrepareContext, node: Node, integers: Compute, floats: Compute
) -> BroadcastData:
    operands = broadcast_operands(context, node)
    kind = operands.output.type
    check(
        kind is TensorType.FLOAT32 or kind in _INTEGERS,
        f"Type {kind.name} ({int(kind)}) is not supported by Maximum/Minimum.",
    )
    return broadcast(operands, floats if kind is TensorType.FLOAT32 else integers)


def _larger(first: Array, second: Array, out: Array) -> None:
    np.maximum(first, second, out=out)


def _smaller(first: Array, second: Array, out: Array) -> None:
    np.minimum(first, second, out=out)


# NumPy gives NaN where either operand is; TFLM gives the second operand where they do not compare.
def _larger_float(first: Array, second: Array, out: Array) -> None:
    np.copyto(out, second)
    np.copyto(out, first, where=first > second)


def _smaller_float(first: Array, second: Array, out: Array) -> None:
    np.copyto(out, second)
    np.copyto(out, first, where=first < second)


MAXIMUM = Registration(
    BuiltinOperator.MAXIMUM, prepare_maximum, evaluate_broadcast, broadcast_stacks
)
MINIMUM = Registration(
    BuiltinOperator.MINIMUM, prepare_minimum, evaluate_broadcast, broadcast_stacks
)
