"""CONV_2D and DEPTHWISE_CONV_2D of ESP-NN: as the reference, and a buffer to work in on S3 and P4.

Source: esp-tflite-micro `micro/kernels/esp_nn/conv.cc`, `depthwise_conv.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.arena_uses.esp_nn import esp32p4, esp32s3
from tinyml_runtime.arena_uses.reference.conv import OPERANDS_OF_SCALING, per_channel, unpack_int4
from tinyml_runtime.arena_uses.windows import scratch_if_any, windows_of_node
from tinyml_runtime.model.options import Conv2DOptions, DepthwiseConv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT = 0


def _prepare_conv(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "o0 i0 i1")
    per_channel(arena, node, axis=0)
    look_at(arena, node, OPERANDS_OF_SCALING)
    unpack_int4(arena, node)
    windows = windows_of_node(arena, node, node.options_as(Conv2DOptions))
    if windows is None or not _is_int8(arena, node):
        return
    if "esp32s3" in arena.extensions:
        scratch_if_any(arena, esp32s3.convolve_s8(windows))
    elif "esp32p4" in arena.extensions:
        scratch_if_any(arena, esp32p4.convolve_s8(windows))


def _prepare_depthwise(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "o0 i0 i1")
    per_channel(arena, node, axis=3)
    unpack_int4(arena, node)
    look_at(arena, node, OPERANDS_OF_SCALING)
    options = node.options_as(DepthwiseConv2DOptions)
    windows = windows_of_node(arena, node, options)
    if windows is not None and _is_int8(arena, node) and "esp32s3" in arena.extensions:
        scratch_if_any(arena, esp32s3.depthwise_s8(windows, options.depth_multiplier))


def _is_int8(arena: ArenaContext, node: Node) -> bool:
    source = arena.input(node, INPUT)
    return source is not None and source.type is TensorType.INT8


CONV_2D = ArenaUse("esp_nn/conv.NodeData", prepare=_prepare_conv)
DEPTHWISE_CONV_2D = ArenaUse("esp_nn/depthwise_conv.NodeData", prepare=_prepare_depthwise)
