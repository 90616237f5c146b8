"""BROADCAST_TO: a tensor repeated to a larger shape; BROADCAST_ARGS: the shape of two together.

Shapes    BROADCAST_TO input [any, rank <= 5], shape [output's rank] -> output [shape];
          BROADCAST_ARGS two shapes [any] -> output [any]
Types     BROADCAST_TO any of whole bytes, shape int32 or int64, a constant; BROADCAST_ARGS int32,
          int64, of which the low 32 bits count
Units     values are copied; scales and zero points are not looked at
Source    tflite-micro kernels/broadcast_to.cc, broadcast_args.cc
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.errors import RunError
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
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, SHAPE = 0, 1
FIRST, SECOND = 0, 1
OUTPUT = 0

MAX_DIMENSIONS = 5
SHAPE_TYPES = (TensorType.INT32, TensorType.INT64)
# TFLM copies elements by their size in bytes, which these do not have.
UNSIZED_TYPES = (
    TensorType.STRING,
    TensorType.VARIANT,
    TensorType.INT2,
    TensorType.INT4,
    TensorType.UINT4,
    TensorType.FLOAT8_E4M3FN,
    TensorType.FLOAT8_E5M2,
)


@dataclass(frozen=True, slots=True)
class BroadcastToData:
    """Input and output with as many axes, and one of samples in front."""

    source_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def prepare_broadcast_to(context: PrepareContext, node: Node) -> BroadcastToData:
    """Check that the constant shape is the output's and that the input can be repeated to it."""
    check_counts(node, (2,))
    source, shape = context.input(node, INPUT), context.input(node, SHAPE)
    output = context.output(node, OUTPUT)
    for tensor in (source, output):
        check(len(tensor.shape) <= MAX_DIMENSIONS, "BroadcastTo only supports 1-5D tensor.")
    check_type(shape, "the shape", *SHAPE_TYPES)
    check_same_type(output, "the output", source)
    check(source.type not in UNSIZED_TYPES, f"Type {source.type.name} not supported.")
    check(shape.is_constant, "Non-constant >shape< tensor is not supported")
    check(
        shape.shape == (len(output.shape),),
        "Output must match with the expected shape dimension.",
    )
    check_shape(output, "the output", shape.values.tolist())
    added = len(output.shape) - len(source.shape)
    extended = (1,) * added + source.shape
    check(
        added >= 0 and all(a in (1, b) for a, b in zip(extended, output.shape, strict=True)),
        "Output shape must be broadcastable from input shape.",
    )
    source_samples = (1, *extended) if source.is_constant else samples_of(extended)
    return BroadcastToData(source_samples, samples_of(output.shape))


def prepare_broadcast_args(context: PrepareContext, node: Node) -> None:
    """Check that both shapes and the output are vectors of one type."""
    check_counts(node, (2,))
    first, second = context.input(node, FIRST), context.input(node, SECOND)
    output = context.output(node, OUTPUT)
    check_type(first, "the first shape", *SHAPE_TYPES)
    for tensor, role in ((first, "first shape"), (second, "second shape"), (output, "output")):
        check_same_type(tensor, f"the {role}", first)
        check(len(tensor.shape) == 1, f"the {role} {list(tensor.shape)} is no vector")


def evaluate_broadcast_to(context: EvalContext, node: Node, data: BroadcastToData) -> None:
    """Repeat the input along the axes where it has a length of 1."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    output.reshape(data.output_shape)[...] = source.reshape(data.source_shape)


def evaluate_broadcast_args(context: EvalContext, node: Node, data: None) -> None:
    """Take the longer length of every axis; stop where neither operand can be repeated."""
    output = context.output(node, OUTPUT).values
    first = _last_lengths(context.input(node, FIRST).values, output.size)
    second = _last_lengths(context.input(node, SECOND).values, output.size)
    disagree = (first != second) & (first != 1) & (second != 1)
    if disagree.any():
        shapes = f"shapes {first.tolist()} and {second.tolist()} do not broadcast"
        raise RunError(f"{node.operator} (node {node.index}): {shapes}")
    output[...] = np.where(first == 1, second, first)


def _last_lengths(shape: Array, rank: int) -> Array:
    """The lengths of the last `rank` axes; axes that a shape does not have are 1 long."""
    lengths = np.ones(rank, np.int32)
    given = shape[max(0, shape.size - rank) :].astype(np.int32)
    lengths[rank - given.size :] = given
    return lengths


def _stacks(data: BroadcastToData) -> bool:
    # A constant is repeated for all samples, too.
    return True


BROADCAST_TO = Registration(
    BuiltinOperator.BROADCAST_TO, prepare_broadcast_to, evaluate_broadcast_to, _stacks
)
BROADCAST_ARGS = Registration(
    BuiltinOperator.BROADCAST_ARGS, prepare_broadcast_args, evaluate_broadcast_args
)
