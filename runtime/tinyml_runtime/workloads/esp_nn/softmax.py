"""SOFTMAX: from int8 to int8 every exponential is worked out once, and kept.

Source    esp-nn `src/softmax/esp_nn_softmax_opt.c`, esp-tflite-micro `kernels/esp_nn/softmax.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.reference.softmax import count_softmax as count_reference


def count_softmax(context: WorkContext, node: Node) -> Workload:
    """The loops of SOFTMAX; those of other types are the reference's."""
    loops = count_reference(context, node)
    types = operand(context.input(node, 0)).type, operand(context.output(node, 0)).type
    if types != (TensorType.INT8, TensorType.INT8):
        return loops
    return [replace(work, loop=f"esp_{work.loop}") for work in loops]


SOFTMAX = count_softmax
