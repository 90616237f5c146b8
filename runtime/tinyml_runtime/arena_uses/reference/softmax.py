"""SOFTMAX: two look-up tables for int16.

Source: tflite-micro `micro/kernels/softmax_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT = 0
# 513 values of 16 bits.
TABLE_BYTES = 1026


def prepare(arena: ArenaContext, node: Node) -> None:
    """The calls of Prepare."""
    look_at(arena, node, "i0 o0")
    source = arena.input(node, INPUT)
    if source is not None and source.type is TensorType.INT16:
        arena.persistent(TABLE_BYTES, "table of the exponential")
        arena.persistent(TABLE_BYTES, "table of the reciprocal")


SOFTMAX = ArenaUse("SoftmaxParams", prepare=prepare)
