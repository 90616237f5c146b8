"""MIRROR_PAD: a border that mirrors the tensor inside of it.

Shapes    input [any], paddings [rank, 2] (before, after) -> output [as many dimensions], whose
          shape the file gives; only the paddings before count
Types     float32, int8; paddings int32 or int64, constant or not
Units     values are copied; the mirror of SYMMETRIC is behind the edge, that of REFLECT in it
Source    tflite-micro kernels/mirror_pad.cc

A border after the input that is longer than the mirror repeats the first index, as in TFLM.
"""

from __future__ import annotations

from math import prod

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.kernels.operands import check_same_type
from tinyml_runtime.kernels.row_copies import RowsData, copy_rows, rows_stack
from tinyml_runtime.model.options import MirrorPadOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_type,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, MirrorPadMode, TensorType

INPUT, PADDINGS = 0, 1
OUTPUT = 0

TYPES = (TensorType.FLOAT32, TensorType.INT8)


def prepare(context: PrepareContext, node: Node) -> RowsData:
    """Check the operands; find the element of the input that each of the output mirrors."""
    source, paddings = context.input(node, INPUT), context.input(node, PADDINGS)
    output = context.output(node, OUTPUT)
    check_type(output, "the output", *TYPES)
    check_same_type(output, "the output", source)
    rank = len(source.shape)
    check(
        len(paddings.shape) == 2 and paddings.shape[0] == rank and paddings.shape[1] >= 2,
        f"the paddings {list(paddings.shape)} are not a pair for each of {rank} dimensions",
    )
    check_type(paddings, "the paddings", TensorType.INT32, TensorType.INT64)
    check(len(output.shape) == rank, f"the output has {len(output.shape)} dimensions, not {rank}")
    check(source.size > 0, "the input is empty")
    if not paddings.is_constant:
        return RowsData(False, source.size, 1)
    moved = _moved_axes(source, output, paddings)
    width = prod(source.shape[moved:])
    rows = _mirrored_rows(source, output, paddings, _edge(node), moved)
    return RowsData(not source.is_constant, source.size // width, width, rows)


def evaluate(context: EvalContext, node: Node, data: RowsData) -> None:
    """Copy each element from its mirror image."""
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    rows = data.rows
    if rows is None:
        paddings, rank = context.input(node, PADDINGS), len(source.shape)
        try:
            rows = _mirrored_rows(source, output, paddings, _edge(node), rank)
        except NodeError as error:
            raise RunError(f"{node.operator} (node {node.index}): {error.reason}") from error
    copy_rows(source.values, output.values, (data.source_rows, data.width), rows)


def _edge(node: Node) -> int:
    """How many elements at the edge are not repeated; without options TFLM takes SYMMETRIC."""
    options = node.options
    reflects = isinstance(options, MirrorPadOptions) and options.mode is MirrorPadMode.REFLECT
    return 1 if reflects else 0


def _moved_axes(source: Tensor, output: Tensor, paddings: Tensor) -> int:
    """The number of axes up to the last one along which elements move."""
    before = _paddings_before(paddings)
    lengths = zip(source.shape, output.shape, before, strict=True)
    return max(
        (axis + 1 for axis, (a, b, first) in enumerate(lengths) if first or a != b), default=0
    )


def _mirrored_rows(source: Tensor, output: Tensor, paddings: Tensor, edge: int, axes: int) -> Array:
    """For every row of the output the row of the input, where a row holds what is behind `axes`."""
    rows = np.zeros(1, np.intp)
    before = _paddings_before(paddings)
    for axis in range(axes):
        length = source.shape[axis]
        indices = _mirrored_indices(length, output.shape[axis], before[axis], edge)
        check(
            bool(np.all((indices >= 0) & (indices < length))),
            f"the padding of {before[axis]} is longer than dimension {axis} of {length}, which it "
            "mirrors",
        )
        rows = (rows[:, None] * length + indices).reshape(-1)
    return rows


def _mirrored_indices(length: int, output_length: int, before: int, edge: int) -> Array:
    indices = np.arange(output_length) - before
    last = length - 1 - edge
    behind = last - np.minimum(indices - length, last)
    mirrored = np.where(indices < 0, edge - 1 - indices, indices)
    return np.where(indices >= length, behind, mirrored)


def _paddings_before(paddings: Tensor) -> list[int]:
    """The first padding of each pair, as the 32 bits that TFLM goes on with."""
    flat = paddings.values.reshape(-1)
    return flat[: 2 * paddings.shape[0] : 2].astype(np.int32).tolist()


MIRROR_PAD = Registration(BuiltinOperator.MIRROR_PAD, prepare, evaluate, rows_stack)
