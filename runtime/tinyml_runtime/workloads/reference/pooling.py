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

_ADDING = "average_pool"


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        options = node.options_as(Pool2DOptions)
        source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
        batch, height, width, channels = output.shape
        rows = count_taps(
            source.shape[1], options.filter_height, options.stride_h, 1, height, options.padding
        )
        columns = count_taps(
            source.shape[2], options.filter_width, options.stride_w, 1, width, options.padding
        )
        kind = f"{name}_{source.type.name.lower()}"
        taps = batch * channels * rows.inside * columns.inside
        # Quotients of sums far from zero may take longer: sums lie about the zero point.
        far = max(0, -source.zero_point) / 128 if source.type is TensorType.INT8 else 0
        divided = (LoopWork(f"{kind}.far", trips=output.size * far),) if name == _ADDING else ()
        return (
            LoopWork(f"{kind}.call", entries=1),
            *divided,
            LoopWork(f"{kind}.pixel", trips=batch * height * width),
            LoopWork(f"{kind}.output", trips=output.size),
            LoopWork(f"{kind}.row", trips=batch * channels * width * rows.inside),
            LoopWork(f"{kind}.tap", trips=taps),
            *(nonzero_sums(context, node, kind, taps) if name == _ADDING else ()),
        )

    return count


AVERAGE_POOL_2D = _count(_ADDING)
MAX_POOL_2D = _count("max_pool")
L2_POOL_2D = _count("l2_pool")
