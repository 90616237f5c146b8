"""SOFTMAX of ESP-NN: for int8 a buffer of exponentials.

The kernel takes the second dimension for the length of a row, so that the buffer has as many
elements as there, whatever the rows are.

Source: esp-tflite-micro `micro/kernels/esp_nn/softmax.cc`, ESP-NN `src/softmax/*.c`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse
from tinyml_runtime.arena_uses.reference import softmax as reference
from tinyml_runtime.arena_uses.windows import scratch_if_any
from tinyml_runtime.errors import ArenaUnknownError
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT = 0
OUTPUT = 0

_ELEMENT_BYTES = 4


def _prepare(arena: ArenaContext, node: Node) -> None:
    reference.prepare(arena, node)
    source, output = arena.input(node, INPUT), arena.output(node, OUTPUT)
    if source is None or output is None or {source.type, output.type} != {TensorType.INT8}:
        return
    if len(source.shape) < 2:
        raise ArenaUnknownError(
            "SOFTMAX of a tensor with one dimension: ESP-NN's kernel reads the length of a second "
            "one, which is not there, so that its buffer may have any size"
        )
    scratch_if_any(arena, source.shape[1] * _ELEMENT_BYTES)


SOFTMAX = ArenaUse("esp_nn/softmax.NodeData", prepare=_prepare)
