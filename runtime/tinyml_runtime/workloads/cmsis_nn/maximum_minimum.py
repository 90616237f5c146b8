"""MAXIMUM and MINIMUM of int8: runs without broadcasting, one by one, or sixteen with MVE.

Other types take the reference's kernels.

Source    tflite-micro `micro/kernels/cmsis_nn/maximum_minimum.cc`; CMSIS-NN
          `Source/BasicMathFunctions/arm_maximum_s8.c`, `arm_minimum_s8.c`
"""

from __future__ import annotations

from math import prod

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, reference, turns

_RANK = 4


def _count(operator: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        first, second = (operand(context.input(node, place)) for place in (0, 1))
        output = operand(context.output(node, 0))
        if output.type is not TensorType.INT8:
            return reference(operator)(context, node)
        axis, length = _run(*(_padded(tensor.shape) for tensor in (first, second)))
        runs = output.size // max(1, length)
        piece = "scalar" if 1 in (first.size, second.size) else "pairs"
        trips = runs * (vector_trips(length) if MVE in context.extensions else length)
        return (
            LoopWork("maximum_s8.call", 1, len(output.shape)),
            turns(f"maximum_s8.run_{axis}", runs),
            LoopWork(f"maximum_s8.{piece}", runs, trips),
        )

    return count


def _padded(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (_RANK - len(shape)) + shape


def _run(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, int]:
    """The dimension below which no broadcasting is needed, and the elements that are there."""
    larger = tuple(max(pair) for pair in zip(first, second, strict=False))
    for axis in range(len(larger)):
        below = first[axis:], second[axis:]
        if below[0] == below[1] or 1 in (prod(below[0]), prod(below[1])):
            return axis, prod(larger[axis:])
    return len(larger), 1


MAXIMUM = _count("MAXIMUM")
MINIMUM = _count("MINIMUM")
