"""SOFTMAX: maximum, sum of exponentials and quotient of every row.

Elements of int8 too far below the row's maximum count as zero without an exponential.

Source    tflite-micro `lite/kernels/internal/reference/softmax.h`
"""

from __future__ import annotations

from math import frexp

from tinyml_runtime.model.options import SoftmaxOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.exponentials import near_elements

_DIFF_BITS = 5


def count_softmax(context: WorkContext, node: Node) -> Workload:
    """The loops of SOFTMAX, by the types of input and output."""
    source, output = operand(context.input(node, 0)), operand(context.output(node, 0))
    kind = f"softmax_{source.type.name.lower()}"
    if output.type is not source.type:
        kind += f"_{output.type.name.lower()}"
    depth = source.shape[-1] if source.shape else 1
    rows = source.size / max(1, depth)
    near = float(source.size)
    if source.type is TensorType.INT8:
        radius = input_radius(source.scale * node.options_as(SoftmaxOptions).beta)
        near = near_elements(context, node, radius)
    return (
        LoopWork(f"{kind}.call", entries=1),
        LoopWork(f"{kind}.dimension", trips=len(source.shape)),
        LoopWork(f"{kind}.row", trips=rows),
        LoopWork(f"{kind}.near", trips=near),
        LoopWork(f"{kind}.far", trips=source.size - near),
    )


def input_radius(scale: float) -> float:
    """The largest difference from the maximum of which the exponential is taken."""
    shift = frexp(min(scale * 2.0 ** (31 - _DIFF_BITS), 2.0**31 - 1))[1]
    return (2**_DIFF_BITS - 1) * 2.0 ** (31 - _DIFF_BITS - shift)


SOFTMAX = count_softmax
