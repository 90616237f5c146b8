"""AVERAGE_POOL_2D, MAX_POOL_2D: for every output a walk over the part of its window in the image.

Source    tflite-micro `lite/kernels/internal/reference/integer_ops/pooling.h`,
          `reference/pooling.h`
"""

from __future__ import annotations

from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.products import nonzero_sums
from tinyml_runtime.workloads.windows import count_taps


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
        batch, height, width, channels = output.shape
        rows, columns = _taps(context, node)
        kind = f"{name}_{source.type.name.lower()}"
        return (
            LoopWork(f"{kind}.call", entries=1),
            LoopWork(f"{kind}.pixel", trips=batch * height * width),
            LoopWork(f"{kind}.output", trips=output.size),
            LoopWork(f"{kind}.row", trips=batch * channels * width * rows),
            LoopWork(f"{kind}.tap", trips=batch * channels * rows * columns),
        )

    return count


def _taps(context: WorkContext, node: Node) -> tuple[int, int]:
    """Rows, and columns, of the image that all windows down, or across, have."""
    options = node.options_as(Pool2DOptions)
    _, height, width, _ = operand(context.input(node, 0)).shape
    _, down, across, _ = operand(context.output(node, 0)).shape
    padding = options.padding
    rows = count_taps(height, options.filter_height, options.stride_h, 1, down, padding)
    columns = count_taps(width, options.filter_width, options.stride_w, 1, across, padding)
    return rows.inside, columns.inside


def count_average_pool(context: WorkContext, node: Node) -> Workload:
    """The loops of AVERAGE_POOL_2D, where values matter to additions and quotients."""
    source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
    rows, columns = _taps(context, node)
    kind = f"average_pool_{source.type.name.lower()}"
    # Quotients of sums far from zero may take longer: sums lie about the zero point.
    far = max(0, -source.zero_point) / 128 if source.type is TensorType.INT8 else 0
    return (
        *_count("average_pool")(context, node),
        LoopWork(f"{kind}.far", trips=output.size * far),
        *nonzero_sums(context, node, kind, output.shape[0] * output.shape[3] * rows * columns),
    )


AVERAGE_POOL_2D = count_average_pool
MAX_POOL_2D = _count("max_pool")
L2_POOL_2D = _count("l2_pool")
