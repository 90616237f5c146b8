"""FULLY_CONNECTED: multipliers and shifts where the weights have a scale for every unit.

Source: tflite-micro `micro/kernels/fully_connected.cc`, `fully_connected_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, decompress, look_at
from tinyml_runtime.arena_uses.reference.conv import BYTES_PER_CHANNEL, unpack_int4
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT, WEIGHTS, BIAS = 0, 1, 2


def _prepare(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 i1 i2 o0")
    unpack_int4(arena, node)
    per_unit(arena, node)
    decompress(arena, node, WEIGHTS, BIAS)


def per_unit(arena: ArenaContext, node: Node) -> None:
    """Multipliers, then shifts, of integer weights with several scales."""
    source, weights = arena.input(node, INPUT), arena.input(node, WEIGHTS)
    if source is None or weights is None or source.type is TensorType.FLOAT32:
        return
    scales = len(weights.quantization.scales)
    if weights.is_quantized and scales > 1:
        arena.persistent(scales * BYTES_PER_CHANNEL, "channel multipliers")
        arena.persistent(scales * BYTES_PER_CHANNEL, "channel shifts")


FULLY_CONNECTED = ArenaUse("OpDataFullyConnected", prepare=_prepare)
