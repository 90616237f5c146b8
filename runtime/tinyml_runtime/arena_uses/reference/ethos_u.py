"""ethos-u: two tables of addresses for the NPU.

Source: tflite-micro `micro/kernels/ethos_u/ethosu.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse
from tinyml_runtime.registration import Node

COMMAND_STREAM = 0

_OP_DATA_BYTES = 12
_ADDRESS_BYTES = 8


def _init(arena: ArenaContext, node: Node) -> None:
    arena.persistent(_OP_DATA_BYTES, "operator data")


def _prepare(arena: ArenaContext, node: Node) -> None:
    tensors = len(node.inputs) + len(node.outputs)
    arena.scratch(tensors * _ADDRESS_BYTES)
    arena.scratch(tensors * arena.abi.pointer.bytes)
    arena.temporary_input(node, COMMAND_STREAM)


ETHOS_U = ArenaUse(init=_init, prepare=_prepare)
