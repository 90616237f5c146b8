"""The arena of a model: how large it must be, what it is made of, where every buffer lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tinyml_runtime.arena_use import ArenaUse
from tinyml_runtime.errors import ArenaUnknownError, UnsupportedModelError
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.memory.arena import (
    FRAMEWORK,
    Action,
    Arena,
    ArenaCall,
    ArenaState,
    Owner,
    Section,
    Shortage,
    carry_out,
    smallest_arena,
)
from tinyml_runtime.memory.lifetimes import Step
from tinyml_runtime.memory.offline_plan import offline_offsets
from tinyml_runtime.memory.planner import MemoryPlan, MemoryPlanner, align_up
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.planning.sequence import (
    PLANNED_BUFFERS,
    Graph,
    PlannedBuffer,
    allocate,
    allocator_calls,
)
from tinyml_runtime.planning.words import purpose, tflm_message
from tinyml_runtime.prepared_model import prepare_model
from tinyml_runtime.registration import Node
from tinyml_runtime.resolver import OpResolver

MEMORY_LIMIT_BYTES = 2**31


@dataclass(frozen=True, slots=True)
class ArenaFigures:
    """Bytes of an arena that begins at a multiple of 16.

    `min_bytes` is the smallest with which AllocateTensors and Invoke succeed, `recommended_bytes`
    the next multiple of 16. `used_bytes` is what TFLM's arena_used_bytes() gives in an arena whose
    size is a multiple of 16: the sum of the persistent and the non-persistent part, which can be
    too little, since AllocateTensors needs more for a while. `bound_by` says what decides the
    smallest size.
    """

    min_bytes: int
    used_bytes: int
    recommended_bytes: int
    persistent_bytes: int
    nonpersistent_bytes: int
    bound_by: str


@dataclass(frozen=True, slots=True)
class AllocationEntry:
    """What was allocated for one owner and one purpose.

    `bytes` are those that it takes, with what alignment loses; `requested_bytes` those asked for.
    """

    kind: str
    owner: Owner
    section: Section
    bytes: int
    requested_bytes: int
    count: int


@dataclass(frozen=True, slots=True)
class ArenaPlan:
    """A planned arena, for one runtime profile, kernel library and planner."""

    profile: RuntimeProfile
    library: str
    planner: str
    arena: ArenaFigures
    plan: MemoryPlan
    buffers: Sequence[PlannedBuffer]
    calls: Sequence[ArenaCall]
    steps: Sequence[Step]
    graph: Graph

    @property
    def nodes(self) -> Sequence[Sequence[Node]]:
        """The nodes of every subgraph."""
        return self.graph.nodes

    @property
    def allocations(self) -> list[AllocationEntry]:
        """Every byte of the arena by purpose and owner."""
        return _entries(self.calls, self.arena.recommended_bytes)

    def in_arena(self, size: int) -> ArenaState:
        """What becomes of an arena of `size` bytes: all in place, or the first call that fails."""
        return carry_out(self.calls, size)

    def message(self, shortage: Shortage) -> str:
        """The line that TFLM prints where an arena is too small."""
        needed = next((call.bytes for call in self.calls if call.action is Action.PLAN), 0)
        return tflm_message(shortage, needed, len(self.buffers))

    def purpose(self, call: ArenaCall) -> str:
        """What a call is for, in words."""
        return purpose(call, self.nodes, len(self.buffers))


def plan_arena(
    model: Model,
    profile: RuntimeProfile,
    planner: MemoryPlanner,
    library: str | KernelLibrary = "reference",
) -> ArenaPlan:
    """Plan the arena of `model`.

    Raises:
        UnsupportedModelError: nodes that cannot run, all of them.
        ModelError: a defective file, or a memory plan in it that does not fit.
        ArenaUnknownError: a kernel of the library does not say what it asks for.
        AbiError: a structure's size is not known for this build of TFLM.
    """
    resolver = OpResolver.for_library(library)
    return plan_graph(graph_of(model, resolver), profile, planner, resolver.library.name)


def plan_graph(
    graph: Graph, profile: RuntimeProfile, planner: MemoryPlanner, library: str
) -> ArenaPlan:
    """As `plan_arena`, of a model that has been prepared with the kernels of `library`."""
    before = partial(allocator_calls, linear_planner=planner.name == "linear")
    allocation = allocate(graph, profile, planner, before=before)
    return ArenaPlan(
        profile,
        library,
        planner.name,
        arena_figures(allocation.calls, graph.nodes, len(allocation.buffers)),
        allocation.plan,
        allocation.buffers,
        allocation.calls,
        allocation.lifetimes.steps,
        graph,
    )


def graph_of(model: Model, resolver: OpResolver) -> Graph:
    """The model, prepared with the kernels of `resolver`; raises as `plan_arena` does."""
    tensors = make_tensors(model, MEMORY_LIMIT_BYTES)
    prepared = prepare_model(model, tensors, resolver)
    if prepared.problems:
        raise UnsupportedModelError(model.source, prepared.problems)
    nodes = [[step.node for step in steps] for steps in prepared.steps]
    uses = [[_use(resolver, node.operator) for node in own] for own in nodes]
    return Graph(
        model,
        tensors,
        nodes,
        uses,
        prepared.variables,
        _compressed(model),
        offline_offsets(model),
    )


def _use(resolver: OpResolver, operator: str) -> ArenaUse:
    use = resolver.find_arena_use(operator)
    if use is None:
        raise ArenaUnknownError(
            f"what {operator} of the kernel library '{resolver.library.name}' asks of the arena is "
            "not known (the library's table `arena_uses` has to say it)"
        )
    return use


def _compressed(model: Model) -> frozenset[tuple[int, int]]:
    if all(entry.name != COMPRESSION for entry in model.metadata):
        return frozenset()
    from tinyml_runtime.model.compression import compressed_tensors

    return frozenset(compressed_tensors(model))


def arena_figures(
    calls: Sequence[ArenaCall], nodes: Sequence[Sequence[Node]], buffers: int
) -> ArenaFigures:
    """The figures of an arena in which these calls are made; `buffers` are planned."""
    least = smallest_arena(calls)
    recommended = align_up(least)
    state = carry_out(calls, recommended)
    shortage = carry_out(calls, least - 1).shortage
    return ArenaFigures(
        min_bytes=least,
        used_bytes=state.persistent_bytes + state.head,
        recommended_bytes=recommended,
        persistent_bytes=state.persistent_bytes,
        nonpersistent_bytes=state.head,
        bound_by="" if shortage is None else purpose(shortage.call, nodes, buffers),
    )


def _entries(calls: Sequence[ArenaCall], size: int) -> list[AllocationEntry]:
    """What is persistent by kind and owner, the planned part, the most of each temporary use."""
    arena = Arena(size)
    taken: dict[tuple[str, Owner, Section], list[int]] = {}
    for call in calls:
        tail = arena.tail
        arena.take(call)
        if call.action is Action.PERSISTENT:
            sums = taken.setdefault((call.kind, call.owner, Section.PERSISTENT), [0, 0, 0])
            for place, amount in enumerate((tail - arena.tail, call.bytes, 1)):
                sums[place] += amount
        elif call.action is Action.TEMPORARY:
            key = "temporary memory", call.owner, Section.TEMPORARY
            most = arena.temporary - arena.head
            taken[key] = [most, most, taken.get(key, [0, 0, 0])[2] + 1]
    taken[PLANNED_BUFFERS, FRAMEWORK, Section.NONPERSISTENT] = [arena.head, arena.head, 1]
    return [AllocationEntry(*key, *sums) for key, sums in taken.items()]
