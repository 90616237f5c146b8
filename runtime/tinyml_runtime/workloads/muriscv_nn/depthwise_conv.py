"""DEPTHWISE_CONV_2D: by a kernel for 3 by 3, or by plain loops; their structure is CMSIS-NN's.

Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/depthwise_conv.cc`; muriscv-nn
          `Source/ConvolutionFunctions/muriscv_nn_depthwise_conv_wrapper_s8.c`,
          `muriscv_nn_depthwise_conv_3x3_s8.c`, `muriscv_nn_depthwise_conv_s8.c`,
          `muriscv_nn_depthwise_conv_s8_opt.c`, `muriscv_nn_depthwise_conv_s16.c`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.arena_uses.windows import conv_windows
from tinyml_runtime.model.options import DepthwiseConv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import once, reference
from tinyml_runtime.workloads.cmsis_nn.depthwise_conv import (
    by_loops,
    is_three_by_three,
    three_by_three,
)
from tinyml_runtime.workloads.generic import count_made

INPUT, WEIGHTS = 0, 1
OUTPUT = 0


def count_depthwise(context: WorkContext, node: Node) -> Workload:
    """The loops of DEPTHWISE_CONV_2D."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    if source.type is TensorType.FLOAT32:
        return reference("DEPTHWISE_CONV_2D")(context, node)
    if weights.type is TensorType.INT4:
        return count_made(context, node)  # nobody has counted that kernel
    windows = conv_windows(
        source,
        weights,
        operand(context.output(node, OUTPUT)),
        node.options_as(DepthwiseConv2DOptions),
    )
    if source.type is TensorType.INT16:
        kind, loops = "s16", by_loops("depthwise_conv_s16", windows)
    elif is_three_by_three(windows):
        kind, loops = "s8", three_by_three(windows)
    else:
        kind, loops = "s8", by_loops("depthwise_conv_s8", windows)
    call = once(f"depthwise_{kind}.call")
    return tuple(replace(work, loop=f"muriscv_{work.loop}") for work in (call, *loops))


DEPTHWISE_CONV_2D = count_depthwise
