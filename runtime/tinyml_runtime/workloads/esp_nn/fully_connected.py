"""FULLY_CONNECTED: of int8 one dot product for every output, batch by batch.

Source    esp-nn `src/fully_connected/esp_nn_fully_connected_ansi.c`,
          esp-tflite-micro `kernels/esp_nn/fully_connected.cc`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.reference.fully_connected import (
    count_fully_connected as count_reference,
)

INPUT, WEIGHTS = 0, 1
OUTPUT = 0


def count_fully_connected(context: WorkContext, node: Node) -> Workload:
    """The loops of FULLY_CONNECTED; those of other types are the reference's."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    if source.type is not TensorType.INT8 or weights.type is not TensorType.INT8:
        return count_reference(context, node)
    output = operand(context.output(node, OUTPUT))
    kind = "esp_fully_connected"
    if len(weights.quantization.scales) > 1:
        kind += "_per_channel"
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.batch", trips=output.size / max(1, output.shape[-1])),
        LoopWork(f"{kind}.depth", entries=output.size, trips=output.size * weights.shape[-1]),
    )


FULLY_CONNECTED = count_fully_connected
