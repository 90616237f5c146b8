"""RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR: a place in the input for every row and every pixel.

Nearest neighbours are copied pixel by pixel; between neighbours each channel is interpolated.
Places are floats but for RESIZE_BILINEAR of int8.

Source    tflite-micro `lite/kernels/internal/reference/resize_bilinear.h`,
          `resize_nearest_neighbor.h`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.copies import WORD, aligned_by_offset, count_copies


def count_bilinear(context: WorkContext, node: Node) -> Workload:
    """The loops of RESIZE_BILINEAR."""
    output = operand(context.output(node, 0))
    element = LoopWork(f"resize_bilinear_{output.type.name.lower()}.element", trips=output.size)
    if output.type is not TensorType.FLOAT32:
        return (element,)
    return (_places(output.shape), element)


def count_nearest(context: WorkContext, node: Node) -> Workload:
    """The loops of RESIZE_NEAREST_NEIGHBOR."""
    output = operand(context.output(node, 0))
    pixels = output.size // max(1, output.shape[-1])
    length = output.shape[-1] * output.dtype.itemsize
    # Whether pixels lie on words repeats itself after so many of them.
    found = aligned_by_offset(length, ((turn * length, turn * length) for turn in range(WORD)))
    copies = {copy: times * pixels / WORD for copy, times in found.items()}
    return (_places(output.shape), *count_copies(copies))


def _places(shape: tuple[int, ...]) -> LoopWork:
    batch, height, width = shape[:3]
    return LoopWork("resize.place", trips=batch * height * (1 + width))


RESIZE_BILINEAR = count_bilinear
RESIZE_NEAREST_NEIGHBOR = count_nearest
