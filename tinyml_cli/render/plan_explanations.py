"""Explained lines of a log, for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding

from tinyml_cli.planning.explanations import Case, Explanation
from tinyml_cli.planning.report import PlanReport
from tinyml_cli.render.parts import BLANK, line
from tinyml_cli.render.units import bytes_text, number, plural
from tinyml_runtime.planning.arena_plan import ArenaPlan

_SHOWN_CASES = 3
_NOT_ALL = (
    "The figures are those of one call. A larger arena gets further and fails at a later call, "
    "with figures of its own: they do not add up to what is missing."
)


def explanations(report: PlanReport) -> list[RenderableType]:
    """Each line, what it means, where it comes from, what to do."""
    parts: list[RenderableType] = []
    for one in report.explanations:
        parts += [BLANK, line(one.line, "bold"), _indented(one.meaning)]
        plan = one.other_plan or report.plan
        if one.cases and plan is not None:
            parts += _cases(one, one.cases, plan)
        if one.remedy:
            parts.append(_indented(one.remedy, "green"))
    return parts


def _cases(one: Explanation, cases: tuple[Case, ...], plan: ArenaPlan) -> Iterator[RenderableType]:
    if one.other_runtime is not None:
        yield _indented(f"Not in this runtime, but with {one.other_runtime}:", "yellow")
    for case in cases[:_SHOWN_CASES]:
        sizes = " or ".join(
            bytes_text(low) if low == high else f"{number(low)} to {bytes_text(high)}"
            for low, high in case.match.sizes
        )
        lacking = case.match.lacking_bytes(plan.arena.recommended_bytes)
        yield _indented(
            f"- printed by an arena of {sizes}, where there is no room for {case.purpose}; "
            f"altogether {bytes_text(lacking)} are missing"
        )
    rest = len(cases) - _SHOWN_CASES
    if rest > 0:
        yield _indented(
            f"- or by one of {plural(rest, 'other call')} of this model; the lines that follow in "
            "the log, or --arena-size, tell which"
        )
    yield _indented(_NOT_ALL)


def _indented(text: str, style: str = "") -> RenderableType:
    return Padding(line(text, style), (0, 0, 0, 2))
