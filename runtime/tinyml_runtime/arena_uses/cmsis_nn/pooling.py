"""AVERAGE_POOL_2D of CMSIS-NN: a second look at the tensors, and sums on cores with DSP.

Source: tflite-micro `micro/kernels/cmsis_nn/pooling.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.arena_uses.cmsis_nn.buffer_sizes import average_pool
from tinyml_runtime.arena_uses.windows import scratch_if_any
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT = 0


def _prepare(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 o0 i0 o0")
    source = arena.input(node, INPUT)
    if source is not None and source.type is not TensorType.FLOAT32:
        scratch_if_any(arena, average_pool(source.shape[3], arena.extensions))


AVERAGE_POOL_2D = ArenaUse("cmsis_nn/pooling.OpData", prepare=_prepare)
