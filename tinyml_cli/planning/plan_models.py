"""From what the user asked for to the reports of all models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_cli.model_file import ModelFile, open_model
from tinyml_cli.planning.report import PlanReport, PlanReports, SizeCheck
from tinyml_profiles import runtime_profile
from tinyml_profiles.chosen_plan import PlanChoice, make_plan, planner_named
from tinyml_profiles.savings import Saving, find_savings
from tinyml_runtime.errors import InputError, PlanError, UnsupportedModelError
from tinyml_runtime.memory.offline_plan import has_offline_plan
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.graph_order import check_order
from tinyml_runtime.planning.peak import find_peak
from tinyml_runtime.planning.several_arenas import (
    SharedArena,
    SplitArena,
    shared_arena,
    split_arena,
)

PLANNERS = ("greedy", "linear", "offline", "optimal")


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """What the user asked for; `savings_seconds` is None where nobody will read of savings."""

    models: Sequence[str]
    target: str | None = None
    abi: str | None = None
    tflm: str | None = None
    kernels: str = "reference"
    planner: str = "greedy"
    time_limit_seconds: float = 10.0
    savings_seconds: float | None = None
    arena_bytes: int | None = None
    split: bool = False
    reorder: bool = False
    write: bool = False


def plan_models(request: PlanRequest) -> PlanReports:
    """Plan every model; raises TinymlError for what cannot be planned, not for load failures."""
    opened = [open_model(path) for path in request.models]
    reports = [_plan(request, model, file) for model, file in opened]
    if len(opened) < 2 or any(report.plan is None for report in reports):
        return PlanReports(reports)
    shared = shared_arena(
        [model for model, _ in opened],
        reports[0].profile,
        planner_named(request.planner, request.time_limit_seconds),
        request.kernels,
    )
    return PlanReports(reports, shared, _check_shared(shared, reports, request.arena_bytes))


def _check_shared(
    shared: SharedArena, reports: Sequence[PlanReport], arena_bytes: int | None
) -> SizeCheck | None:
    if arena_bytes is None:
        return None
    place, shortage = shared.in_arena(arena_bytes)
    plan = reports[place].plan
    if shortage is None or plan is None:
        return SizeCheck(arena_bytes, None)
    purpose = f"{reports[place].model.path}: {plan.purpose(shortage.call)}"
    return SizeCheck(arena_bytes, shortage, purpose, plan.message(shortage))


def _plan(request: PlanRequest, model: Model, file: ModelFile) -> PlanReport:
    if request.planner == "offline" and not has_offline_plan(model):
        raise InputError(
            f"{file.path}: the model carries no memory plan (metadata OfflineMemoryAllocation); "
            "--planner optimal --write makes one"
        )
    profile = runtime_profile(
        model, request.target, request.kernels, abi=request.abi, tflm=request.tflm
    )
    report = PlanReport(file, profile, request.kernels, request.planner, None)
    try:
        check_order(model)
        made = make_plan(model, _choice(request, profile))
    except UnsupportedModelError as error:
        return replace(report, problems=error.problems)
    except PlanError as error:
        raise PlanError(f"{file.path}: {error}") from None
    plan = made.plan
    return replace(
        report,
        plan=plan,
        peak=find_peak(plan.buffers, plan.steps),
        savings=_savings(request, model, plan),
        size_check=_check(plan, request.arena_bytes),
        split=_split(request, made.model, profile),
        notes=[*_notes(request, model, profile), *made.notes],
        new_model=made.model if request.write else None,
    )


def _choice(request: PlanRequest, profile: RuntimeProfile) -> PlanChoice:
    return PlanChoice(
        profile,
        request.kernels,
        request.planner,
        request.time_limit_seconds,
        reorders=request.reorder,
        writes=request.write,
    )


def _savings(request: PlanRequest, model: Model, plan: ArenaPlan) -> Sequence[Saving]:
    if request.savings_seconds is None or request.planner == "linear":
        return ()
    return find_savings(model, plan, request.savings_seconds)


def _check(plan: ArenaPlan, arena_bytes: int | None) -> SizeCheck | None:
    if arena_bytes is None:
        return None
    shortage = plan.in_arena(arena_bytes).shortage
    if shortage is None:
        return SizeCheck(arena_bytes, None)
    return SizeCheck(arena_bytes, shortage, plan.purpose(shortage.call), plan.message(shortage))


def _split(request: PlanRequest, model: Model, profile: RuntimeProfile) -> SplitArena | None:
    if not request.split:
        return None
    planner = planner_named(request.planner, request.time_limit_seconds)
    return split_arena(model, profile, planner, request.kernels)


def _notes(request: PlanRequest, model: Model, profile: RuntimeProfile) -> list[str]:
    notes: list[str] = []
    if request.target is None and request.abi is None:
        notes.append(
            f"for {profile.core or 'no core in particular'}, ABI {profile.abi.name} "
            "(--target or --abi names another)"
        )
    if has_offline_plan(model):
        notes.append("the model carries a memory plan, and TFLM's planner keeps to it")
    return notes
