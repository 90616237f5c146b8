"""SPACE_TO_DEPTH: blocks of an image become channels; DEPTH_TO_SPACE: channels become blocks.

Shapes    one side is [batch, height x block, width x block, channels], the other [batch, height,
          width, block x block x channels]
Types     float32, int8
Units     values are copied; scales and zero points are not looked at
Source    tflite-micro kernels/space_to_depth.cc, depth_to_space.cc
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.model.options import DepthToSpaceOptions, SpaceToDepthOptions
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

INPUT = 0
OUTPUT = 0

TYPES = (TensorType.FLOAT32, TensorType.INT8)


@dataclass(frozen=True, slots=True)
class BlocksData:
    """The dimensions after the batch, each block apart: of the input, and then of the output.

    Exchanging axes 2 and 3 of the batch and those, rows within a block and columns of blocks, is
    all that either operator does.
    """

    stackable: bool
    source_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def prepare_space_to_depth(context: PrepareContext, node: Node) -> BlocksData:
    """Check that height and width are whole blocks."""
    block = node.options_as(SpaceToDepthOptions).block_size
    source, output = _operands(context, node, block)
    batch, height, width, channels = source.shape
    check(
        height % block == 0 and width % block == 0,
        f"height {height} and width {width} are no multiples of the block size {block}",
    )
    rows, columns = height // block, width // block
    check_shape(output, "the output", (batch, rows, columns, channels * block * block))
    return BlocksData(
        not source.is_constant,
        (rows, block, columns, block, channels),
        (rows, columns, block, block, channels),
    )


def prepare_depth_to_space(context: PrepareContext, node: Node) -> BlocksData:
    """Check that the channels make whole blocks."""
    block = node.options_as(DepthToSpaceOptions).block_size
    source, output = _operands(context, node, block)
    batch, rows, columns, depth = source.shape
    channels = depth // (block * block)
    check(
        depth == channels * block * block,
        f"{depth} channels are no multiple of the block's {block} x {block}",
    )
    check_shape(output, "the output", (batch, rows * block, columns * block, channels))
    return BlocksData(
        not source.is_constant,
        (rows, columns, block, block, channels),
        (rows, block, columns, block, channels),
    )


def evaluate(context: EvalContext, node: Node, data: BlocksData) -> None:
    """Copy the blocks."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    batch = source.shape[0]
    blocks = source.reshape(batch, *data.source_shape)
    output.reshape(batch, *data.output_shape)[...] = blocks.swapaxes(2, 3)


def _operands(context: PrepareContext, node: Node, block: int) -> tuple[Tensor, Tensor]:
    check_counts(node, (1,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(len(source.shape) == 4, f"the input has {len(source.shape)} dimensions, not 4")
    check_type(output, "the output", *TYPES)
    check_same_type(output, "the output", source)
    check(block > 0, f"the block size is {block}")
    return source, output


def _stacks(data: BlocksData) -> bool:
    return data.stackable


SPACE_TO_DEPTH = Registration(
    BuiltinOperator.SPACE_TO_DEPTH, prepare_space_to_depth, evaluate, _stacks
)
DEPTH_TO_SPACE = Registration(
    BuiltinOperator.DEPTH_TO_SPACE, prepare_depth_to_space, evaluate, _stacks
)
