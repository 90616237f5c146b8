"""Operators of two operands whose shapes are broadcast against each other.

Shapes    two inputs of any shapes that agree, aligned at the last axis, but where a length is 1
          -> output with the longer length of every axis
Source    tflite-micro `lite/kernels/internal/reference/broadcast_loop.h`

Neighbouring axes along which the same operands are repeated are joined to one, and an axis of
samples is put in front: constants have one sample for all of those that the others bring.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import TypeAlias

from tinyml_runtime.errors import NodeError
from tinyml_runtime.kernels.binding import bind_arrays
from tinyml_runtime.kernels.operands import samples_of
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    check,
)
from tinyml_runtime.tensor import Array, Tensor

FIRST, SECOND = 0, 1
OUTPUT = 0
_MOST_AXES = 8

Shape: TypeAlias = tuple[int, ...]
Compute: TypeAlias = Callable[[Array, Array, Array], object]


@dataclass(frozen=True, slots=True)
class Operands:
    """The tensors of an operator of two operands."""

    first: Tensor
    second: Tensor
    output: Tensor


@dataclass(frozen=True, slots=True)
class BroadcastData:
    """`compute(first, second, out)`, and the shapes in which it takes them.

    An axis of -1 holds the samples. Two constant inputs do not come stacked.
    """

    compute: Compute
    first: Shape
    second: Shape
    output: Shape
    stackable: bool


def broadcast_operands(context: PrepareContext, node: Node) -> Operands:
    """Inputs and output; NodeError unless all have the same type."""
    first, second = context.input(node, FIRST), context.input(node, SECOND)
    output = context.output(node, OUTPUT)
    check(
        first.type is second.type is output.type,
        f"inputs are {first.type.name} and {second.type.name}, output is {output.type.name}; "
        "this kernel does not convert",
    )
    return Operands(first, second, output)


def broadcast(operands: Operands, compute: Compute) -> BroadcastData:
    """Have `compute` applied to broadcast operands; NodeError where the shapes do not allow it."""
    first, second = joined_axes(operands.first.shape, operands.second.shape)
    joined = tuple(b if a == 1 else a for a, b in zip(first, second, strict=True))
    _check_output(operands, prod(joined))
    return BroadcastData(
        compute,
        _with_samples(first, operands.first),
        _with_samples(second, operands.second),
        samples_of(joined),
        not (operands.first.is_constant and operands.second.is_constant),
    )


def bind_broadcast(context: EvalContext, node: Node, data: BroadcastData) -> Callable[[], object]:
    """Compute every element of the output from the elements of the inputs that meet there."""
    first, second = context.input(node, FIRST).values, context.input(node, SECOND).values
    out = context.output(node, OUTPUT).values
    return bind_arrays(
        data.compute,
        first.reshape(data.first),
        second.reshape(data.second),
        out.reshape(data.output),
    )


evaluate_broadcast = BindingEvaluate(bind_broadcast)


def broadcast_stacks(data: BroadcastData) -> bool:
    """Any number of samples can be evaluated at once, unless both inputs are constants."""
    return data.stackable


def joined_axes(first: Sequence[int], second: Sequence[int]) -> tuple[Shape, Shape]:
    """Both shapes with as few axes as broadcasting needs; NodeError where they do not agree.

    >>> joined_axes((8, 6, 4, 3), (4, 3))
    ((48, 12), (1, 12))
    """
    rank = max(len(first), len(second))
    check(rank <= _MOST_AXES, f"operands have {rank} dimensions, at most {_MOST_AXES} broadcast")
    joined: list[tuple[int, int]] = []
    repeats = None
    for a, b in zip(_extended(first, rank), _extended(second, rank), strict=True):
        if a != b and 1 not in (a, b):
            raise NodeError(f"shapes {list(first)} and {list(second)} do not broadcast")
        if a == b == 1:
            continue
        if repeats == (a == 1, b == 1):
            joined[-1] = (joined[-1][0] * a, joined[-1][1] * b)
        else:
            joined.append((a, b))
            repeats = (a == 1, b == 1)
    return tuple(a for a, _ in joined), tuple(b for _, b in joined)


def _check_output(operands: Operands, elements: int) -> None:
    """Equal inputs fill an output of as many elements in any shape; else axes must match."""
    first, second, output = operands.first.shape, operands.second.shape, operands.output.shape
    rank = max(len(first), len(second), len(output))
    made = tuple(
        b if a == 1 else a
        for a, b in zip(_extended(first, rank), _extended(second, rank), strict=True)
    )
    in_place = made == _extended(output, rank)
    check(
        in_place or (first == second and operands.output.size == elements),
        f"output has shape {list(output)}, the operator makes {list(made)}",
    )


def _extended(shape: Sequence[int], rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + tuple(shape)


def _with_samples(shape: Shape, tensor: Tensor) -> Shape:
    return (1, *shape) if tensor.is_constant else samples_of(shape)
