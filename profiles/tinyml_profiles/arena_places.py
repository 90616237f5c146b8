"""Where on a board an arena may lie: in one memory, or split over two as TFLM can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyml_profiles.target import Board, Memory
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.several_arenas import SplitArena, split_graph

VARIABLES = "variable tensors"


@dataclass(frozen=True, slots=True)
class SlowTensor:
    """A tensor, or a kernel's scratch buffer, that lies in a memory that makes the core wait."""

    name: str
    bytes: int
    memory: str


@dataclass(frozen=True, slots=True)
class ArenaPlace:
    """The arena in memories of a board; both names are the same where it is not split.

    The persistent part has the structures of the runtime and the variable tensors, the other one
    activations and scratch buffers. `missing_bytes` is what the memories lack; `slow` is what lies
    in one that waits longer than the usual one.
    """

    persistent_in: str
    nonpersistent_in: str
    persistent_bytes: int
    nonpersistent_bytes: int
    missing_bytes: int
    slow: Sequence[SlowTensor]

    @property
    def is_split(self) -> bool:
        """Whether there are two arenas (the second constructor of MicroAllocator)."""
        return self.persistent_in != self.nonpersistent_in

    @property
    def fits(self) -> bool:
        """Whether the memories are large enough."""
        return self.missing_bytes == 0

    @property
    def slow_bytes(self) -> int:
        """Bytes of tensors in slow memory; those that share memory count each."""
        return sum(tensor.bytes for tensor in self.slow)


def ram_memories(board: Board) -> list[Memory]:
    """The board's memories that hold variables: the usual one, then the fastest and largest."""
    usual = board.placed.arena
    found = [memory for memory in board.memories.values() if memory.is_ram]
    return sorted(
        found, key=lambda one: (one.name != usual, one.wait_cycles.value, -one.bytes.value)
    )


def free_bytes(board: Board, memory: Memory, beside_bytes: int) -> int:
    """What a memory has for an arena; `beside_bytes` of other data lie in the usual one."""
    free = int(memory.bytes.value)
    if memory.name == board.placed.arena:
        free -= int(board.reserved_ram_bytes.value) + beside_bytes
    return max(free, 0)


def arena_places(board: Board, plan: ArenaPlan, beside_bytes: int) -> list[ArenaPlace]:
    """The usual place; where the arena does not fit there, all others that it fits.

    `beside_bytes` is what data and stack take of the usual memory. Whole arenas come first, then
    split ones, activations in the fastest memory that takes them.
    """
    memories = ram_memories(board)
    usual, *others = [_whole(board, memory, plan, beside_bytes) for memory in memories]
    if usual.fits or not others:
        return [usual]
    sizes = split_graph(plan.graph, plan.profile, GreedyPlanner())
    split = _split(board, memories, plan, sizes, beside_bytes)
    return [usual, *(place for place in (*others, *split) if place.fits)]


def _whole(board: Board, memory: Memory, plan: ArenaPlan, beside_bytes: int) -> ArenaPlace:
    arena = plan.arena
    name, free = memory.name, free_bytes(board, memory, beside_bytes)
    slow = [*_activations(plan, name), *_variables(plan, name)] if _waits(board, memory) else []
    return ArenaPlace(
        name,
        name,
        arena.recommended_bytes - arena.nonpersistent_bytes,
        arena.nonpersistent_bytes,
        max(0, arena.recommended_bytes - free),
        slow,
    )


def _split(
    board: Board,
    memories: Sequence[Memory],
    plan: ArenaPlan,
    sizes: SplitArena,
    beside_bytes: int,
) -> Iterator[ArenaPlace]:
    for planned in memories:
        for kept in memories:
            if planned is kept:
                continue
            lacks = sizes.nonpersistent_bytes - free_bytes(board, planned, beside_bytes)
            lacks_too = sizes.persistent_bytes - free_bytes(board, kept, beside_bytes)
            slow = list(_activations(plan, planned.name)) if _waits(board, planned) else []
            slow += _variables(plan, kept.name) if _waits(board, kept) else []
            yield ArenaPlace(
                kept.name,
                planned.name,
                sizes.persistent_bytes,
                sizes.nonpersistent_bytes,
                max(0, lacks) + max(0, lacks_too),
                slow,
            )


def _waits(board: Board, memory: Memory) -> bool:
    """Whether it waits longer than the memory that the arena usually lies in."""
    return memory.wait_cycles.value > board.memories[board.placed.arena].wait_cycles.value


def _activations(plan: ArenaPlan, memory: str) -> Iterator[SlowTensor]:
    for buffer in plan.buffers:
        name = buffer.name or f"scratch buffer of node {buffer.scratch_of}"
        yield SlowTensor(name, buffer.bytes, memory)


def _variables(plan: ArenaPlan, memory: str) -> Iterator[SlowTensor]:
    for number, subgraph in enumerate(plan.graph.model.subgraphs):
        for index, info in enumerate(subgraph.tensors):
            if info.is_variable:
                tensor = plan.graph.tensors[number][index]
                yield SlowTensor(info.name, tensor.size * tensor.dtype.itemsize, memory)
