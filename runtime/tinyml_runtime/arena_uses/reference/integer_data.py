"""ADD_N, CUMSUM and LOG_SOFTMAX: their structures are allocated in Prepare, for integers only.

Source: tflite-micro `micro/kernels/add_n.cc`, `cumsum.cc`, `log_softmax.cc`
"""

from __future__ import annotations

from functools import partial

from tinyml_runtime.arena_use import ArenaContext, ArenaUse
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

OUTPUT = 0


def _integer_data(arena: ArenaContext, node: Node, struct: str) -> None:
    output = arena.output(node, OUTPUT)
    if output is not None and output.type is TensorType.INT8:
        arena.struct(struct)


def _prepare_add_n(arena: ArenaContext, node: Node) -> None:
    for position in range(1, len(node.inputs)):
        arena.temporary_input(node, position)
    _integer_data(arena, node, "add_n.OpData")
    # A pointer to the values of each input.
    arena.scratch(arena.abi.pointer.bytes * len(node.inputs))


ADD_N = ArenaUse(temporaries="i0 o0", prepare=_prepare_add_n)
CUMSUM = ArenaUse(temporaries="i0 i1 o0", prepare=partial(_integer_data, struct="cumsum.OpData"))
LOG_SOFTMAX = ArenaUse(
    temporaries="i0 o0", prepare=partial(_integer_data, struct="LogSoftmaxOpData")
)
