"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL: a walk over all elements of the input.

At every element its place and that of its output are worked out anew, which takes most of the time:
two walks over the dimensions, each of which is looked for among the axes in the second one; those
that stay give the offset. Then the index moves on, with a carry at the end of a row.

Source    tflite-micro `lite/kernels/internal/reference/reduce.h`, `lite/kernels/internal/types.h`,
          `lite/micro/kernels/reduce_common.cc`
"""

from __future__ import annotations

from math import prod

from tinyml_runtime.model.options import ReducerOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.generic import count_taken

INPUT, AXES = 0, 1
# What GCC 12.2 makes of the loops for a Cortex-M4, in instructions: other cores, and the copies of
# this code in each kernel, take about as many times more.
_DIMENSION, _SEARCH, _RESUMED, _QUESTION = 5, 3, 5, 6
_FOUND, _GOES_ON, _KEPT, _CARRY = 7, 2, 9, 11
_IMAGE_RANK, _IMAGE_AXES = 4, [1, 2]


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        source, output = operand(context.input(node, INPUT)), operand(context.output(node, 0))
        axes = _axes(context.input(node, AXES), len(source.shape))
        kind = f"{name}_{source.type.name.lower()}"
        if name in ("mean", "sum") and source.type is not TensorType.FLOAT32:
            kind = f"quantized_mean_{source.type.name.lower()}"
        elif name == "mean" and _is_image(source, axes, node):
            return count_taken(context, node)
        outputs = output.size if "mean" in kind else 0
        steps = source.size * _steps(axes, len(source.shape)) + _CARRY * _carries(source.shape)
        return (
            LoopWork(f"{kind}.element", trips=source.size),
            LoopWork(f"{kind}.output", trips=outputs),
            LoopWork("reduce.step", entries=1, trips=steps),
        )

    return count


def _axes(tensor: Tensor | None, rank: int) -> list[int]:
    """The axes in their order, each once; those that only a run tells are taken to be all."""
    if tensor is None or not tensor.is_constant or not rank:
        return list(range(rank))
    return list(dict.fromkeys(int(axis) % rank for axis in tensor.values.reshape(-1)))


def _is_image(source: Tensor, axes: list[int], node: Node) -> bool:
    """Whether the kernel for height and width of an image runs, which nobody has counted."""
    keeps = node.options_as(ReducerOptions).keep_dims
    return keeps and len(source.shape) == _IMAGE_RANK and sorted(axes) == _IMAGE_AXES


def _steps(axes: list[int], rank: int) -> int:
    """Steps of the walks over the dimensions that one element takes."""
    steps = _DIMENSION * rank
    for axis in range(rank):
        is_axis, follows_axis = axis in axes, axis - 1 in axes
        asked = axes.index(axis) if is_axis else len(axes)
        steps += _SEARCH + _QUESTION * asked + (0 if follows_axis else _RESUMED)
        steps += _FOUND + (_GOES_ON if axis < rank - 1 else 0) if is_axis else _KEPT
    return steps


def _carries(shape: tuple[int, ...]) -> int:
    """How often an index starts anew on its way over all elements."""
    return sum(prod(shape[:axis]) for axis in range(len(shape)))


MEAN = _count("mean")
SUM = _count("sum")
# The same template, with the other comparison.
REDUCE_MAX = REDUCE_MIN = _count("reduce_max")
REDUCE_ALL = _count("reduce_all")
