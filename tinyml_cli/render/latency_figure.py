"""A latency as a figure: a bar for each operator, in execution order."""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_cli.profiling.profile_models import ProfileReport
from tinyml_cli.render.figure import GREY, PALE, Anchor, Box, Figure, Line, Shape, Words, text_width
from tinyml_cli.render.palette import COLOURS
from tinyml_cli.render.units import number, percent, printable
from tinyml_profiles.amounts import milliseconds
from tinyml_profiles.latency_report import NodeLatency

_LEFT_MARGIN, _TOP, _ROW, _BAR, _BARS_WIDTH, _RIGHT = 16, 64, 20, 14, 560, 170
_LABEL, _TITLE = 11, 15


def latency_figure(report: ProfileReport) -> Figure:
    """All operators with what they take; grey ones are unknown."""
    latency = report.latency
    labels = [f"{node.index} {node.operator}" for node in latency.nodes]
    left = _LEFT_MARGIN + max((text_width(text, _LABEL) for text in labels), default=0) + 8
    height = _TOP + _ROW * len(labels) + 16
    title = f"{report.model.path} on {latency.target.name}, {latency.library} kernels"
    total = latency.total.latency_ms
    shapes: list[Shape] = [
        Words(_LEFT_MARGIN, 26, printable(title), _TITLE),
        Words(
            _LEFT_MARGIN,
            46,
            "latency unknown" if total is None else f"{milliseconds(total)} per invocation",
            _LABEL,
            colour=GREY,
        ),
        Line([(left, _TOP - 4), (left, height - 12)], GREY),
    ]
    kinds = list(dict.fromkeys(node.operator for node in latency.nodes))
    fills = {kind: COLOURS[place % len(COLOURS)] for place, kind in enumerate(kinds)}
    most = max((node.cycles.total for node in latency.nodes if node.cycles is not None), default=1)
    for row, (node, label) in enumerate(zip(latency.nodes, labels, strict=True)):
        shapes += _row(node, label, left, _TOP + row * _ROW, most, fills[node.operator])
    return Figure(round(left + _BARS_WIDTH + _RIGHT), height, title, shapes)


def _row(
    node: NodeLatency, label: str, left: float, top: float, most: float, fill: str
) -> Iterator[Shape]:
    middle = top + _BAR - 3
    yield Words(left - 8, middle, printable(label), _LABEL, Anchor.END)
    if node.cycles is None:
        yield Box(left, top, 24, _BAR, PALE, GREY, f"{label}: unknown")
        yield Words(left + 32, middle, "unknown", _LABEL, colour=GREY)
        return
    width = node.cycles.total / most * _BARS_WIDTH
    cycles = f"{number(round(node.cycles.total))} cycles"
    time = cycles if node.latency_ms is None else milliseconds(node.latency_ms)
    text = time if node.share is None else f"{time}, {percent(node.share)}"
    details = f"{label}\n{cycles}\n{number(node.macs)} MACs\n{node.evidence}"
    yield Box(left, top, width, _BAR, fill, title=details)
    yield Words(left + width + 6, middle, text, _LABEL)
