"""TRANSPOSE: a recursion over the dimensions, element by element in the last one.

Source    tflite-micro `lite/kernels/internal/reference/transpose.h`,
          `lite/micro/kernels/transpose.cc`
"""

from __future__ import annotations

from math import prod

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand


def count_transpose(context: WorkContext, node: Node) -> Workload:
    """The loops of TRANSPOSE."""
    output = operand(context.output(node, 0))
    loops = transpose_loops(output.shape, output.dtype.itemsize)
    return (LoopWork("transpose.call", entries=1), *loops)


def transpose_loops(shape: tuple[int, ...], size: int) -> Workload:
    """Those of its recursion, for an output of that shape and elements of `size` bytes."""
    visits = sum(prod(shape[:depth]) for depth in range(len(shape)))
    return (
        LoopWork("transpose.visit", trips=visits),
        LoopWork(f"transpose_of_{size}.element", trips=prod(shape)),
    )


TRANSPOSE = count_transpose
