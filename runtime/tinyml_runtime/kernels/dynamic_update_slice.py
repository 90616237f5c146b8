"""DYNAMIC_UPDATE_SLICE: a copy of a tensor in which a box is replaced.

Shapes    operand [any, rank <= 6], update [any, not longer along any axis], start [rank] -> output
          with as many elements as the operand
Types     float32, int8, int16, int32; start int32 or int64, constant or not
Units     values are copied; scales and zero points are not looked at
Source    tflite-micro kernels/dynamic_update_slice.cc

The box is moved into the operand where its start would put it partly outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.kernels.operands import check_counts, check_same_type, samples_of
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_type,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

OPERAND, UPDATE, START = 0, 1, 2
OUTPUT = 0

MAX_DIMENSIONS = 6
TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.INT32)

Box = tuple[slice, ...]


@dataclass(frozen=True, slots=True)
class UpdateData:
    """Operand, update and output with an axis of samples in front.

    `box` is what is replaced, None where only the run gives it. `is_whole` says that nothing of the
    operand is left.
    """

    stackable: bool
    operand_shape: tuple[int, ...]
    update_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    is_whole: bool
    box: Box | None


def prepare(context: PrepareContext, node: Node) -> UpdateData:
    """Check the operands; find the box if its start is a constant."""
    check_counts(node, (3,))
    operand, update = context.input(node, OPERAND), context.input(node, UPDATE)
    start, output = context.input(node, START), context.output(node, OUTPUT)
    check_type(operand, "the operand", *TYPES)
    check_same_type(update, "the update", operand)
    check_same_type(output, "the output", operand)
    check_type(start, "the start", TensorType.INT32, TensorType.INT64)
    rank = len(operand.shape)
    check(
        rank <= MAX_DIMENSIONS,
        f"the operand has {rank} dimensions; this kernel takes at most {MAX_DIMENSIONS}",
    )
    check(start.shape == (rank,), f"the start {list(start.shape)} is not for {rank} dimensions")
    check(
        len(update.shape) == rank
        and all(a <= b for a, b in zip(update.shape, operand.shape, strict=True)),
        f"the update {list(update.shape)} does not fit into the operand {list(operand.shape)}",
    )
    check(
        output.size == operand.size,
        f"the output {list(output.shape)} has {output.size} elements, the operand {operand.size}",
    )
    is_whole = update.shape == operand.shape
    is_known = is_whole or start.is_constant
    return UpdateData(
        stackable=is_known,
        operand_shape=_samples(operand, operand.shape),
        update_shape=_samples(update, update.shape),
        output_shape=samples_of(operand.shape),
        is_whole=is_whole,
        box=_box(operand.shape, update.shape, start.values) if is_known else None,
    )


def evaluate(context: EvalContext, node: Node, data: UpdateData) -> None:
    """Copy the operand, then the update into the box."""
    output = context.output(node, OUTPUT).values.reshape(data.output_shape)
    update = context.input(node, UPDATE).values.reshape(data.update_shape)
    if data.is_whole:
        output[...] = update
        return
    output[...] = context.input(node, OPERAND).values.reshape(data.operand_shape)
    box = data.box
    if box is None:
        box = _box(data.operand_shape[1:], data.update_shape[1:], context.input(node, START).values)
    output[box] = update


def _box(shape: Sequence[int], lengths: Sequence[int], start: Array) -> Box:
    """What is replaced, of all samples; TFLM moves it inside of the operand."""
    parts = [slice(None)]
    for size, length, first in zip(shape, lengths, start.tolist(), strict=True):
        inside = min(max(0, first), size - length)
        parts.append(slice(inside, inside + length))
    return tuple(parts)


def _samples(tensor: Tensor, shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1, *shape) if tensor.is_constant else samples_of(shape)


def _stacks(data: UpdateData) -> bool:
    return data.stackable


DYNAMIC_UPDATE_SLICE = Registration(
    BuiltinOperator.DYNAMIC_UPDATE_SLICE, prepare, evaluate, _stacks
)
