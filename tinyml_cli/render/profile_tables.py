"""`tinyml profile` as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.console import RenderableType

from tinyml_cli.profiling.profile_models import ProfileReport
from tinyml_cli.render.measured_tables import measured_lines, measured_table
from tinyml_cli.render.parts import BLANK, line, table
from tinyml_cli.render.units import megahertz, milliwatts, number, one_decimal, percent, plural
from tinyml_profiles.amounts import amount, milliseconds
from tinyml_profiles.kinds import KindLatency, by_kind
from tinyml_profiles.latency_report import LatencyReport, NodeLatency

if TYPE_CHECKING:
    from tinyml_profiles.what_if import WhatIf

UNKNOWN = "unknown"
_BAR_CELLS = 8


def profile(reports: Sequence[ProfileReport], by: str, order: str) -> list[RenderableType]:
    """Every profile by itself, or several side by side."""
    if len(reports) > 1:
        return [*_side_by_side(reports), *_notes(reports)]
    return _one(reports[0], by, order)


def _one(report: ProfileReport, by: str, order: str) -> list[RenderableType]:
    latency = report.latency
    listed = _by_type(report.kinds) if by == "type" else _by_node(latency, order)
    if report.measured is not None:
        listed = measured_table(report, report.measured, by, order)
    parts: list[RenderableType] = [
        line(_heading(report), "bold"),
        line(_latency_text(latency), "bold green" if latency.total.latency_ms else "bold yellow"),
        line(_counts_text(latency)),
        *([line(text)] if (text := _dominance(by_kind(latency))) else []),
        *_samples(report),
        *_duty(report),
        *measured_lines(report),
        BLANK,
        listed,
    ]
    if latency.overhead_ms and latency.total.latency_ms:
        duration = milliseconds(latency.overhead_ms)
        share = percent(latency.overhead_ms / latency.total.latency_ms)
        parts.append(line(f"the interpreter itself takes {duration}, {share} of the latency"))
    notes = [*_range(latency), *latency.notes]
    if report.what_ifs is not None:
        rows = report.what_ifs.rows
        parts += [BLANK, _what_ifs(rows)] if rows else []
        notes += report.what_ifs.notes
    notes += report.measured.notes if report.measured else ()
    notes += report.fed.notes if report.fed else ()
    return [*parts, *(line(f"note: {note}") for note in notes)]


def _heading(report: ProfileReport) -> str:
    latency = report.latency
    target = latency.target
    kernels = f"{latency.library} kernels at -{latency.opt}"
    return f"{report.model.path} on {target.name} ({target.title}), {kernels}"


def _latency_text(latency: LatencyReport) -> str:
    total = latency.total
    if total.latency_ms is None:
        return "latency   unknown" if latency.clock_hz else "latency   depends on the clock"
    text = f"latency   {milliseconds(total.latency_ms)}"
    if total.latency_low_ms is not None and total.latency_high_ms is not None:
        text += (
            f" (90 %: {milliseconds(total.latency_low_ms)} to "
            f"{milliseconds(total.latency_high_ms)})"
        )
    if total.energy_uj is not None:
        text += f", {total.energy_uj:,.0f} uJ"
    return f"{text} at {megahertz(latency.clock_hz)}, {latency.evidence}"


def _range(latency: LatencyReport) -> list[str]:
    """What the range is of, where there is one."""
    if latency.total.latency_low_ms is None or latency.range_of is None:
        return []
    return [f"the range is as wide as the errors of {latency.range_of}"]


def _counts_text(latency: LatencyReport) -> str:
    total = latency.total
    if total.cycles is None or total.instructions is None:
        return f"          {number(total.macs)} MACs"
    text = (
        f"          {number(round(total.cycles))} cycles, "
        f"{number(round(total.instructions))} instructions, {number(total.macs)} MACs"
    )
    return (
        f"{text}, {one_decimal(total.cycles / total.macs)} cycles per MAC" if total.macs else text
    )


def _dominance(kinds: Sequence[KindLatency]) -> str:
    """What takes longest, and how dear its products are beside those of the next kind."""
    if not kinds:
        return ""
    first = kinds[0]
    text = f"          {first.name} {_takes(first)} {percent(first.share)} of the time"
    each = first.cycles_per_mac
    if each is None:
        return text
    text += f" at {one_decimal(each)} cycles per MAC"
    others = [k for k in kinds[1:] if k.cycles_per_mac and k.macs * 100 > first.macs]
    if not others:
        return text
    other = others[0]
    ratio = each / (other.cycles_per_mac or each)
    if ratio < 1:
        return f"{text}; {other.name} {_takes(other)} {_times(1 / ratio)}"
    return f"{text}, {_times(ratio)} as {other.name}"


def _times(ratio: float) -> str:
    """How many times as many, of a ratio of at least 1."""
    return f"{times} times as many" if (times := one_decimal(ratio)) != "1.0" else "as many"


def _takes(kind: KindLatency) -> str:
    """The verb for operators, which are names, and for kinds in words."""
    return "take" if " " in kind.name else "takes"


def _samples(report: ProfileReport) -> list[RenderableType]:
    """What the model has run on, if it has."""
    if report.fed is None:
        return []
    sources = ", ".join(dict.fromkeys(each.source for each in report.fed.inputs))
    return [line(f"values    of {plural(report.fed.samples, 'sample')} from {sources}")]


def _duty(report: ProfileReport) -> list[RenderableType]:
    if report.duty is None or report.period_seconds is None:
        return []
    text = f"duty      {percent(report.duty)} of every {report.period_seconds:g} s"
    if report.average_mw is not None:
        power = milliwatts(report.average_mw)
        text += f", {power} on average, {report.power_evidence}"
    elif report.duty <= 1:
        text += f", average power unknown: no power {_unknown_power(report)}"
    return [line(text, "bold red" if report.duty > 1 else "")]


def _unknown_power(report: ProfileReport) -> str:
    board = report.latency.target.board
    if board is None:
        return "of a core alone"
    missing = [
        name
        for name, figure in (("active", board.power.active_mw), ("asleep", board.power.sleep_mw))
        if figure is None
    ]
    return f"of {report.latency.target.name} {' and '.join(missing)}"


def _by_node(latency: LatencyReport, order: str) -> RenderableType:
    nodes = list(latency.nodes)
    if order == "time":
        nodes.sort(key=lambda node: -(node.share or 0.0))
    several = any(node.subgraph for node in nodes)
    has_time = bool(latency.clock_hz)
    rows = [_node_row(node, several, has_time) for node in nodes]
    price = "ms" if has_time else "cycles"
    names = ("node", "operator", "MACs", price, "share", "", "cyc/MAC", "evidence")
    return table(names, rows, (0, 2, 3, 4, 6), (5, 7), is_tight=True)


def _node_row(node: NodeLatency, several: bool, has_time: bool) -> tuple[str, ...]:
    each = node.cycles_per_mac
    price = UNKNOWN
    if node.cycles is not None:
        price = number(round(node.cycles.total))
        if has_time and node.latency_ms is not None:
            price = amount(node.latency_ms)
    return (
        f"{node.subgraph}:{node.index}" if several else str(node.index),
        node.operator,
        number(node.macs) if node.macs else "",
        price,
        "" if node.share is None else percent(node.share),
        _bar(node.share),
        "" if each is None else one_decimal(each),
        node.evidence,
    )


def _by_type(kinds: Sequence[KindLatency]) -> RenderableType:
    rows = [
        (
            kind.name,
            str(kind.nodes),
            number(kind.macs) if kind.macs else "",
            number(round(kind.cycles)),
            "" if kind.latency_ms is None else amount(kind.latency_ms),
            percent(kind.share),
            _bar(kind.share),
            "" if kind.cycles_per_mac is None else one_decimal(kind.cycles_per_mac),
        )
        for kind in kinds
    ]
    names = ("operator", "nodes", "MACs", "cycles", "ms", "share", "", "cyc/MAC")
    return table(names, rows, (1, 2, 3, 4, 5, 7), (6,), is_tight=True)


def _bar(share: float | None) -> str:
    return "█" * round(_BAR_CELLS * (share or 0.0))


def _what_ifs(found: Sequence[WhatIf]) -> RenderableType:
    rows = [
        (one.what, milliseconds(one.latency_ms), f"{one.saved_ms:+,.3f}", one.how) for one in found
    ]
    return table(("with", "latency", "saves ms", "how"), rows, (1, 2))


def _side_by_side(reports: Sequence[ProfileReport]) -> list[RenderableType]:
    models = list(dict.fromkeys(report.model.path for report in reports))
    rows = [
        (
            PurePath(report.model.path).name,
            report.latency.target.name,
            report.latency.library + ("" if report.latency.opt == "O2" else " -Os"),
            megahertz(report.latency.clock_hz) if report.latency.clock_hz else "",
            _cell(report.latency.total.cycles),
            UNKNOWN
            if report.latency.total.latency_ms is None
            else milliseconds(report.latency.total.latency_ms),
            report.latency.evidence,
        )
        for report in reports
    ]
    names = ("model", "target", "kernels", "clock", "cycles", "latency", "evidence")
    if len(models) > 1:
        return [table(names, rows, (3, 4, 5), (1, 2, 6), is_tight=True)]
    # What is the same in all rows is said once.
    listed = table(names[1:], [row[1:] for row in rows], (2, 3, 4), (0, 1, 5), is_tight=True)
    return [line(f"{models[0]} on {len(reports)} targets", "bold"), BLANK, listed]


def _cell(count: float | None) -> str:
    return UNKNOWN if count is None else number(round(count))


def _notes(reports: Sequence[ProfileReport]) -> list[RenderableType]:
    """Each note once, with the profiles that it is about, unless it is about all."""
    several = len({report.model.path for report in reports}) > 1
    about: dict[str, list[str]] = {}
    for report in reports:
        target = report.latency.target.name
        profile = f"{PurePath(report.model.path).name} on {target}" if several else target
        for note in report.latency.notes:
            about.setdefault(note, []).append(profile)
    return [
        line(f"note: {note}" if len(them) == len(reports) else f"note: {', '.join(them)}: {note}")
        for note, them in about.items()
    ]
