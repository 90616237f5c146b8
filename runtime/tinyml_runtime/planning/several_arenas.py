"""Arenas for other layouts than one model in one arena: split in two, or shared by several models.

Source: tflite-micro `micro/micro_allocator.cc`, the overloads of Create;
`micro/arena_allocator/persistent_arena_buffer_allocator.cc`,
`non_persistent_arena_buffer_allocator.cc`; `micro/docs/memory_management.md` for several models
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.memory.arena import (
    Arena,
    ArenaCall,
    Shortage,
    carry_out,
    smallest_arena,
    tail_and_needs,
)
from tinyml_runtime.memory.planner import MemoryPlanner, align_down, align_up
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import graph_of
from tinyml_runtime.planning.recorder import Recorder
from tinyml_runtime.planning.sequence import Graph, allocate, allocator_calls
from tinyml_runtime.resolver import OpResolver


@dataclass(frozen=True, slots=True)
class SplitArena:
    """The two arenas of MicroAllocator::Create(persistent, size, nonpersistent, size).

    Each begins at a multiple of 16; the sizes are the smallest that work, as multiples of 16.
    """

    persistent_bytes: int
    nonpersistent_bytes: int


@dataclass(frozen=True, slots=True)
class SharedArena:
    """One arena for models that run in turn, through one MicroAllocator.

    Persistent parts add up, the planned part is as large as the largest needs. `calls` are those
    of each model.
    """

    min_bytes: int
    recommended_bytes: int
    persistent_bytes: int
    nonpersistent_bytes: int
    calls: Sequence[Sequence[ArenaCall]]

    def in_arena(self, size: int) -> tuple[int, Shortage | None]:
        """The first model for which `size` bytes are too little, and what is missing there."""
        arena = Arena(size)
        for place, calls in enumerate(self.calls):
            for call in calls:
                shortage = arena.take(call)
                if shortage is not None:
                    return place, shortage
        return 0, None


def split_arena(
    model: Model,
    profile: RuntimeProfile,
    planner: MemoryPlanner,
    library: str | KernelLibrary = "reference",
) -> SplitArena:
    """The two sizes for one model; raises as `plan_arena` does."""
    return split_graph(graph_of(model, OpResolver.for_library(library)), profile, planner)


def split_graph(graph: Graph, profile: RuntimeProfile, planner: MemoryPlanner) -> SplitArena:
    """The same for a model that has been prepared."""
    calls = allocate(graph, profile, planner, before=_split_allocator_calls).calls
    taken, needs = tail_and_needs(calls)
    tail = 0
    for size, alignment in taken:
        tail = align_down(tail - size, alignment)
    return SplitArena(align_up(-tail), align_up(max(needs)))


def _split_allocator_calls(recorder: Recorder) -> None:
    for struct in ("PersistentArenaBufferAllocator", "NonPersistentArenaBufferAllocator"):
        recorder.natural(struct, "arena allocator")
    recorder.natural("GreedyMemoryPlanner", "memory planner")
    recorder.natural("MicroAllocator", "arena allocator")


def shared_arena(
    models: Sequence[Model],
    profile: RuntimeProfile,
    planner: MemoryPlanner,
    library: str | KernelLibrary = "reference",
) -> SharedArena:
    """One arena for all models, allocated in this order; raises as `plan_arena` does."""
    resolver = OpResolver.for_library(library)
    calls: list[Sequence[ArenaCall]] = []
    head = 0
    for model in models:
        allocation = allocate(
            graph_of(model, resolver),
            profile,
            planner,
            before=_nothing if calls else allocator_calls,
            head_bytes=head,
        )
        calls.append(allocation.calls)
        head = max(head, allocation.plan.bytes)
    in_order = [call for own in calls for call in own]
    least = smallest_arena(in_order)
    state = carry_out(in_order, align_up(least))
    return SharedArena(least, align_up(least), state.persistent_bytes, state.head, calls)


def _nothing(recorder: Recorder) -> None:
    """The allocator is there already."""
