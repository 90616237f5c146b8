"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE: state that outlives an invocation.

Shapes    handle [1]; the value that is read or assigned has any shape, always of as many bytes
Types     the handle is RESOURCE or int32, the variable's number; values of any type
Units     values are copied byte by byte; a variable starts with its first value's zero point in
          every byte
Source    tflite-micro `micro/kernels/var_handle.cc`, `read_variable.cc`, `assign_variable.cc`,
          `micro/micro_resource_variable.cc`

Container and name together identify a variable. A name without a container finds in TFLM the
variable of that name in any container; here it stands for the container without a name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.model.options import VarHandleOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_type,
)
from tinyml_runtime.resource_variables import ResourceVariable
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

HANDLE, VALUE = 0, 1
OUTPUT = 0


@dataclass(frozen=True, slots=True)
class VariableData:
    """The variable's number, or the variable, where `prepare` knows it."""

    number: int = -1
    variable: ResourceVariable | None = None


def prepare_handle(context: PrepareContext, node: Node) -> VariableData:
    """Name the variable."""
    options = node.options_as(VarHandleOptions)
    output = context.output(node, OUTPUT)
    _check_handle(output)
    number = context.variables.name(options.container, options.shared_name)
    context.variables.set_handle(node.subgraph, output.index, number)
    return VariableData(number)


def evaluate_handle(context: EvalContext, node: Node, data: VariableData) -> None:
    """Give the variable's number."""
    context.output(node, OUTPUT).values.fill(data.number)


def prepare_read(context: PrepareContext, node: Node) -> VariableData:
    """Check the handle; which variable it is and how long, only a run can say."""
    _check_handle(context.input(node, HANDLE))
    context.output(node, OUTPUT)
    return VariableData()


def evaluate_read(context: EvalContext, node: Node, data: VariableData) -> None:
    """Copy from the variable."""
    output = context.output(node, OUTPUT).values
    _bytes(output)[...] = _find(context, node, output)


def prepare_assign(context: PrepareContext, node: Node) -> VariableData:
    """Make room for the variable, unless another node has."""
    check(len(node.inputs) == 2, f"there are {len(node.inputs)} inputs, not 2")
    check(not node.outputs, f"there are {len(node.outputs)} outputs; this operator has none")
    handle, value = context.input(node, HANDLE), context.input(node, VALUE)
    _check_handle(handle)
    number = context.variables.handle(node.subgraph, handle.index)
    if handle.is_constant:
        number = int(handle.values.reshape(-1)[0])
    if number is None:
        return VariableData()
    variable = context.variables.find(number)
    if variable is None:
        raise NodeError(f"Attempting to read non-existent resource variable {number}")
    size = variable.allocate(value)
    check(
        size == value.size * value.dtype.itemsize,
        f"the variable '{variable.shared_name}' has {size} bytes, which does not fit the value",
    )
    return VariableData(number, variable)


def evaluate_assign(context: EvalContext, node: Node, data: VariableData) -> None:
    """Copy to the variable."""
    value = context.input(node, VALUE).values
    _find(context, node, value)[...] = _bytes(value)


def reset_variable(data: VariableData) -> None:
    """Give the variable its initial value, whether or not it was assigned another."""
    if data.variable is not None:
        data.variable.reset()


def _check_handle(tensor: Tensor) -> None:
    check_type(tensor, "the handle", TensorType.RESOURCE, TensorType.INT32)
    check(tensor.size == 1, f"the handle has {tensor.size} elements, not 1")


def _find(context: EvalContext, node: Node, array: Array) -> Array:
    """The bytes of the variable that the handle names, as many as `array` has."""
    number = int(context.input(node, HANDLE).values.reshape(-1)[0])
    variable = context.variables.find(number)
    place = f"{node.operator} (subgraph {node.subgraph}, node {node.index})"
    if variable is None:
        raise RunError(f"{place}: Attempting to read non-existent resource variable {number}")
    if variable.values is None:
        raise RunError(f"{place}: no node assigns to the variable '{variable.shared_name}'")
    if variable.values.nbytes != array.nbytes:
        raise RunError(
            f"{place}: the variable '{variable.shared_name}' has {variable.values.nbytes} bytes, "
            f"the node's tensor {array.nbytes}"
        )
    return variable.values


def _bytes(array: Array) -> Array:
    return array.reshape(-1).view(np.int8)


VAR_HANDLE = Registration(BuiltinOperator.VAR_HANDLE, prepare_handle, evaluate_handle)
READ_VARIABLE = Registration(BuiltinOperator.READ_VARIABLE, prepare_read, evaluate_read)
ASSIGN_VARIABLE = Registration(
    BuiltinOperator.ASSIGN_VARIABLE, prepare_assign, evaluate_assign, reset=reset_variable
)
