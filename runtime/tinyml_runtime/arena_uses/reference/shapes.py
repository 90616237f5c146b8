"""RESHAPE: a copy of the output's dimensions where one of them is found out in Prepare.

Source: tflite-micro `micro/kernels/reshape_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, copy_dimensions, look_at
from tinyml_runtime.registration import Node

OUTPUT = 0


def _prepare(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, "i0 o0")
    output = arena.output(node, OUTPUT)
    if output is not None and -1 in output.shape:
        copy_dimensions(arena, output)


RESHAPE = ArenaUse(prepare=_prepare)
