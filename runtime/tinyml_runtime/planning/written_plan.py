"""A memory plan written into the model, and what TFLM makes of it.

The metadata OfflineMemoryAllocation holds the offsets of tensors. The arena of such a model is what
TFLM arrives at when it loads it: that is looked up here, and never taken from the plan that was
hoped for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_runtime.memory.given_offsets import smallest_around
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.offline_plan import METADATA, encode, offline_offsets
from tinyml_runtime.memory.planner import MemoryPlan
from tinyml_runtime.model.schema import Buffer, Metadata, Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_graph
from tinyml_runtime.planning.overlaps import check_disjoint
from tinyml_runtime.planning.sequence import PlannedBuffer


@dataclass(frozen=True, slots=True)
class WrittenPlan:
    """A model that carries a memory plan, and its arena as TFLM lays it out.

    `goal` is the plan that was to be reached: its bytes are those of the arena's planned part
    unless scratch buffers took other places, its lower bound is what no plan can go below.
    `carries_plan` is False where TFLM's own planner does no worse, so that nothing was written.
    """

    model: Model
    arena: ArenaPlan
    goal: MemoryPlan
    carries_plan: bool = True


def write_plan(plan: ArenaPlan) -> WrittenPlan:
    """Put the offsets of all tensors of `plan`, made by any planner, into its model.

    A plan that the model carries already is replaced.

    Raises:
        PlanError: buffers overlap that are in use at the same time.
    """
    return _written(plan.graph.model, plan, plan.plan)


def write_smallest_plan(plan: ArenaPlan, time_limit_seconds: float = 10.0) -> WrittenPlan:
    """Put that plan into the model of `plan` of which TFLM makes the smallest arena.

    A plan that the model carries already is replaced; which planner made `plan` does not matter.
    """
    model = plan.graph.model
    greedy = _of_model(plan, without_plan(model))
    requests = [buffer.request for buffer in greedy.buffers]
    best = smallest_around(requests, [_owner(one) for one in greedy.buffers], time_limit_seconds)
    if best.bytes >= greedy.plan.bytes:
        return WrittenPlan(greedy.graph.model, greedy, best, carries_plan=False)
    return _written(model, greedy, best)


def without_plan(model: Model) -> Model:
    """The model without the plan that it carries, if it does."""
    entries = tuple(one for one in model.metadata if one.name != METADATA)
    place = _place_of_plan(model)
    buffers = tuple(Buffer() if k == place else one for k, one in enumerate(model.buffers))
    return replace(model, metadata=entries, buffers=buffers)


def with_offsets(model: Model, offsets: Sequence[Sequence[int | None]]) -> Model:
    """The model with a plan: offsets by subgraph and tensor, None where TFLM shall find a place."""
    data = Buffer(encode([offset for own in offsets for offset in own]))
    place, bare = _place_of_plan(model), without_plan(model)
    buffers = (*model.buffers[:place], data, *model.buffers[place + 1 :])
    return replace(bare, metadata=(*bare.metadata, Metadata(METADATA, place)), buffers=buffers)


def _place_of_plan(model: Model) -> int:
    """The buffer of an earlier plan if nothing else refers to it, else a new one."""
    held = {one.buffer for one in model.metadata if one.name == METADATA}
    others = {0, *model.metadata_buffers}
    others.update(one.buffer for one in model.metadata if one.name != METADATA)
    others.update(tensor.buffer for graph in model.subgraphs for tensor in graph.tensors)
    return min(held - others, default=len(model.buffers))


def _owner(buffer: PlannedBuffer) -> tuple[int, int] | None:
    return None if buffer.scratch_of is None else (buffer.subgraph, buffer.scratch_of)


def _written(model: Model, arena: ArenaPlan, plan: MemoryPlan) -> WrittenPlan:
    """The model with the offsets that `plan` gives to the tensors of `arena`."""
    check_disjoint(arena.buffers, plan.offsets)
    offsets: list[list[int | None]] = [[None] * len(graph.tensors) for graph in model.subgraphs]
    for buffer, offset in zip(arena.buffers, plan.offsets, strict=True):
        if buffer.tensor is not None:
            offsets[buffer.subgraph][buffer.tensor] = offset
    result = _of_model(arena, with_offsets(model, offsets))
    check_disjoint(result.buffers, result.plan.offsets)
    return WrittenPlan(result.graph.model, result, plan)


def _of_model(plan: ArenaPlan, model: Model) -> ArenaPlan:
    """What TFLM's planner makes of `model`, the one of `plan` with other offsets in it."""
    graph = replace(plan.graph, model=model, offline_offsets=offline_offsets(model))
    return plan_graph(graph, plan.profile, GreedyPlanner(), plan.library)
