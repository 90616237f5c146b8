"""CONV_2D: for every output and filter a walk over the window, clipped at the edges.

Source    tflite-micro `lite/kernels/internal/reference/integer_ops/conv.h`, `reference/conv.h`
"""

from __future__ import annotations

from tinyml_runtime.model.options import Conv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.products import nonzero_products
from tinyml_runtime.workloads.reference.int4 import unpack_loops
from tinyml_runtime.workloads.windows import convolution_taps

INPUT, WEIGHTS, BIAS = 0, 1, 2
OUTPUT = 0


def count_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of CONV_2D: each type is compiled apart, int16 with sums of 32 and of 64 bits."""
    options = node.options_as(Conv2DOptions)
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    batch, height, width, filters = output.shape
    rows, columns = convolution_taps(options, source.shape, weights.shape, output.shape)
    kind = f"conv_{source.type.name.lower()}"
    bias = context.input(node, BIAS)
    if source.type is TensorType.INT16 and (bias is None or bias.type is TensorType.INT32):
        kind += "_int32"
    inside = batch * filters * rows.inside * columns.inside
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.pixel", trips=batch * height * width),
        LoopWork(f"{kind}.output", trips=output.size),
        LoopWork(f"{kind}.row", trips=output.size * rows.taps),
        LoopWork(f"{kind}.tap", trips=output.size * rows.taps * columns.taps),
        LoopWork(f"{kind}.depth", entries=inside, trips=inside * weights.shape[3]),
        *nonzero_products(context, node, inside * weights.shape[3]),
        *unpack_loops(weights),
    )


CONV_2D = count_conv
