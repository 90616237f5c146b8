"""CONV_2D and DEPTHWISE_CONV_2D of CMSIS-NN: no multipliers for floats, and a buffer to work in.

Of the bias of CONV_2D, TFLM asks as an output, which there is none of: that takes no room.

Source: tflite-micro `micro/kernels/cmsis_nn/conv.cc`, `depthwise_conv.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.arena_uses.cmsis_nn.buffer_sizes import (
    convolve_s8,
    convolve_s16,
    depthwise_s4,
    depthwise_s8,
)
from tinyml_runtime.arena_uses.reference.conv import OPERANDS_OF_SCALING, per_channel
from tinyml_runtime.arena_uses.windows import scratch_if_any, windows_of_node
from tinyml_runtime.model.options import Conv2DOptions, DepthwiseConv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT, WEIGHTS = 0, 1


def _prepare_conv(arena: ArenaContext, node: Node) -> None:
    kind = look_at_conv(arena, node)
    windows = windows_of_node(arena, node, node.options_as(Conv2DOptions))
    if windows is None or kind is TensorType.FLOAT32:
        return
    size_of = convolve_s8 if kind is TensorType.INT8 else convolve_s16
    scratch_if_any(arena, size_of(windows, arena.extensions))


def _prepare_depthwise(arena: ArenaContext, node: Node) -> None:
    kind = _scale(arena, node, axis=3)
    weights = arena.input(node, WEIGHTS)
    windows = windows_of_node(arena, node, node.options_as(DepthwiseConv2DOptions))
    if windows is None or weights is None or kind is not TensorType.INT8:
        return
    size_of = depthwise_s4 if weights.type is TensorType.INT4 else depthwise_s8
    scratch_if_any(arena, size_of(windows, arena.extensions))


def look_at_conv(arena: ArenaContext, node: Node) -> TensorType | None:
    """All calls of CONV_2D before the buffer; gives the type of the input."""
    return _scale(arena, node, axis=0)


def _scale(arena: ArenaContext, node: Node, axis: int) -> TensorType | None:
    """All calls before the buffer; gives the type of the input."""
    look_at(arena, node, "i0 i1 o0")
    source = arena.input(node, INPUT)
    kind = None if source is None else source.type
    if kind is not TensorType.FLOAT32:
        per_channel(arena, node, axis)
    look_at(arena, node, OPERANDS_OF_SCALING)
    return kind


CONV_2D = ArenaUse("cmsis_nn/conv.OpData", prepare=_prepare_conv)
DEPTHWISE_CONV_2D = ArenaUse("cmsis_nn/depthwise_conv.OpData", prepare=_prepare_depthwise)
