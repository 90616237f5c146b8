"""MIRROR_PAD: two lists with a number for each dimension.

Source: tflite-micro `micro/kernels/mirror_pad.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse
from tinyml_runtime.registration import Node

INPUT = 0
BYTES_PER_DIMENSION = 4


def _prepare(arena: ArenaContext, node: Node) -> None:
    source = arena.input(node, INPUT)
    if source is not None:
        arena.scratch(len(source.shape) * BYTES_PER_DIMENSION)
        arena.scratch(len(source.shape) * BYTES_PER_DIMENSION)


MIRROR_PAD = ArenaUse("OpDataMirrorPad", "i0 i1 o0", prepare=_prepare)
