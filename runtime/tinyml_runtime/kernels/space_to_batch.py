"""SPACE_TO_BATCH_ND: every block of an image is dealt out to a batch; BATCH_TO_SPACE_ND: back.

Shapes    input [batch, height, width, depth] or [batch, length, depth], block [2 | 1], paddings or
          crops [2 | 1, 2] (before, after) -> output of the same form, whose shape the file gives
Types     float32, int8; block, paddings and crops int32, constant or not
Units     values are copied; the border is a stored 0, whatever the zero point is
Source    tflite-micro kernels/space_to_batch_nd.cc, batch_to_space_nd.cc

TFLM does not compare the output's shape with what the blocks make: it fills what there is. Where
BATCH_TO_SPACE_ND fills nothing it leaves memory as it was; here that becomes 0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.row_copies import RowsData, copy_rows, rows_stack
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, BLOCK, BORDERS = 0, 1, 2
OUTPUT = 0

TYPES = (TensorType.FLOAT32, TensorType.INT8)
ONE_AXIS_RANK, TWO_AXES_RANK = 3, 4
TOP, LEFT = 0, 2
_WORD = np.dtype("<i4")


class Blocks(NamedTuple):
    """Height and width of a block; rows and columns of the border before the image."""

    height: int
    width: int
    top: int
    left: int


# From input, output and blocks: the row of the input for each row of the output, and which of the
# output's rows have none.
FindRows = Callable[[Tensor, Tensor, Blocks], tuple[Array, Array]]


def prepare_space_to_batch(context: PrepareContext, node: Node) -> RowsData:
    """Check the operands; find the place in the image of every pixel of the batches."""
    return _prepare(context, node, _rows_to_batch)


def prepare_batch_to_space(context: PrepareContext, node: Node) -> RowsData:
    """Check the operands; find the place in the batches of every pixel of the image."""
    return _prepare(context, node, _rows_to_space)


def evaluate_space_to_batch(context: EvalContext, node: Node, data: RowsData) -> None:
    """Copy the pixels; the border becomes 0."""
    _evaluate(context, node, data, _rows_to_batch)


def evaluate_batch_to_space(context: EvalContext, node: Node, data: RowsData) -> None:
    """Copy the pixels that are not cropped."""
    _evaluate(context, node, data, _rows_to_space)


def _prepare(context: PrepareContext, node: Node, find_rows: FindRows) -> RowsData:
    check_counts(node, (3,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_same_type(output, "the output", source)
    check(source.type in TYPES, f"Type {source.type.name} ({int(source.type)}) not supported.")
    for tensor, role in ((source, "input"), (output, "output")):
        rank = len(tensor.shape)
        check(
            rank in (ONE_AXIS_RANK, TWO_AXES_RANK), f"the {role} has {rank} dimensions, not 3 or 4"
        )
    check(source.size > 0, "the input is empty")
    depth = source.shape[-1]
    check(output.shape[-1] == depth, f"the input is {depth} deep, the output {output.shape[-1]}")
    block, borders = context.input(node, BLOCK), context.input(node, BORDERS)
    axes = len(source.shape) - 2
    _check_words(block, "block shape", axes)
    _check_words(borders, "tensor of paddings or crops", 2 * axes - 1)
    if not (block.is_constant and borders.is_constant):
        return RowsData(False, source.size // depth, depth)
    rows, blanks = find_rows(source, output, _blocks(source, block, borders))
    return RowsData(not source.is_constant, source.size // depth, depth, rows, blanks)


def _evaluate(context: EvalContext, node: Node, data: RowsData, find_rows: FindRows) -> None:
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    rows, blanks = data.rows, data.blanks
    if rows is None or blanks is None:
        block, borders = context.input(node, BLOCK), context.input(node, BORDERS)
        try:
            rows, blanks = find_rows(source, output, _blocks(source, block, borders))
        except NodeError as error:
            raise RunError(f"{node.operator} (node {node.index}): {error.reason}") from error
    copy_rows(source.values, output.values, (data.source_rows, data.width), rows)
    if blanks.size:
        output.values.reshape(-1, rows.size, data.width)[:, blanks] = 0


def _rows_to_batch(source: Tensor, output: Tensor, blocks: Blocks) -> tuple[Array, Array]:
    batches, height, width = _grid(source)
    output_batches, output_height, output_width = _grid(output)
    shift, batch = np.divmod(np.arange(output_batches), batches)
    y = _spread(output_height, blocks.height, shift // blocks.width - blocks.top)
    x = _spread(output_width, blocks.width, shift % blocks.width - blocks.left)
    inside = _crossed((y >= 0) & (y < height), (x >= 0) & (x < width), np.logical_and)
    rows = _crossed((batch[:, None] * height + y) * width, x, np.add)
    return np.where(inside, rows, 0).reshape(-1), np.flatnonzero(~inside)


def _rows_to_space(source: Tensor, output: Tensor, blocks: Blocks) -> tuple[Array, Array]:
    batches, height, width = _grid(source)
    output_batches, output_height, output_width = _grid(output)
    shift, batch = np.divmod(np.arange(batches), output_batches)
    y = _spread(height, blocks.height, shift // blocks.width - blocks.top)
    x = _spread(width, blocks.width, shift % blocks.width - blocks.left)
    inside = _crossed((y >= 0) & (y < output_height), (x >= 0) & (x < output_width), np.logical_and)
    places = _crossed((batch[:, None] * output_height + y) * output_width, x, np.add)
    rows = np.full(output_batches * output_height * output_width, -1, np.intp)
    # Where several pixels go to one place, the last one stays.
    rows[places[inside]] = np.flatnonzero(inside)
    blanks = np.flatnonzero(rows < 0)
    rows[blanks] = 0
    return rows, blanks


def _spread(length: int, block: int, shifts: Array) -> Array:
    """Positions in the image of `length` pixels that are a block apart, a row for each shift."""
    return np.arange(length) * block + shifts[:, None]


def _crossed(y: Array, x: Array, combine: np.ufunc) -> Array:
    """[batch, height, width] from [batch, height] and [batch, width]."""
    crossed: Array = combine(y[:, :, None], x[:, None, :])
    return crossed


def _grid(tensor: Tensor) -> tuple[int, int, int]:
    """Batches, height and width."""
    batches, height, *rest, _ = tensor.shape
    return batches, height, rest[0] if rest else 1


def _check_words(tensor: Tensor, role: str, count: int) -> None:
    words = tensor.values.nbytes // _WORD.itemsize
    check(words >= count, f"the {role} holds {words} 32-bit integers, {count} are needed")


def _blocks(source: Tensor, block: Tensor, borders: Tensor) -> Blocks:
    """What file or run gives, read as 32-bit integers whatever the types are, as TFLM does."""
    sizes, edges = (
        np.frombuffer(tensor.values.tobytes(), _WORD).tolist() for tensor in (block, borders)
    )
    if len(source.shape) == ONE_AXIS_RANK:
        blocks = Blocks(sizes[0], 1, edges[TOP], 0)
    else:
        blocks = Blocks(sizes[0], sizes[1], edges[TOP], edges[LEFT])
    check(
        blocks.height > 0 and blocks.width > 0,
        f"the block has a size of {blocks.height} x {blocks.width}",
    )
    return blocks


SPACE_TO_BATCH_ND = Registration(
    BuiltinOperator.SPACE_TO_BATCH_ND, prepare_space_to_batch, evaluate_space_to_batch, rows_stack
)
BATCH_TO_SPACE_ND = Registration(
    BuiltinOperator.BATCH_TO_SPACE_ND, prepare_batch_to_space, evaluate_batch_to_space, rows_stack
)
