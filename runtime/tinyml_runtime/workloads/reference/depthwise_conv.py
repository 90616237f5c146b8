"""DEPTHWISE_CONV_2D: for every output a walk over the window of its one channel.

Source    tflite-micro `lite/kernels/internal/reference/integer_ops/depthwise_conv.h`,
          `reference/depthwiseconv_float.h`, `lite/micro/kernels/depthwise_conv.cc`
"""

from __future__ import annotations

from tinyml_runtime.model.options import DepthwiseConv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.products import nonzero_products
from tinyml_runtime.workloads.reference.int4 import unpack_loops
from tinyml_runtime.workloads.windows import convolution_taps

INPUT, WEIGHTS = 0, 1
OUTPUT = 0


def count_depthwise_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of DEPTHWISE_CONV_2D; of float32, int8 and int16, each compiled apart."""
    options = node.options_as(DepthwiseConv2DOptions)
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    batch, height, width, channels = output.shape
    rows, columns = convolution_taps(options, source.shape, weights.shape, output.shape)
    inside = batch * channels * rows.inside * columns.inside
    kind = f"depthwise_conv_{source.type.name.lower()}"
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.pixel", trips=batch * height * width),
        LoopWork(f"{kind}.channel", trips=batch * height * width * source.shape[3]),
        LoopWork(f"{kind}.output", trips=output.size),
        LoopWork(f"{kind}.row", trips=output.size * rows.taps),
        LoopWork(f"{kind}.tap", trips=output.size * rows.taps * columns.taps),
        LoopWork(f"{kind}.inside", trips=inside),
        *nonzero_products(context, node, inside),
        *unpack_loops(weights),
    )


DEPTHWISE_CONV_2D = count_depthwise_conv
