"""Measured runs as rows of a fit: what was measured, and the parts of its prediction."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_profiles.calibration.fit import PARAMETERS, Sample, Values
from tinyml_profiles.calibration.report import Run
from tinyml_profiles.latency_report import LatencyReport, NodeLatency
from tinyml_profiles.logs.measure import Measurement

# The whole is predicted twice as well as an operator is; one that takes no time up to five times
# worse.
_WHOLE_WIDTH = 0.5
_WIDEST = 5.0
# The standard deviation of a tick's worth of rounding.
_ROUNDING = 0.29


@dataclass(frozen=True, slots=True)
class Row:
    """A sample, the run that it is of, and the name of what was measured.

    A whole that is the sum of its operators `counts` for nothing beside them.
    """

    run: int
    name: str
    sample: Sample
    is_whole: bool
    counts: bool = True


def run_rows(number: int, run: Run, report: LatencyReport, clock_hz: float) -> Iterator[Row]:
    """What was measured and is predicted: nodes, sums of operators, and the whole."""
    measured = run.measurement
    cycles_per_ms = clock_hz / 1e3
    tick = measured.tick_ms
    rows: list[tuple[str, Values, float]] = []
    by_operator: dict[str, list[NodeLatency]] = defaultdict(list)
    for node in report.nodes:
        by_operator[node.operator].append(node)
        time = measured.nodes.get((node.subgraph, node.index))
        if time is not None and time > tick and node.cycles is not None and node.cycles.total > 0:
            rows.append((_node_name(node), _parts([node]), time))
    if not measured.nodes or len(measured.nodes) < len(report.nodes):
        rows += _sums(measured, by_operator)
    usual = statistics.median([time for _, _, time in rows]) if rows else 1.0
    for name, parts, time in rows:
        width = min(_WIDEST, max(1.0, (usual / time) ** 0.5))
        noise = _ROUNDING * tick / time
        yield Row(number, name, Sample(parts, time * cycles_per_ms, noise, width), False)
    yield from _whole_row(number, measured, report, cycles_per_ms)


def _node_name(node: NodeLatency) -> str:
    place = f"{node.subgraph}:{node.index}" if node.subgraph else str(node.index)
    return f"{place} {node.operator}"


def _sums(
    measured: Measurement, by_operator: Mapping[str, Sequence[NodeLatency]]
) -> Iterator[tuple[str, Values, float]]:
    """Operators whose nodes were measured together."""
    for operator, time in measured.operators.items():
        nodes = by_operator.get(operator, ())
        if any((node.subgraph, node.index) in measured.nodes for node in nodes):
            continue
        if nodes and time > 0 and all(node.cycles is not None for node in nodes):
            yield operator, _parts(nodes), time


def _whole_row(
    number: int, measured: Measurement, report: LatencyReport, cycles_per_ms: float
) -> Iterator[Row]:
    """The whole invocation, where every node is predicted and runs once."""
    if any(node.cycles is None or node.subgraph for node in report.nodes):
        return
    if measured.total_ms <= measured.tick_ms:
        return
    parts = _parts(report.nodes)
    if measured.whole_ms is not None:
        parts[0] += report.overhead_ms * cycles_per_ms
    sample = Sample(
        parts,
        measured.total_ms * cycles_per_ms,
        _ROUNDING * measured.tick_ms / measured.total_ms,
        _WHOLE_WIDTH,
    )
    yield Row(number, "whole", sample, True, counts=measured.whole_ms is not None)


def _parts(nodes: Sequence[NodeLatency]) -> Values:
    parts = np.zeros(len(PARAMETERS))
    for node in nodes:
        cycles = node.cycles
        if cycles is not None:
            stalls = (cycles.fetch_stalls, cycles.weight_stalls, cycles.arena_stalls)
            parts += np.array([cycles.core, *stalls, 1.0])
    return parts
