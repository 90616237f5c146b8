"""What the lines of a log of TFLM mean for a model."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace

from tinyml_cli.model_file import STANDARD_INPUT
from tinyml_cli.planning.explanations import Case, Explanation
from tinyml_cli.planning.log_meanings import meaning_of
from tinyml_cli.planning.report import PlanReport, PlanReports
from tinyml_profiles.alternatives import alternatives
from tinyml_runtime import InputError, Model, load_model
from tinyml_runtime.memory.arena import Action
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.shortages import ShortageLine, ShortageMatch, find_arenas

_ACTIONS = {
    "allocate tail memory": Action.PERSISTENT,
    "allocate temp memory": Action.TEMPORARY,
    "resize buffer": Action.HEAD,
}
_SHORTAGE = re.compile(
    rf"Failed to ({'|'.join(_ACTIONS)})\. Requested: (\d+), available:? (\d+), missing: (\d+)"
)
_TOO_MANY = re.compile(r"Too many buffers \(max is (\d+)\)")
_NOWHERE = (
    "No size of the arena gives this line for this model, in no runtime that is known here: it is "
    "from another model, another revision of TFLM, or an arena that was used before."
)
_UNKNOWN = "No line here is one that TFLM prints about its arena or its operators."
_NODE_FAILED = re.compile(r"Node (\S+) \(number (\d+)\D* failed to prepare")


def explain_log(reports: PlanReports, texts: Sequence[str]) -> PlanReports:
    """The report of the only model with what every known line means; - is standard input.

    Raises:
        InputError: several models, or standard input for two things.
    """
    if len(reports.reports) > 1:
        raise InputError("--explain takes one model: a log is of one")
    report = reports.reports[0]
    if [report.model.path, *texts].count(STANDARD_INPUT) > 1:
        raise InputError("standard input can be read once: give the model, or the log, as a file")
    text = "\n".join(sys.stdin.read() if one == STANDARD_INPUT else one for one in texts)
    model = load_model(report.model.content, report.model.path)
    explained = replace(report, explanations=_explain(text, report, model))
    return replace(reports, reports=[explained])


def _explain(text: str, report: PlanReport, model: Model) -> list[Explanation]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    failed = _failed_node(lines)
    explanations: list[Explanation] = []
    for line in lines:
        asked = _shortage(line)
        if asked is None:
            meaning = meaning_of(line, report, model)
            if meaning is not None:
                explanations.append(Explanation(line, *meaning))
        elif any(earlier.cases is not None for earlier in explanations):
            explanations.append(Explanation(line, "This follows from the shortage before it."))
        else:
            explanations.append(_explain_shortage(line, asked, report, model, failed))
    return explanations or [Explanation(" ".join(lines[:1]), _UNKNOWN)]


def _shortage(line: str) -> ShortageLine | None:
    too_many = _TOO_MANY.search(line)
    if too_many is not None:
        return ShortageLine(Action.PLAN, most_buffers=int(too_many[1]))
    found = _SHORTAGE.search(line)
    if found is None:
        return None
    return ShortageLine(_ACTIONS[found[1]], int(found[2]), int(found[3]))


def _failed_node(lines: Sequence[str]) -> tuple[str, int] | None:
    """The node that a later line names."""
    found = _NODE_FAILED.search("\n".join(lines))
    return None if found is None else (found[1], int(found[2]))


def _explain_shortage(
    line: str,
    asked: ShortageLine,
    report: PlanReport,
    model: Model,
    failed: tuple[str, int] | None,
) -> Explanation:
    plan = report.plan
    if plan is None:
        return Explanation(
            line, _meaning(asked), "The model does not load in any arena: see above."
        )
    size = None if report.size_check is None else report.size_check.bytes
    for wanted in (size,) if size is None else (size, None):
        cases = _cases(asked, plan, failed, wanted)
        if cases:
            remedy = f"Declare {plan.arena.recommended_bytes:,} bytes."
            return Explanation(line, _meaning(asked), remedy, cases)
        for other in alternatives(model, plan):
            cases = _cases(asked, other.plan, failed, wanted)
            if cases:
                remedy = (
                    f"There, declare {other.plan.arena.recommended_bytes:,} bytes; "
                    f"{plan.arena.recommended_bytes:,} here."
                )
                return Explanation(line, _meaning(asked), remedy, cases, other.name, other.plan)
    return Explanation(line, _meaning(asked), _NOWHERE, ())


def _cases(
    asked: ShortageLine, plan: ArenaPlan, failed: tuple[str, int] | None, size: int | None
) -> tuple[Case, ...]:
    matches = find_arenas(plan.calls, asked, len(plan.buffers))
    if failed is not None:
        matches = [match for match in matches if _is_of(match, plan, failed)] or matches
    if size is not None:
        matches = [match for match in matches if match.has_size(size)]
    return tuple(Case(plan.purpose(match.call), match) for match in matches)


def _is_of(match: ShortageMatch, plan: ArenaPlan, failed: tuple[str, int]) -> bool:
    owner = match.call.owner
    if owner.node is None:
        return False
    operator = plan.nodes[owner.subgraph or 0][owner.node].operator
    return (operator, owner.node) == failed


def _meaning(asked: ShortageLine) -> str:
    return {
        Action.PERSISTENT: "What stays found no room at the end of the arena (the tail).",
        Action.TEMPORARY: "Memory that is needed for a while found no room above the head.",
        Action.HEAD: "What lies at the start of the arena (the head) ran into the tail.",
        Action.PLAN: "The memory planner found no room for its own tables.",
    }.get(asked.action, "")
