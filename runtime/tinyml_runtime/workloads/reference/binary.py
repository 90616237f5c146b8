"""Operators on two tensors, element by element, with broadcasting.

Source    tflite-micro `lite/micro/kernels/{add,sub,mul,div,maximum_minimum,comparisons,...}.cc`
          and the files of the same names in `lite/kernels/internal/reference`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.workload import CountLoops, WorkContext, Workload, operand
from tinyml_runtime.workloads.reference.broadcast import broadcast_loops


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        first, second = (operand(context.input(node, place)) for place in (0, 1))
        output = operand(context.output(node, 0))
        kind = f"{name}_{first.type.name.lower()}"
        return broadcast_loops(kind, first.shape, second.shape, output.shape)

    return count


ADD = _count("add")
SUB = _count("sub")
MUL = _count("mul")
DIV = _count("div")
MAXIMUM = MINIMUM = _count("maximum_minimum")
SQUARED_DIFFERENCE = _count("squared_difference")
FLOOR_DIV = _count("floor_div")
FLOOR_MOD = _count("floor_mod")
EQUAL = NOT_EQUAL = GREATER = GREATER_EQUAL = LESS = LESS_EQUAL = _count("comparison")
LOGICAL_AND = LOGICAL_OR = _count("logical")
