"""A prediction beside a measured run, as lines and a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from tinyml_cli.profiling.profile_models import ProfileReport
from tinyml_cli.render.parts import line, table
from tinyml_cli.render.units import number, percent, plural, signed_percent
from tinyml_profiles.amounts import milliseconds

if TYPE_CHECKING:
    from tinyml_profiles.logs.measure import Measurement

UNKNOWN = "unknown"


def measured_lines(report: ProfileReport) -> list[RenderableType]:
    """The whole run, how far the prediction is off, and what the log is; nothing without one."""
    measured = report.measured
    if measured is None:
        return []
    predicted = report.latency.total.latency_ms
    if predicted is not None and measured.whole_ms is None:
        predicted -= report.latency.overhead_ms
    text = f"measured  {milliseconds(measured.total_ms)}"
    if predicted is not None and measured.total_ms:
        text += f", the prediction is off by {signed_percent(predicted / measured.total_ms - 1)}"
    source = (
        f"          {measured.source}: {plural(measured.invocations, 'invocation')}, "
        f"{measured.format}, ticks: {measured.unit}"
    )
    return [line(text, "bold"), line(source)]


def measured_table(
    report: ProfileReport, measured: Measurement, by: str, order: str
) -> RenderableType:
    """A row for every node, or for every operator, with what was measured and the error."""
    if by == "type" or not measured.nodes:
        kinds = _kind_rows(report, measured)
        return table(
            ("operator", "nodes", "MACs", "ms", "measured ms", "error", "share"), kinds, range(1, 7)
        )
    nodes = list(_node_rows(report, measured))
    if order == "time":
        nodes.sort(key=lambda row: -row[0])
    names = ("node", "operator", "MACs", "ms", "measured ms", "error", "share")
    return table(names, (row for _, row in nodes), (0, 2, 3, 4, 5, 6))


def _node_rows(
    report: ProfileReport, measured: Measurement
) -> Iterator[tuple[float, tuple[str, ...]]]:
    several = any(node.subgraph for node in report.latency.nodes)
    for node in report.latency.nodes:
        time = measured.nodes.get((node.subgraph, node.index))
        share = None if time is None or not measured.total_ms else time / measured.total_ms
        yield (
            time or 0.0,
            (
                f"{node.subgraph}:{node.index}" if several else str(node.index),
                f"{node.operator} (assumed)" if node.evidence == "assumed" else node.operator,
                number(node.macs) if node.macs else "",
                *_beside(node.latency_ms, time),
                "" if share is None else percent(share),
            ),
        )


def _kind_rows(report: ProfileReport, measured: Measurement) -> Iterator[tuple[str, ...]]:
    for kind in report.kinds:
        time = measured.operators.get(kind.name)
        share = None if time is None or not measured.total_ms else time / measured.total_ms
        yield (
            kind.name,
            str(kind.nodes),
            number(kind.macs) if kind.macs else "",
            *_beside(kind.latency_ms, time),
            "" if share is None else percent(share),
        )


def _beside(predicted: float | None, measured: float | None) -> tuple[str, str, str]:
    error = "" if not predicted or not measured else signed_percent(predicted / measured - 1)
    return (
        UNKNOWN if predicted is None else f"{predicted:,.3f}",
        "" if measured is None else f"{measured:,.3f}",
        error,
    )
