"""`tinyml plan` as tables for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import RenderableType

from tinyml_cli.planning.report import PlanReport, PlanReports, SizeCheck
from tinyml_cli.render.memory_map import MemoryMap
from tinyml_cli.render.parts import BLANK, line, table
from tinyml_cli.render.plan_attribution import buffer_name, by_operator, by_tensor
from tinyml_cli.render.plan_explanations import explanations
from tinyml_cli.render.units import bytes_text, kibibytes, number, percent, plural
from tinyml_runtime.memory.arena import Section
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.peak import Peak

_SHOWN_LIVE = 8


def plan(reports: PlanReports, by: str | None) -> list[RenderableType]:
    """Every model, then the arena that several can share."""
    parts: list[RenderableType] = []
    for report in reports.reports:
        parts += [*_model(report, by), BLANK]
    if reports.shared is not None:
        parts += _shared(reports)
    return parts[:-1] if parts and parts[-1] is BLANK else parts


def _model(report: PlanReport, by: str | None) -> list[RenderableType]:
    heading = line(_heading(report), "bold")
    if report.plan is None:
        return [heading, *_problems(report), *explanations(report)]
    plan = report.plan
    parts = [heading, *_figures(plan), *_size_check(report.size_check)]
    if report.explanations:
        return [*parts, *explanations(report)]
    parts.append(BLANK)
    if by is None:
        parts += [_composition(plan), BLANK, *_peak(plan, report.peak)]
        if report.peak is not None:
            parts += [BLANK, MemoryMap(plan)]
    else:
        parts.append(by_operator(plan) if by == "op" else by_tensor(plan))
    if report.split is not None:
        parts += [
            BLANK,
            line(
                f"two arenas: persistent {number(report.split.persistent_bytes)}, "
                f"non-persistent {bytes_text(report.split.nonpersistent_bytes)}"
            ),
        ]
    if report.savings:
        parts += [BLANK, _savings(report)]
    parts += [line(text) for text in report.written]
    return parts


def _heading(report: PlanReport) -> str:
    profile = report.profile
    core = f", {profile.core}" if profile.core else ""
    return (
        f"{report.model.path}: TFLM {profile.abi.tflm}, {report.library} kernels, "
        f"{profile.abi.name}{core}"
    )


def _problems(report: PlanReport) -> list[RenderableType]:
    count = plural(len(report.problems), "node")
    return [
        line(f"does not load: {count} cannot run", "bold red"),
        *(line(f"  {problem}") for problem in report.problems),
    ]


def _figures(plan: ArenaPlan) -> list[RenderableType]:
    arena = plan.arena
    declared = arena.recommended_bytes
    return [
        line(f"declare   {bytes_text(declared)} ({kibibytes(declared)})", "bold green"),
        line(f"          alignas(16) uint8_t tensor_arena[{declared}];"),
        line(f"smallest  {bytes_text(arena.min_bytes)}; with one less there is no room for"),
        line(f"          {arena.bound_by}"),
        line(
            f"used      {bytes_text(arena.used_bytes)} (arena_used_bytes()): "
            f"persistent {number(arena.persistent_bytes)} + "
            f"planned {number(arena.nonpersistent_bytes)}"
        ),
    ]


def _size_check(check: SizeCheck | None) -> list[RenderableType]:
    if check is None:
        return []
    if check.shortage is None:
        return [line(f"{bytes_text(check.bytes)} are enough", "bold green")]
    return [
        line(f"{bytes_text(check.bytes)} are too few", "bold red"),
        line(f"  the first to find no room: {check.purpose}"),
        line(f"  {_printed(check.message)}"),
    ]


def _printed(message: str) -> str:
    if message:
        return f"TFLM prints: {message}"
    return "TFLM does not notice: it overwrites temporary memory that it still reads"


def _composition(plan: ArenaPlan) -> RenderableType:
    sums: dict[str, list[int]] = {}
    for entry in plan.allocations:
        if entry.section is not Section.TEMPORARY:
            total = sums.setdefault(entry.kind, [0, 0])
            total[0] += entry.bytes
            total[1] += entry.count
    size = plan.arena.recommended_bytes
    rows = [
        (kind, number(total), percent(total / size), number(count))
        for kind, (total, count) in sorted(sums.items(), key=lambda item: -item[1][0])
    ]
    rest = size - plan.arena.used_bytes
    if rest:
        what = "needed while allocating only" if rest > 0 else "alignment at the end"
        rows.append((what, number(rest), percent(rest / size), ""))
    rows.append(("arena to declare", number(size), percent(1.0), ""))
    return table(("made of", "bytes", "share", "count"), rows, (1, 2, 3))


def _peak(plan: ArenaPlan, peak: Peak | None) -> list[RenderableType]:
    if peak is None:
        return [line("no buffer is planned")]
    offsets = {id(one): at for one, at in zip(plan.buffers, plan.plan.offsets, strict=True)}
    where = ""
    if peak.step is not None:
        operator = plan.nodes[peak.step.subgraph][peak.step.node].operator
        where = f" at node {peak.step.node} ({operator})"
    rows = [
        (
            buffer_name(buffer, plan),
            number(buffer.bytes),
            f"{buffer.request.first_use}-{buffer.request.last_use}",
            number(offsets[id(buffer)]),
        )
        for buffer in peak.live[:_SHOWN_LIVE]
    ]
    rest = len(peak.live) - len(rows)
    return [
        line(
            f"planned part {bytes_text(plan.plan.bytes)}, {plan.plan.verdict}; "
            f"most in use at once {bytes_text(peak.bytes)}{where}:"
        ),
        table(("in use then", "bytes", "in use from-to", "offset"), rows, (1, 2, 3)),
        *([line(f"... {plural(rest, 'more buffer')}; --json has all")] if rest else []),
    ]


def _savings(report: PlanReport) -> RenderableType:
    rows = [
        (saving.what, number(saving.saved_bytes), number(saving.arena_bytes), saving.how)
        for saving in report.savings
    ]
    return table(("smaller with", "saves bytes", "arena", "how"), rows, (1, 2))


def _shared(reports: PlanReports) -> Iterable[RenderableType]:
    shared = reports.shared
    if shared is None:
        return []
    size, separate = shared.recommended_bytes, reports.separate_bytes
    return [
        line("one arena for all, run in turn through one MicroAllocator", "bold"),
        line(f"declare   {bytes_text(size)} ({kibibytes(size)})", "bold green"),
        line(
            f"smallest  {bytes_text(shared.min_bytes)}: persistent parts "
            f"{number(shared.persistent_bytes)} + the largest planned part "
            f"{number(shared.nonpersistent_bytes)}"
        ),
        line(f"separate  {bytes_text(separate)}: sharing saves {bytes_text(separate - size)}"),
        *_size_check(reports.shared_check),
    ]
