"""VAR_HANDLE and ASSIGN_VARIABLE: a handle's number and a variable's values stay.

Source: tflite-micro `micro/kernels/var_handle.cc`, `assign_variable.cc`,
`micro/micro_resource_variable.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, decompress
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor

HANDLE, VALUE = 0, 1
OUTPUT = 0


def _prepare_handle(arena: ArenaContext, node: Node) -> None:
    # The output is the number in the kernel's structure.
    arena.keeps_output(node, OUTPUT)


def _init_assign(arena: ArenaContext, node: Node) -> None:
    if arena.abi.has_compression:
        arena.struct("assign_variable.OpData")


def _prepare_assign(arena: ArenaContext, node: Node) -> None:
    handle, value = arena.input(node, HANDLE), arena.temporary_input(node, VALUE)
    if handle is None or value is None:
        return
    number = _variable(arena, node, handle)
    if number is not None and arena.first_assignment(number):
        arena.persistent(value.size * value.dtype.itemsize, "resource variables")
    decompress(arena, node, VALUE)


def _variable(arena: ArenaContext, node: Node, handle: Tensor) -> int | None:
    """The variable's number; None where it comes from another subgraph, at run time."""
    if handle.is_constant:
        return int(handle.values.reshape(-1)[0])
    return arena.variables.handle(node.subgraph, handle.index)


ASSIGN_VARIABLE = ArenaUse(init=_init_assign, prepare=_prepare_assign)
VAR_HANDLE = ArenaUse("var_handle.OpData", prepare=_prepare_handle)
