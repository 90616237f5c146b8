"""SOFTMAX: maximum, sum of exponentials and quotient of every row.

Elements of int8 too far below the row's maximum count as zero without an exponential. How many
these are depends on the values: the scale tells how many differences there are that are not too
far, and most elements lie far below the maximum.

Source    tflite-micro `lite/kernels/internal/reference/softmax.h`
"""

from __future__ import annotations

from math import frexp

from tinyml_runtime.model.options import SoftmaxOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand

_DIFF_BITS = 5
_LARGEST_DIFF = 255
# Of a share of the differences, this power is the share of the elements.
_FEW = 1.5


def count_softmax(context: WorkContext, node: Node) -> Workload:
    """The loops of SOFTMAX, by the types of input and output."""
    source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
    kind = f"softmax_{source.type.name.lower()}"
    if output.type is not source.type:
        kind += f"_{output.type.name.lower()}"
    depth = source.shape[-1] if source.shape else 1
    rows = source.size / max(1, depth)
    near = float(depth)
    if source.type is TensorType.INT8:
        share = near_share(source.scale * node.options_as(SoftmaxOptions).beta)
        near = 1 + (depth - 1) * share**_FEW
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.dimension", trips=len(source.shape)),
        LoopWork(f"{kind}.row", trips=rows),
        LoopWork(f"{kind}.near", trips=rows * near),
        LoopWork(f"{kind}.far", trips=rows * (depth - near)),
    )


def near_share(scale: float) -> float:
    """The share of all differences from the maximum whose exponential is taken."""
    shift = frexp(min(scale * 2.0 ** (31 - _DIFF_BITS), 2.0**31 - 1))[1]
    radius = (2**_DIFF_BITS - 1) * 2.0 ** (31 - _DIFF_BITS - shift)
    return min(1.0, (int(radius) + 1) / (_LARGEST_DIFF + 1))


SOFTMAX = count_softmax
