"""`tinyml plan` as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tinyml_cli.planning.explanations import Case, Explanation
from tinyml_cli.planning.report import PlanReport, PlanReports, SizeCheck
from tinyml_cli.render.json_text import model_entry, to_json
from tinyml_profiles.savings import Saving
from tinyml_runtime.errors import NodeProblem
from tinyml_runtime.memory.arena import Owner
from tinyml_runtime.planning.arena_plan import AllocationEntry, ArenaPlan
from tinyml_runtime.planning.peak import Peak
from tinyml_runtime.planning.sequence import PlannedBuffer


def plan(reports: PlanReports) -> str:
    """One model as its report; several as `models`, and the arena that they can share."""
    entries = [_report(report) for report in reports.reports]
    if len(entries) == 1:
        return to_json(entries[0])
    shared = reports.shared
    return to_json(
        {
            "models": entries,
            "shared_arena": None
            if shared is None
            else {
                "min_bytes": shared.min_bytes,
                "recommended_bytes": shared.recommended_bytes,
                "persistent_bytes": shared.persistent_bytes,
                "nonpersistent_bytes": shared.nonpersistent_bytes,
                "separate_bytes": reports.separate_bytes,
                "size_check": _check(reports.shared_check),
            },
        }
    )


def _report(report: PlanReport) -> dict[str, Any]:
    profile, plan = report.profile, report.plan
    return {
        "model": model_entry(report.model),
        "runtime": {
            "tflm": profile.abi.tflm,
            "abi": profile.abi.name,
            "kernels": report.library,
            "core": profile.core,
            "source": profile.abi.source,
        },
        "arena": None if plan is None else _arena(plan),
        "planner": report.planner,
        "lower_bound_bytes": None if plan is None else plan.plan.lower_bound_bytes,
        "planner_verdict": None if plan is None else plan.plan.verdict,
        "allocations": [] if plan is None else [_allocation(entry) for entry in plan.allocations],
        "buffers": [] if plan is None else _buffers(plan),
        "peak": None if report.peak is None else _peak(report.peak),
        "split_arenas": None
        if report.split is None
        else {
            "persistent_bytes": report.split.persistent_bytes,
            "nonpersistent_bytes": report.split.nonpersistent_bytes,
        },
        "savings": [_saving(saving) for saving in report.savings],
        "size_check": _check(report.size_check),
        "load_errors": [_problem(problem) for problem in report.problems],
        "explanations": [_explanation(one) for one in report.explanations],
        "written": list(report.written),
        "notes": list(report.notes),
    }


def _arena(plan: ArenaPlan) -> dict[str, Any]:
    arena = plan.arena
    return {
        "min_bytes": arena.min_bytes,
        "used_bytes": arena.used_bytes,
        "recommended_bytes": arena.recommended_bytes,
        "persistent_bytes": arena.persistent_bytes,
        "nonpersistent_bytes": arena.nonpersistent_bytes,
        "bound_by": arena.bound_by,
    }


def _allocation(entry: AllocationEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        **_owner(entry.owner),
        "bytes": entry.bytes,
        "requested_bytes": entry.requested_bytes,
        "count": entry.count,
        "section": entry.section.value,
    }


def _owner(owner: Owner) -> dict[str, Any]:
    if owner.node is not None:
        return {"owner": owner.node, "owner_kind": "op", "subgraph": owner.subgraph}
    if owner.tensor is not None:
        return {"owner": owner.tensor, "owner_kind": "tensor", "subgraph": owner.subgraph}
    return {"owner": "framework", "owner_kind": "framework", "subgraph": None}


def _buffers(plan: ArenaPlan) -> list[dict[str, Any]]:
    return [
        _buffer(buffer, offset)
        for buffer, offset in zip(plan.buffers, plan.plan.offsets, strict=True)
    ]


def _buffer(buffer: PlannedBuffer, offset: int) -> dict[str, Any]:
    return {
        "tensor": buffer.tensor,
        "scratch_of": buffer.scratch_of,
        "name": buffer.name,
        "subgraph": buffer.subgraph,
        "bytes": buffer.bytes,
        "first_use": buffer.request.first_use,
        "last_use": buffer.request.last_use,
        "offset": offset,
    }


def _peak(peak: Peak) -> dict[str, Any]:
    return {
        "time": peak.time,
        "bytes": peak.bytes,
        "subgraph": None if peak.step is None else peak.step.subgraph,
        "op": None if peak.step is None else peak.step.node,
        "live": _live(peak.live),
    }


def _live(buffers: Sequence[PlannedBuffer]) -> list[dict[str, Any]]:
    return [
        {"tensor": one.tensor, "scratch_of": one.scratch_of, "bytes": one.bytes} for one in buffers
    ]


def _saving(saving: Saving) -> dict[str, Any]:
    return {
        "what": saving.what,
        "arena_bytes": saving.arena_bytes,
        "saved_bytes": saving.saved_bytes,
        "how": saving.how,
    }


def _check(check: SizeCheck | None) -> dict[str, Any] | None:
    if check is None:
        return None
    shortage = check.shortage
    return {
        "arena_bytes": check.bytes,
        "is_enough": shortage is None,
        "fails_at": check.purpose or None,
        "message": check.message or None,
        "missing_bytes": None if shortage is None else shortage.missing_bytes,
    }


def _explanation(one: Explanation) -> dict[str, Any]:
    return {
        "line": one.line,
        "meaning": one.meaning,
        "remedy": one.remedy or None,
        "other_runtime": one.other_runtime,
        "cases": None if one.cases is None else [_case(case) for case in one.cases],
    }


def _case(case: Case) -> dict[str, Any]:
    return {
        "purpose": case.purpose,
        **_owner(case.match.call.owner),
        "requested_bytes": case.match.call.bytes,
        "arena_bytes": [{"from": low, "to": high} for low, high in case.match.sizes],
    }


def _problem(problem: NodeProblem) -> dict[str, Any]:
    return {
        "subgraph": problem.subgraph,
        "op_index": problem.index,
        "op": problem.operator,
        "reason": problem.reason,
        "remedy": problem.remedy,
    }
