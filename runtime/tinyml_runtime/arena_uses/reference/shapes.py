"""Operators whose Prepare writes the output's dimensions, of which it makes a copy for that.

RESHAPE does so where one dimension is found out in Prepare, the others always.

Source: tflite-micro `micro/kernels/depth_to_space.cc`, `embedding_lookup.cc`, `gather.cc`,
`gather_nd.cc`, `l2_pool_2d.cc`, `reshape_common.cc`, `space_to_depth.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, copy_dimensions
from tinyml_runtime.registration import Node

OUTPUT = 0


def _copy(arena: ArenaContext, node: Node) -> None:
    output = arena.output(node, OUTPUT)
    if output is not None:
        copy_dimensions(arena, output)


def _prepare_lookup(arena: ArenaContext, node: Node) -> None:
    _copy(arena, node)
    arena.struct("embedding_lookup.OpData")


def _prepare_reshape(arena: ArenaContext, node: Node) -> None:
    output = arena.output(node, OUTPUT)
    if output is not None and -1 in output.shape:
        copy_dimensions(arena, output)


DEPTH_TO_SPACE = SPACE_TO_DEPTH = ArenaUse(temporaries="i0 o0", prepare=_copy)
EMBEDDING_LOOKUP = ArenaUse(temporaries="i0 i1 o0", prepare=_prepare_lookup)
GATHER = GATHER_ND = ArenaUse(temporaries="i0 i1 o0", prepare=_copy)
L2_POOL_2D = ArenaUse(temporaries="o0 i0", prepare=_copy)
RESHAPE = ArenaUse(temporaries="i0 o0", prepare=_prepare_reshape)
