"""CONCATENATION: every input is looked at, and decompressed where it is compressed.

Source: tflite-micro `micro/kernels/concatenation.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, decompress
from tinyml_runtime.registration import Node


def _prepare(arena: ArenaContext, node: Node) -> None:
    for position in range(len(node.inputs)):
        arena.temporary_input(node, position)
        decompress(arena, node, position)


CONCATENATION = ArenaUse("concatenation.OpData", "i0 o0", prepare=_prepare)
