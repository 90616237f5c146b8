"""A plan as the user chose it: by which planner, in which order, written into the model or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.linear_planner import LinearPlanner
from tinyml_runtime.memory.offline_plan import has_offline_plan
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.memory.planner import MemoryPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_arena
from tinyml_runtime.planning.overlaps import check_disjoint


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """How to plan. `writes` asks for a model that carries the plan."""

    profile: RuntimeProfile
    library: str = "reference"
    planner: str = "greedy"
    time_limit_seconds: float = 10.0
    reorders: bool = False
    writes: bool = False


@dataclass(frozen=True, slots=True)
class ChosenPlan:
    """The arena, the model that it is for, and what there is to say about both."""

    plan: ArenaPlan
    model: Model
    notes: Sequence[str]


def planner_named(name: str, time_limit_seconds: float) -> MemoryPlanner:
    """The planner of that name; with an offline plan, the one that places what it leaves open."""
    if name == "linear":
        return LinearPlanner()
    return OptimalPlanner(time_limit_seconds) if name == "optimal" else GreedyPlanner()


def make_plan(model: Model, choice: PlanChoice) -> ChosenPlan:
    """Plan the arena of `model`; raises as `plan_arena` does.

    A plan that the model carries must not put buffers over each other that are in use at the same
    time (PlanError). What the optimal planner finds reaches TFLM as a plan that the model carries;
    the arena is the one that TFLM makes of it.
    """
    notes: list[str] = []
    if has_offline_plan(model):
        found = plan_arena(model, choice.profile, GreedyPlanner(), choice.library)
        check_disjoint(found.buffers, found.plan.offsets)
    if choice.reorders:
        model, note = _reordered(model, choice)
        notes.append(note)
    if choice.planner == "optimal":
        return _smallest(model, choice, notes)
    planner = planner_named(choice.planner, choice.time_limit_seconds)
    plan = plan_arena(model, choice.profile, planner, choice.library)
    if choice.writes:
        from tinyml_runtime.planning.written_plan import write_plan

        written = write_plan(plan)
        plan, model = replace(written.arena, planner=choice.planner), written.model
    return ChosenPlan(plan, model, notes)


def _smallest(model: Model, choice: PlanChoice, notes: Sequence[str]) -> ChosenPlan:
    from tinyml_runtime.planning.written_plan import write_smallest_plan

    greedy = plan_arena(model, choice.profile, GreedyPlanner(), choice.library)
    found = write_smallest_plan(greedy, choice.time_limit_seconds)
    goal, planned = found.goal, found.arena.plan
    known = replace(
        planned,
        lower_bound_bytes=min(goal.lower_bound_bytes, planned.bytes),
        search=goal.search,
        limit_seconds=goal.limit_seconds,
    )
    if not found.carries_plan:
        notes = [*notes, "TFLM's own planner does as well: the model needs no plan of its own"]
    plan = replace(found.arena, plan=known, planner=choice.planner)
    return ChosenPlan(plan, found.model, notes)


def _reordered(model: Model, choice: PlanChoice) -> tuple[Model, str]:
    from tinyml_runtime.planning.execution_order import reorder

    plan = plan_arena(model, choice.profile, GreedyPlanner(), choice.library)
    found = reorder(model, plan, choice.library, choice.time_limit_seconds)
    if not found.is_changed:
        return model, "no other order of the operators has a smaller peak"
    return found.model, (
        f"the operators are in another order: {found.peak_bytes:,} bytes in use at the peak "
        f"instead of {found.peak_bytes_before:,}"
    )
