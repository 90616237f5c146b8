"""CONV_2D and DEPTHWISE_CONV_2D: a multiplier and a shift for every channel, of floats too.

Source: tflite-micro `micro/kernels/conv_common.cc`, `depthwise_conv_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, decompress, look_at
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT, WEIGHTS, BIAS = 0, 1, 2
BYTES_PER_CHANNEL = 4
OPERANDS_OF_SCALING = "i0 i1 i2 o0"


def _prepare_conv(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "o0 i0 i1")
    per_channel(arena, node, axis=0)
    look_at(arena, node, OPERANDS_OF_SCALING)
    unpack_int4(arena, node)
    decompress(arena, node, WEIGHTS, BIAS)


def _prepare_depthwise(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "o0 i0 i1")
    per_channel(arena, node, axis=3)
    unpack_int4(arena, node)
    look_at(arena, node, OPERANDS_OF_SCALING)
    decompress(arena, node, WEIGHTS, BIAS)


def per_channel(arena: ArenaContext, node: Node, axis: int) -> None:
    """The multipliers of all channels, then the shifts."""
    weights = arena.input(node, WEIGHTS)
    if weights is not None:
        size = weights.shape[axis] * BYTES_PER_CHANNEL
        arena.persistent(size, "channel multipliers")
        arena.persistent(size, "channel shifts")


def unpack_int4(arena: ArenaContext, node: Node) -> None:
    """Room for four-bit weights, one byte each."""
    weights = arena.input(node, WEIGHTS)
    if weights is not None and weights.type is TensorType.INT4:
        arena.scratch(weights.size)


CONV_2D = ArenaUse("OpDataConv", prepare=_prepare_conv)
DEPTHWISE_CONV_2D = ArenaUse("OpDataConv", prepare=_prepare_depthwise)
