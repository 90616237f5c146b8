"""BATCH_MATMUL: a tensor of its own for each operand that is transposed.

Source: tflite-micro `micro/kernels/batch_matmul.cc`, `batch_matmul_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, copy_dimensions, int_array_bytes
from tinyml_runtime.model.options import BatchMatMulOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

LEFT, RIGHT = 0, 1
OUTPUT = 0


def _prepare(arena: ArenaContext, node: Node) -> None:
    left, output = arena.input(node, LEFT), arena.output(node, OUTPUT)
    if left is not None and left.type in (TensorType.INT8, TensorType.INT16):
        arena.struct("QuantizationOpDataBatchMatmul")
    options = node.options_as(BatchMatMulOptions)
    if options.adj_x:
        _transposed(arena, node, LEFT)
    if not options.adj_y:
        _transposed(arena, node, RIGHT)
    if output is not None:
        copy_dimensions(arena, output)


def _transposed(arena: ArenaContext, node: Node, position: int) -> None:
    """The operand with its last two dimensions exchanged: structure, shape, values."""
    tensor = arena.input(node, position)
    if tensor is not None:
        arena.struct("TfLiteEvalTensor")
        arena.persistent(int_array_bytes(len(tensor.shape)), "transposed operand")
        arena.persistent(tensor.size * tensor.dtype.itemsize, "transposed operand")


BATCH_MATMUL = ArenaUse("OpDataBatchMatmul", "i0 i1 o0", prepare=_prepare)
