"""AVERAGE_POOL_2D, MAX_POOL_2D: of int8 the reference's loops, compiled from other code.

Source    esp-nn `src/pooling/esp_nn_{avg,max}_pool_ansi.c`,
          esp-tflite-micro `kernels/esp_nn/pooling.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, WorkContext, Workload, operand
from tinyml_runtime.workloads.reference import pooling


def _count(reference: CountLoops) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        loops = reference(context, node)
        if operand(context.input(node, 0)).type is not TensorType.INT8:
            return loops
        return [replace(work, loop=f"esp_{work.loop}") for work in loops]

    return count


AVERAGE_POOL_2D = _count(pooling.AVERAGE_POOL_2D)
MAX_POOL_2D = _count(pooling.MAX_POOL_2D)
