"""FULLY_CONNECTED of CMSIS-NN: with more than two dimensions a pointwise convolution.

Source: tflite-micro `micro/kernels/cmsis_nn/fully_connected.cc`, `fully_connected_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.arena_uses.cmsis_nn.buffer_sizes import fully_connected_s8
from tinyml_runtime.arena_uses.reference.conv import BYTES_PER_CHANNEL
from tinyml_runtime.arena_uses.reference.fully_connected import per_unit
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT, WEIGHTS, BIAS = 0, 1, 2
OUTPUT = 0


def _prepare(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 i1 i2 o0")
    per_unit(arena, node)
    weights, output = arena.input(node, WEIGHTS), arena.output(node, OUTPUT)
    source = arena.input(node, INPUT)
    if source is None or weights is None or output is None:
        return
    if source.type is not TensorType.INT8 or weights.type is TensorType.INT4:
        return
    units = output.shape[-1]
    if len(output.shape) > 2 and weights.shape[-1] % 4 == 0:
        # A convolution has a multiplier and a shift for every unit: one scale is repeated.
        if not (weights.is_quantized and len(weights.quantization.scales) > 1):
            arena.scratch(2 * units * BYTES_PER_CHANNEL)
        return
    _sums(arena, node, fully_connected_s8(units, arena.extensions))


def _sums(arena: ArenaContext, node: Node, size: int) -> None:
    """The sums of the weights: made once where they cannot change."""
    operands = arena.input(node, WEIGHTS), arena.input(node, BIAS)
    if not size:
        return
    if all(tensor is None or tensor.is_constant for tensor in operands):
        arena.persistent(size, "sums of weights")
    else:
        arena.scratch(size)


FULLY_CONNECTED = ArenaUse("cmsis_nn/fully_connected.OpData", prepare=_prepare)
