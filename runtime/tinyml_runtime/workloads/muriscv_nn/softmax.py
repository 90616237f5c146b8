"""SOFTMAX: CMSIS-NN's loops, compiled for RISC-V. Floats take the reference's.

Source    tflite-micro `micro/kernels/cmsis_nn/softmax.cc`; muriscv-nn
          `Source/SoftmaxFunctions/muriscv_nn_softmax_common_s8.c`, `muriscv_nn_softmax_s16.c`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.softmax import count_softmax as count_cmsis_nn


def count_softmax(context: WorkContext, node: Node) -> Workload:
    """The loops of SOFTMAX."""
    loops = count_cmsis_nn(context, node)
    if operand(context.input(node, 0)).type not in (TensorType.INT8, TensorType.INT16):
        return loops
    return tuple(replace(work, loop=f"muriscv_{work.loop}") for work in loops)


SOFTMAX = count_softmax
