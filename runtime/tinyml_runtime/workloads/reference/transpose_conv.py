"""TRANSPOSE_CONV: every input is spread over the outputs that its window reaches.

Source    tflite-micro `lite/kernels/internal/reference/integer_ops/transpose_conv.h`,
          `reference/transpose_conv.h`
"""

from __future__ import annotations

from tinyml_runtime.model.options import TransposeConvOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.windows import count_taps

WEIGHTS, INPUT = 1, 2
OUTPUT = 0


def count_transpose_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of TRANSPOSE_CONV, by the type of the input."""
    options = node.options_as(TransposeConvOptions)
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    output = operand(context.output(node, OUTPUT))
    batch, height, width, depth = source.shape
    filters, kernel_height, kernel_width, _ = weights.shape
    rows = count_taps(output.shape[1], kernel_height, options.stride_h, 1, height, options.padding)
    columns = count_taps(output.shape[2], kernel_width, options.stride_w, 1, width, options.padding)
    kind = f"transpose_conv_{source.type.name.lower()}"
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.channel", trips=source.size),
        LoopWork(f"{kind}.row", trips=source.size * kernel_height),
        LoopWork(f"{kind}.tap", trips=source.size * kernel_height * kernel_width),
        LoopWork(f"{kind}.filter", trips=batch * depth * rows.all * columns.all * filters),
        LoopWork(f"{kind}.inside", trips=batch * depth * rows.inside * columns.inside * filters),
        LoopWork(f"{kind}.output", trips=output.size),
    )


TRANSPOSE_CONV = count_transpose_conv
