"""ADD, MUL of int8 tensors of one shape: a flat loop. All others are left to the reference.

Source    esp-nn `src/basic_math/esp_nn_{add,mul}_ansi.c`,
          esp-tflite-micro `kernels/esp_nn/{add,mul}.cc`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, WorkContext, Workload, operand
from tinyml_runtime.workloads.reference import binary


def _count(name: str, reference: CountLoops) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        loops = reference(context, node)
        if operand(context.input(node, 0)).type is not TensorType.INT8:
            return loops
        # The tensors differ in shape if there is a nest of loops.
        return [replace(work, loop=work.loop.replace(name, f"esp_{name}", 1)) for work in loops]

    return count


ADD = _count("add_int8", binary.ADD)
MUL = _count("mul_int8", binary.MUL)
