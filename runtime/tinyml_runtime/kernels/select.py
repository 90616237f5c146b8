"""SELECT_V2: the element of one operand where a condition holds, of the other where it does not.

Shapes    condition, two inputs, which broadcast against each other -> output
Types     condition bool; float32, int8, int16; inputs and output alike
Units     as stored: scales and zero points are not looked at
Source    tflite-micro `micro/kernels/select.cc`, `lite/kernels/internal/reference/select.h`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tinyml_runtime.errors import NodeError
from tinyml_runtime.kernels.operands import check_counts, check_same_type, samples_of
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

CONDITION, FIRST, SECOND = 0, 1, 2
OUTPUT = 0
_INPUTS = (CONDITION, FIRST, SECOND)
_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)


@dataclass(frozen=True, slots=True)
class SelectData:
    """The shapes in which the inputs and the output are taken; an axis of -1 holds the samples."""

    inputs: tuple[tuple[int, ...], ...]
    output: tuple[int, ...]
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> SelectData:
    """Check types; settle the shapes."""
    check_counts(node, (3,))
    inputs = [context.input(node, position) for position in _INPUTS]
    condition, first, second = inputs
    output = context.output(node, OUTPUT)
    check_type(condition, "the condition", TensorType.BOOL)
    check_same_type(second, "the third input", first)
    check_same_type(output, "the output", first)
    check(
        first.type in _TYPES,
        f"Does not support type other than int8|int16|float32, but got {first.type.name}",
    )
    shape = _joint_shape([tensor.shape for tensor in inputs], output)
    shapes = tuple(_with_samples(tensor, len(shape)) for tensor in inputs)
    stackable = not all(tensor.is_constant for tensor in inputs)
    return SelectData(shapes, samples_of(shape), stackable)


def evaluate(context: EvalContext, node: Node, data: SelectData) -> None:
    """Copy the second input, then the first where the condition holds."""
    condition, first, second = (
        context.input(node, position).values.reshape(shape)
        for position, shape in zip(_INPUTS, data.inputs, strict=True)
    )
    out = context.output(node, OUTPUT).values.reshape(data.output)
    np.copyto(out, second)
    np.copyto(out, first, where=condition)


def _joint_shape(shapes: Sequence[tuple[int, ...]], output: Tensor) -> tuple[int, ...]:
    """The shape in which the operator works; inputs of one shape fill an output of any shape."""
    try:
        joint = np.broadcast_shapes(*shapes)
    except ValueError:
        raise NodeError("Given shapes are not broadcastable.") from None
    elements = prod(joint)
    if elements == 1 or len(set(shapes)) == 1:
        check(
            output.size == elements,
            f"the output has {output.size} elements, the operator makes {elements}",
        )
    else:
        check_shape(output, "the output", joint)
    return joint


def _with_samples(tensor: Tensor, rank: int) -> tuple[int, ...]:
    extended = (1,) * (rank - len(tensor.shape)) + tensor.shape
    return (1, *extended) if tensor.is_constant else samples_of(extended)


SELECT_V2 = Registration(BuiltinOperator.SELECT_V2, prepare, evaluate, lambda data: data.stackable)
