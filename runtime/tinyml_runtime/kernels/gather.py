"""GATHER, GATHER_ND, EMBEDDING_LOOKUP: rows of a tensor that indices name.

Shapes    GATHER input [batch dims, outer, axis, inner], indices [batch dims, any] -> output
          [batch dims, outer, any, inner]; GATHER_ND input [dims, inner], indices [any, dims <= 5]
          -> output [any, inner]; EMBEDDING_LOOKUP indices [count], table [rows, ...] -> output
          [count, ...]
Types     float32, int8; EMBEDDING_LOOKUP also int8 -> float32; indices int32
Units     values are copied, but where int8 becomes float32: then real = scale * stored
Source    tflite-micro kernels/gather.cc, gather_nd.cc, embedding_lookup.cc

An index out of range stops the run. GATHER_ND looks only at the place that all indices together
name: one may be out of range where another makes up for it, as in TFLM.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from tinyml_runtime.errors import RunError
from tinyml_runtime.kernels.operands import check_counts, check_same_type, resolve_axis
from tinyml_runtime.kernels.row_copies import copy_rows
from tinyml_runtime.model.options import GatherOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, INDICES = 0, 1
LOOKUP, TABLE = 0, 1
OUTPUT = 0

MAX_INDEXED_DIMENSIONS = 5
TYPES = (TensorType.FLOAT32, TensorType.INT8)
_WORD_BYTES = 4


@dataclass(frozen=True, slots=True)
class GatherData:
    """Rows of `width` elements, `source_rows` in a sample of the input, `limit` to choose from.

    `rows` are those of constant indices that are in range. Else they are the indices themselves,
    plus `starts` [batch, outer, 1] where there are batches, or times `strides` for GATHER_ND.
    `scale` is that of an int8 table that becomes float32.
    """

    stackable: bool
    source_rows: int
    width: int
    limit: int
    rows: Array | None
    starts: Array | None = None
    strides: Array | None = None
    scale: np.float32 | None = None


def prepare_gather(context: PrepareContext, node: Node) -> GatherData:
    """Check the operands; find out how far apart the rows lie that an index chooses from."""
    source, indices, output = _operands(context, node, "Positions", "gather")
    check(
        source.type in TYPES,
        f"Type '{source.type.name}' is not supported by gather.",
    )
    check_same_type(output, "the output", source)
    options = node.options_as(GatherOptions)
    axis = resolve_axis(options.axis, len(source.shape))
    batch_dims = options.batch_dims + (len(indices.shape) if options.batch_dims < 0 else 0)
    check(
        0 <= batch_dims <= min(axis, len(indices.shape)),
        f"{options.batch_dims} batch dimensions do not fit axis {axis} of the input "
        f"{list(source.shape)} and indices {list(indices.shape)}",
    )
    batches, inner = source.shape[:batch_dims], source.shape[axis + 1 :]
    check(
        indices.shape[:batch_dims] == batches,
        f"indices {list(indices.shape)} and input {list(source.shape)} have other batches",
    )
    check_shape(output, "the output", (*source.shape[:axis], *indices.shape[batch_dims:], *inner))
    length, outer = source.shape[axis], prod(source.shape[batch_dims:axis])
    rows = indices.values if indices.is_constant else None
    if prod(batches) == 1:
        return _data(source, indices, outer, length, prod(inner), rows)
    starts = (np.arange(prod(batches) * outer) * length).reshape(-1, outer, 1)
    return GatherData(False, starts.size * length, prod(inner), length, None, starts)


def prepare_gather_nd(context: PrepareContext, node: Node) -> GatherData:
    """Check the operands; find out how many rows lie between neighbours of every dimension."""
    source, indices, output = _operands(context, node, "Indices", "gather_nd")
    check(
        source.type in TYPES,
        f"Params of type '{source.type.name}' are not supported by gather_nd.",
    )
    check_same_type(output, "the output", source)
    check(len(source.shape) >= 1, "Params must be at least a vector.")
    check(len(indices.shape) >= 1, "Indices must be at least a vector.")
    count = indices.shape[-1]
    check(
        count <= len(source.shape),
        "Index innermost dimension length must be <= params rank.",
    )
    check(
        count <= MAX_INDEXED_DIMENSIONS,
        f"Index innermost dimension length must not exceed {MAX_INDEXED_DIMENSIONS}.",
    )
    indexed, inner = source.shape[:count], source.shape[count:]
    check(0 not in indexed, f"the input {list(source.shape)} is empty")
    check_shape(output, "the output", (*indices.shape[:-1], *inner))
    strides = np.array([prod(indexed[axis + 1 :]) for axis in range(count)], np.int64)
    rows = _places(indices.values, strides) if indices.is_constant or not count else None
    return _data(source, indices, 1, prod(indexed), prod(inner), rows, strides)


def prepare_embedding_lookup(context: PrepareContext, node: Node) -> GatherData:
    """Check the operands; take the scale where the table is dequantized."""
    check_counts(node, (2,))
    lookup, table = context.input(node, LOOKUP), context.input(node, TABLE)
    output = context.output(node, OUTPUT)
    check(len(lookup.shape) == 1, f"the indices {list(lookup.shape)} are no vector")
    check_type(lookup, "the indices", TensorType.INT32)
    check(len(table.shape) >= 2, f"the table {list(table.shape)} has no columns")
    check_type(table, "the table", *TYPES)
    check(table.shape[0] > 0, f"the table {list(table.shape)} has no rows")
    hybrid = table.type is not output.type
    if hybrid:
        check_type(table, "the table of another type than the output", TensorType.INT8)
        check_type(output, "the output", TensorType.FLOAT32)
        check(table.zero_point == 0, f"the table has a zero point of {table.zero_point}, not 0")
    check_shape(output, "the output", (*lookup.shape, *table.shape[1:]))
    rows = lookup.values if lookup.is_constant else None
    scale = np.float32(table.scale) if hybrid else None
    return _data(table, lookup, 1, table.shape[0], prod(table.shape[1:]), rows, scale=scale)


def evaluate_gather(context: EvalContext, node: Node, data: GatherData) -> None:
    """Copy the rows that the indices name."""
    rows = _rows(node, context.input(node, INDICES).values, data)
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    copy_rows(source, output, (data.source_rows, data.width), rows)


def evaluate_embedding_lookup(context: EvalContext, node: Node, data: GatherData) -> None:
    """Copy the rows of the table, as they are or as real numbers."""
    rows = _rows(node, context.input(node, LOOKUP).values, data)
    table, output = context.input(node, TABLE).values, context.output(node, OUTPUT).values
    if data.scale is None:
        copy_rows(table, output, (data.source_rows, data.width), rows)
    elif output.size:
        taken = table.reshape(-1, data.source_rows, data.width).take(rows, axis=1)
        np.multiply(taken, data.scale, out=output.reshape(taken.shape))


def _operands(
    context: PrepareContext, node: Node, noun: str, operator: str
) -> tuple[Tensor, Tensor, Tensor]:
    check_counts(node, (2,))
    indices = context.input(node, INDICES)
    check(
        indices.type is TensorType.INT32,
        f"{noun} of type '{indices.type.name}' are not supported by {operator}.",
        "convert the model with indices of 32 bits",
    )
    return context.input(node, INPUT), indices, context.output(node, OUTPUT)


def _data(
    source: Tensor,
    indices: Tensor,
    outer: int,
    length: int,
    width: int,
    rows: Array | None,
    strides: Array | None = None,
    scale: np.float32 | None = None,
) -> GatherData:
    """Rows that are known serve all samples; else all samples must choose from one table."""
    if rows is not None and not _is_inside(rows, length):
        rows = None
    if rows is not None:
        rows = rows.reshape(-1)
        stackable = not source.is_constant
    else:
        stackable = source.is_constant and not indices.is_constant and outer == 1
    return GatherData(stackable, length, width, length, rows, None, strides, scale)


def _rows(node: Node, indices: Array, data: GatherData) -> Array:
    if data.rows is not None:
        return data.rows
    places = indices.reshape(-1) if data.strides is None else _places(indices, data.strides)
    if not _is_inside(places, data.limit):
        wrong = places[(places < 0) | (places >= data.limit)][0]
        bounds = f"index out of bounds. Got {wrong}, and bounds are [0, {data.limit - 1}]"
        raise RunError(f"{node.operator} (node {node.index}): {bounds}")
    if data.starts is None:
        return places
    return (data.starts + places.reshape(len(data.starts), 1, -1)).reshape(-1)


def _places(indices: Array, strides: Array) -> Array:
    """The row that every vector of indices names, in or out of range."""
    if not strides.size:
        return np.zeros(prod(indices.shape[:-1]), np.int64)
    return indices.reshape(-1, strides.size) @ strides


def _is_inside(indices: Array, limit: int) -> bool:
    """Whether all are from 0 to below the limit; as unsigned numbers, negative ones are large."""
    unsigned = indices.view(np.uint32 if indices.itemsize == _WORD_BYTES else np.uint64)
    return not indices.size or int(unsigned.max()) < limit


def _stacks(data: GatherData) -> bool:
    return data.stackable


GATHER = Registration(BuiltinOperator.GATHER, prepare_gather, evaluate_gather, _stacks)
GATHER_ND = Registration(BuiltinOperator.GATHER_ND, prepare_gather_nd, evaluate_gather, _stacks)
EMBEDDING_LOOKUP = Registration(
    BuiltinOperator.EMBEDDING_LOOKUP, prepare_embedding_lookup, evaluate_embedding_lookup, _stacks
)
