"""REVERSE_V2: the elements in the opposite order along neighbouring axes.

Shapes    input of at most 6 dimensions, axes [1 to rank] -> output with as many elements
Types     float32, int8, uint8, int16, int32, int64, bool; input and output alike; axes int32,
          constant or not
Source    tflite-micro `micro/kernels/reverse.cc`, `lite/kernels/internal/reference/reverse.h`
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.kernels.operands import check_counts, check_same_type, resolve_axis
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
)
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, AXES = 0, 1
OUTPUT = 0

_MOST_DIMENSIONS = 6
_TYPES = (
    TensorType.FLOAT32,
    TensorType.INT8,
    TensorType.UINT8,
    TensorType.INT16,
    TensorType.INT32,
    TensorType.INT64,
    TensorType.BOOL,
)


@dataclass(frozen=True, slots=True)
class ReverseData:
    """The input as [outer, length, inner], of which the middle is reversed."""

    length: int
    inner: int
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> ReverseData | None:
    """Check the operands; settle the axes, or give None where only the run gives them."""
    check_counts(node, (2,))
    source, axes = context.input(node, INPUT), context.input(node, AXES)
    output = context.output(node, OUTPUT)
    rank = len(source.shape)
    check(len(axes.shape) == 1, f"the axes have {len(axes.shape)} dimensions, not 1")
    check(
        rank <= _MOST_DIMENSIONS,
        f"the input has {rank} dimensions; this kernel takes at most {_MOST_DIMENSIONS}",
    )
    check(1 <= axes.size <= rank, f"there are {axes.size} axes for {rank} dimensions")
    check(source.type in _TYPES, f"Type '{source.type.name}' is not supported by reverse.")
    check(
        axes.type is TensorType.INT32,
        f"Axis Type '{axes.type.name}' is not supported by reverse.",
    )
    check_same_type(output, "the output", source)
    check(
        0 < source.size == output.size,
        f"the input has {source.size} elements, the output {output.size}",
    )
    return _data(source, axes) if axes.is_constant else None


def evaluate(context: EvalContext, node: Node, data: ReverseData | None) -> None:
    """Copy from the end."""
    source = context.input(node, INPUT)
    if data is None:
        try:
            data = _data(source, context.input(node, AXES))
        except NodeError as error:
            raise RunError(f"{node.operator} (node {node.index}): {error.reason}") from error
    shape = (-1, data.length, data.inner)
    out = context.output(node, OUTPUT).values
    out.reshape(shape)[...] = source.values.reshape(shape)[:, ::-1]


def _data(source: Tensor, axes: Tensor) -> ReverseData:
    given = axes.values.reshape(-1).tolist()
    first, *others = sorted(resolve_axis(axis, len(source.shape)) for axis in given)
    behind = first + 1 + len(others)
    check(others == list(range(first + 1, behind)), "Non-contiguous `axes` not supported")
    length, inner = prod(source.shape[first:behind]), prod(source.shape[behind:])
    return ReverseData(length, inner, not source.is_constant)


def _stacks(data: ReverseData | None) -> bool:
    return data is not None and data.stackable


REVERSE_V2 = Registration(BuiltinOperator.REVERSE_V2, prepare, evaluate, _stacks)
