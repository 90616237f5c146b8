"""What would make an arena smaller: each alternative computed, none guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tinyml_profiles.plan import USUAL_LIBRARIES
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.library import base_name
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.planner import align_up
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_arena
from tinyml_runtime.planning.several_arenas import split_graph
from tinyml_runtime.types import TensorType


@dataclass(frozen=True, slots=True)
class Saving:
    """Another way, and the bytes of the arena to declare then.

    `saved_bytes` is below 0 where it would be larger. `how` is what to do.
    """

    what: str
    arena_bytes: int
    saved_bytes: int
    how: str


def find_savings(model: Model, plan: ArenaPlan, time_limit_seconds: float) -> list[Saving]:
    """The ways to a smaller arena than that of `plan`, the best first.

    Planner and order are searched for at most `time_limit_seconds` each.
    """
    ways = [
        *_better_plan(plan, time_limit_seconds),
        *_other_order(model, plan, time_limit_seconds),
        *_other_library(model, plan),
        *_narrower_types(plan),
        *_own_memory(plan),
    ]
    return sorted((way for way in ways if way.saved_bytes > 0), key=lambda way: -way.saved_bytes)


def _saving(plan: ArenaPlan, what: str, arena_bytes: int, how: str) -> Saving:
    return Saving(what, arena_bytes, plan.arena.recommended_bytes - arena_bytes, how)


def _better_plan(plan: ArenaPlan, seconds: float) -> Iterator[Saving]:
    from tinyml_runtime.planning.written_plan import write_smallest_plan

    better = write_smallest_plan(plan, seconds)
    yield _saving(
        plan,
        "a better memory plan",
        better.arena.arena.recommended_bytes,
        "--planner optimal --write OUT.tflite",
    )


def _other_order(model: Model, plan: ArenaPlan, seconds: float) -> Iterator[Saving]:
    from tinyml_runtime.planning.execution_order import reorder

    found = reorder(model, plan, plan.library, seconds)
    if not found.is_changed:
        return
    other = plan_arena(found.model, plan.profile, GreedyPlanner(), plan.library)
    yield _saving(
        plan,
        "another order of the operators",
        other.arena.recommended_bytes,
        "--reorder --write OUT.tflite",
    )


def _other_library(model: Model, plan: ArenaPlan) -> Iterator[Saving]:
    profile = plan.profile
    for library in USUAL_LIBRARIES.get(profile.abi.name, ()):
        if library == base_name(plan.library):
            continue
        try:
            other = plan_arena(model, profile, GreedyPlanner(), library)
        except TinymlError:
            continue  # that library does not run the model
        yield _saving(
            plan,
            f"the kernels of {library}",
            other.arena.recommended_bytes,
            f"--kernels {library}",
        )


def _narrower_types(plan: ArenaPlan) -> Iterator[Saving]:
    """The same graph with one byte per value where there are more; scratch buffers as they are."""
    wide = {buffer.type for buffer in plan.buffers} & {TensorType.FLOAT32, TensorType.INT16}
    if not wide:
        return
    requests = [
        replace(buffer.request, bytes=align_up(buffer.bytes * 8 // buffer.type.bits))
        if buffer.type in wide and buffer.type is not None
        else buffer.request
        for buffer in plan.buffers
    ]
    planned = GreedyPlanner().plan(requests).bytes
    names = " and ".join(sorted(kind.name.lower() for kind in wide if kind is not None))
    yield _saving(
        plan,
        f"int8 instead of {names} (only the planned part is computed)",
        plan.arena.recommended_bytes - plan.plan.bytes + planned,
        "convert with full integer quantization",
    )


def _own_memory(plan: ArenaPlan) -> Iterator[Saving]:
    """What stays elsewhere: TFLM takes two arenas, the second of which only tensors share."""
    split = split_graph(plan.graph, plan.profile, GreedyPlanner())
    yield _saving(
        plan,
        f"what stays ({split.persistent_bytes:,} bytes) in another memory",
        split.nonpersistent_bytes,
        "--split",
    )
