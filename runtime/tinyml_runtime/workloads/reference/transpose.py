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
    inner = sum(prod(shape[:depth]) for depth in range(len(shape) - 1))
    return (
        LoopWork("transpose.dimension", trips=len(shape)),
        LoopWork("transpose.level", trips=inner),
        LoopWork(f"transpose_of_{size}.element", entries=prod(shape[:-1]), trips=prod(shape)),
    )


TRANSPOSE = count_transpose
