"""Operators on two tensors, element by element, with broadcasting.

Source    tflite-micro `lite/micro/kernels/{add,sub,mul,div,maximum_minimum,comparisons,...}.cc`
          and the files of the same names in `lite/kernels/internal/reference`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.reference.broadcast import broadcast_loops
from tinyml_runtime.workloads.signs import negative_share


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        first, second = (operand(context.input(node, place)) for place in (0, 1))
        output = operand(context.output(node, 0))
        kind = f"{name}_{first.type.name.lower()}"
        return broadcast_loops(kind, first.shape, second.shape, output.shape)

    return count


def _count_signed(name: str) -> CountLoops:
    """Of int8 what is rescaled, operands or their product, costs something else if negative."""
    count_loops = _count(name)

    def count(context: WorkContext, node: Node) -> Workload:
        loops = count_loops(context, node)
        if operand(context.input(node, 0)).type is not TensorType.INT8:
            return loops
        one, other = (negative_share(context, node, place) for place in (0, 1))
        share = one * (1 - other) + other * (1 - one) if name == "mul" else one + other
        size = operand(context.output(node, 0)).size
        return (*loops, LoopWork(f"{name}_int8.negative", trips=size * share))

    return count


ADD = _count_signed("add")
SUB = _count_signed("sub")
MUL = _count_signed("mul")
DIV = _count("div")
MAXIMUM = MINIMUM = _count("maximum_minimum")
SQUARED_DIFFERENCE = _count("squared_difference")
FLOOR_DIV = _count("floor_div")
FLOOR_MOD = _count("floor_mod")
EQUAL = NOT_EQUAL = GREATER = GREATER_EQUAL = LESS = LESS_EQUAL = _count("comparison")
LOGICAL_AND = LOGICAL_OR = _count("logical")
