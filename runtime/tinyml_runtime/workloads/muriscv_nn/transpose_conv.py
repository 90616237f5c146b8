"""TRANSPOSE_CONV: of int8 the library's own kernel, which nobody has counted.

With more than 16 channels, and steps of up to 2, it should be a convolution with turned weights. That
is not written, and returns an error. Other types take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/transpose_conv.cc`; muriscv-nn
          `Source/ConvolutionFunctions/muriscv_nn_transpose_conv_wrapper_s8.c`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import reference
from tinyml_runtime.workloads.generic import count_made

_SOURCE = 2


def count_transpose_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of TRANSPOSE_CONV."""
    if operand(context.input(node, _SOURCE)).type is TensorType.INT8:
        return count_made(context, node)
    return reference("TRANSPOSE_CONV")(context, node)


TRANSPOSE_CONV = count_transpose_conv
