"""MEAN, SUM, REDUCE_MAX, REDUCE_MIN and REDUCE_ALL: where the loops are, and which axes they are.

Source: tflite-micro `micro/kernels/reduce.cc`, `reduce_common.cc`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse, look_at
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

INPUT, AXIS = 0, 1
OUTPUT = 0
OPERANDS = "i0 o0 i1"
BYTES_PER_SUM = BYTES_PER_NUMBER = 4


def _prepare_sum(arena: ArenaContext, node: Node) -> None:
    source, output = arena.input(node, INPUT), arena.output(node, OUTPUT)
    if source is None or output is None:
        return
    look_at(arena, node, OPERANDS)
    if source.type in (TensorType.INT8, TensorType.INT16):
        arena.scratch(output.size * BYTES_PER_SUM)
    _loops(arena, node)
    _check(arena, node)


def _prepare_extreme(arena: ArenaContext, node: Node) -> None:
    _check(arena, node)
    look_at(arena, node, OPERANDS)
    _loops(arena, node)


def _prepare_all(arena: ArenaContext, node: Node) -> None:
    look_at(arena, node, OPERANDS)
    _check(arena, node)
    _loops(arena, node)


def _check(arena: ArenaContext, node: Node) -> None:
    """The operands are looked at once more, the output only for a multiplier of int8."""
    source = arena.input(node, INPUT)
    is_scaled = source is not None and source.type is TensorType.INT8
    look_at(arena, node, "i0 i1 o0" if is_scaled else "i0 i1")


def _loops(arena: ArenaContext, node: Node) -> None:
    """A number for each dimension, then one for each axis."""
    source, axis = arena.input(node, INPUT), arena.input(node, AXIS)
    if source is not None and axis is not None:
        arena.scratch(len(source.shape) * BYTES_PER_NUMBER)
        arena.scratch(axis.size * BYTES_PER_NUMBER)


MEAN = SUM = ArenaUse("OpDataReduce", prepare=_prepare_sum)
REDUCE_MAX = REDUCE_MIN = ArenaUse("OpDataReduce", prepare=_prepare_extreme)
REDUCE_ALL = ArenaUse("OpDataReduce", prepare=_prepare_all)
