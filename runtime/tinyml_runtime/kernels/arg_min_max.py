"""ARG_MAX, ARG_MIN: the index of the first largest or smallest element along an axis.

Shapes    input of any shape but a scalar, axis -> output with one element for each along the others
Types     input float32, int8; axis int32, constant or not; output int32
Units     as stored: scales and zero points are not looked at
Source    tflite-micro `micro/kernels/arg_min_max.cc`,
          `lite/kernels/internal/reference/arg_min_max.h`
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.kernels.operands import check_counts, resolve_axis
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, AXIS = 0, 1
OUTPUT = 0


@dataclass(frozen=True, slots=True)
class ArgData:
    """The input as [outer, length, inner]; the first is -1 to hold samples too."""

    length: int
    inner: int
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> ArgData | None:
    """Check the operands; settle the axis, or give None where only the run gives it."""
    check_counts(node, (2,))
    source, axis = context.input(node, INPUT), context.input(node, AXIS)
    output = context.output(node, OUTPUT)
    for tensor in (axis, output):
        check(
            tensor.type is TensorType.INT32,
            f"Only int32_t are supported currently, got {tensor.type.name}.",
        )
    check(
        source.type in (TensorType.FLOAT32, TensorType.INT8),
        f"Only float32, uint8_t and int8_t are supported currently, got {source.type.name}.",
    )
    check(source.size > 0, "the input has no elements")
    check(axis.size > 0, "the axis has no elements")
    return _data(source, output, axis) if axis.is_constant else None


def evaluate(context: EvalContext, node: Node, data: ArgData | None, *, largest: bool) -> None:
    """Find the first largest or smallest element."""
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    if data is None:
        try:
            data = _data(source, output, context.input(node, AXIS))
        except NodeError as error:
            raise RunError(f"{node.operator} (node {node.index}): {error.reason}") from error
    rows = source.values.reshape(-1, data.length, data.inner)
    if rows.dtype == np.float32:
        rows = _without_nan(rows, largest=largest)
    indices = rows.argmax(axis=1) if largest else rows.argmin(axis=1)
    np.copyto(output.values.reshape(indices.shape), indices, casting="unsafe")


def _data(source: Tensor, output: Tensor, axis: Tensor) -> ArgData:
    position = resolve_axis(int(axis.values.reshape(-1)[0]), len(source.shape))
    length, inner = source.shape[position], prod(source.shape[position + 1 :])
    check(
        output.size * length == source.size,
        f"the axis {position} leaves {source.size // length} elements, the output "
        f"{list(output.shape)} has {output.size}",
    )
    return ArgData(length, inner, not source.is_constant)


def _without_nan(rows: Array, *, largest: bool) -> Array:
    """NaN is never larger or smaller than another element, nor is one than it, if it is first."""
    is_nan = np.isnan(rows)
    if not is_nan.any():
        return rows
    never, always = (-np.inf, np.inf) if largest else (np.inf, -np.inf)
    rows = np.where(is_nan, np.float32(never), rows)
    rows[:, 0][is_nan[:, 0]] = always
    return rows


def _stacks(data: ArgData | None) -> bool:
    return data is not None and data.stackable


ARG_MAX = Registration(BuiltinOperator.ARG_MAX, prepare, partial(evaluate, largest=True), _stacks)
ARG_MIN = Registration(BuiltinOperator.ARG_MIN, prepare, partial(evaluate, largest=False), _stacks)
