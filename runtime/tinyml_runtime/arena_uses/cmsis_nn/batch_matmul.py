"""BATCH_MATMUL of CMSIS-NN: transposed copies first, then dimensions, then multipliers.

Source: tflite-micro `micro/kernels/cmsis_nn/batch_matmul.cc`, `batch_matmul_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import (
    ArenaContext,
    ArenaUse,
    copy_dimensions,
    int_array_bytes,
    look_at,
)
from tinyml_runtime.arena_uses.cmsis_nn.buffer_sizes import fully_connected_s8
from tinyml_runtime.arena_uses.windows import scratch_if_any
from tinyml_runtime.model.options import BatchMatMulOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType

LEFT, RIGHT = 0, 1
OUTPUT = 0


def _prepare(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 i1 o0")
    options = node.options_as(BatchMatMulOptions)
    left, right = arena.input(node, LEFT), arena.input(node, RIGHT)
    output = arena.output(node, OUTPUT)
    if left is None or right is None or output is None:
        return
    if options.adj_x:
        _transposed(arena, left)
    if not options.adj_y:
        _transposed(arena, right)
    copy_dimensions(arena, output)
    if left.type is TensorType.FLOAT32:
        return
    arena.struct("QuantizationOpDataBatchMatmul")
    if left.type is TensorType.INT8:
        scratch_if_any(arena, fully_connected_s8(output.shape[-1], arena.extensions))


def _transposed(arena: ArenaContext, tensor: Tensor) -> None:
    arena.struct("TfLiteEvalTensor")
    arena.persistent(int_array_bytes(len(tensor.shape)), "transposed operand")
    arena.persistent(tensor.size * tensor.dtype.itemsize, "transposed operand")


BATCH_MATMUL = ArenaUse("cmsis_nn/batch_matmul.OpData", prepare=_prepare)
