"""Resource variables: a copy between a variable and a tensor; the rest at an assumed price.

Source    tflite-micro `micro/micro_resource_variable.cc`, `lite/micro/kernels/{assign_variable,
          read_variable,var_handle}.cc`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.workload import WorkContext, Workload, operand
from tinyml_runtime.workloads.copies import one_copy
from tinyml_runtime.workloads.generic import ONE_CALL

_VALUE = 1


def count_var_handle(context: WorkContext, node: Node) -> Workload:
    """VAR_HANDLE writes a number."""
    return ONE_CALL


def count_assign(context: WorkContext, node: Node) -> Workload:
    """ASSIGN_VARIABLE copies its second input."""
    return (*ONE_CALL, *_copied(operand(context.input(node, _VALUE))))


def count_read(context: WorkContext, node: Node) -> Workload:
    """READ_VARIABLE copies to its output."""
    return (*ONE_CALL, *_copied(operand(context.output(node, 0))))


def _copied(tensor: Tensor) -> Workload:
    return one_copy(tensor.size * tensor.dtype.itemsize)


VAR_HANDLE, ASSIGN_VARIABLE, READ_VARIABLE = count_var_handle, count_assign, count_read
