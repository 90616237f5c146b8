"""TRANSPOSE_CONV: multipliers and shifts for every channel, and sums for the whole output.

Source: tflite-micro `micro/kernels/transpose_conv.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, decompress, look_at
from tinyml_runtime.arena_uses.reference.conv import per_channel
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

WEIGHTS, INPUT, BIAS = 1, 2, 3
OUTPUT = 0
# int8 is added up in 32 bits, int16 in 64.
BYTES_PER_SUM = {TensorType.INT8: 4, TensorType.INT16: 8}
BYTES_PER_BIAS = 8


def _prepare(arena: ArenaContext, node: Node) -> None:
    source, output = arena.input(node, INPUT), arena.output(node, OUTPUT)
    if source is None or output is None:
        return
    per_channel(arena, node, axis=0)
    if source.type in BYTES_PER_SUM:
        arena.scratch(output.size * BYTES_PER_SUM[source.type])
    if source.type is not TensorType.FLOAT32:
        look_at(arena, node, "i2 i1 i3 o0")
    bias = arena.input(node, BIAS)
    if source.type is TensorType.INT16 and bias is not None and bias.type is TensorType.INT16:
        arena.scratch(bias.size * BYTES_PER_BIAS)
    decompress(arena, node, WEIGHTS, BIAS)


TRANSPOSE_CONV = ArenaUse("transpose_conv.OpData", "o0 i2 i1", prepare=_prepare)
