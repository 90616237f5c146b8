"""Kernels that are CMSIS-NN's in plain C, with the same loops, compiled for RISC-V.

Other types than those here take the reference's kernels. TRANSPOSE_CONV with more than 16 channels,
and steps of up to 2, should be a convolution with turned weights: that is not written, and returns
an error.

Source    tflite-micro `micro/kernels/cmsis_nn/*.cc`; muriscv-nn
          `Source/SoftmaxFunctions/muriscv_nn_softmax_common_s8.c`, `muriscv_nn_softmax_s16.c`,
          `Source/BasicMathFunctions/muriscv_nn_{maximum,minimum}_s8.c`,
          `Source/PadFunctions/muriscv_nn_pad_s8.c`,
          `Source/TransposeFunctions/muriscv_nn_transpose_s8.c`,
          `Source/ConvolutionFunctions/muriscv_nn_transpose_conv_s8.c`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn import (
    maximum_minimum,
    pad,
    softmax,
    transpose,
    transpose_conv,
)

INT8, INT16 = TensorType.INT8, TensorType.INT16


def _count(count_cmsis_nn: CountLoops, *types: TensorType, position: int = 0) -> CountLoops:
    """The same loops under names of their own, where the input at `position` has such a type.

    Loops of the reference, which CMSIS-NN takes for some shapes, keep their names: those have the
    name of the type in them.
    """

    def count(context: WorkContext, node: Node) -> Workload:
        loops = count_cmsis_nn(context, node)
        kind = operand(context.input(node, position)).type
        if kind not in types or any(kind.name.lower() in work.loop for work in loops):
            return loops
        return tuple(replace(work, loop=f"muriscv_{work.loop}") for work in loops)

    return count


SOFTMAX = _count(softmax.SOFTMAX, INT8, INT16)
MAXIMUM = _count(maximum_minimum.MAXIMUM, INT8)
MINIMUM = _count(maximum_minimum.MINIMUM, INT8)
PAD = _count(pad.PAD, INT8)
PADV2 = _count(pad.PADV2, INT8)
TRANSPOSE = _count(transpose.TRANSPOSE, INT8)
TRANSPOSE_CONV = _count(transpose_conv.TRANSPOSE_CONV, INT8, position=2)
