"""TRANSPOSE_CONV of CMSIS-NN: for int8 two buffers, the second perhaps of no bytes.

Source: tflite-micro `micro/kernels/cmsis_nn/transpose_conv.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.arena_uses.cmsis_nn.buffer_sizes import (
    reversed_weights_s8,
    transpose_convolve_s8,
)
from tinyml_runtime.arena_uses.reference.conv import per_channel
from tinyml_runtime.arena_uses.windows import windows_of
from tinyml_runtime.model.options import TransposeConvOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType

WEIGHTS, INPUT, BIAS = 1, 2, 3
OUTPUT = 0

_ACCUMULATOR_BYTES = 8


def _prepare(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "o0 i2 i1")
    per_channel(arena, node, axis=0)
    source, weights = arena.input(node, INPUT), arena.input(node, WEIGHTS)
    output = arena.output(node, OUTPUT)
    if source is None or weights is None or output is None or source.type is TensorType.FLOAT32:
        return
    if source.type is TensorType.INT8:
        _int8_buffers(arena, node, source, weights, output)
    else:
        arena.scratch(output.size * _ACCUMULATOR_BYTES)
    look_at(arena, node, "i2 i1 i3 o0")
    bias = arena.input(node, BIAS)
    if bias is not None and bias.type is TensorType.INT16:
        arena.scratch(bias.size * _ACCUMULATOR_BYTES)


def _int8_buffers(
    arena: ArenaContext, node: Node, source: Tensor, weights: Tensor, output: Tensor
) -> None:
    options = node.options_as(TransposeConvOptions)
    strides = options.stride_h, options.stride_w
    windows = windows_of(source, weights, output, strides, options.padding, (1, 1))
    arena.scratch(transpose_convolve_s8(windows, arena.extensions))
    arena.scratch(reversed_weights_s8(windows))


TRANSPOSE_CONV = ArenaUse("cmsis_nn/transpose_conv.OpData", prepare=_prepare)
