"""Nodes of one kind together: what dominates a latency."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_profiles.latency_report import LatencyReport, NodeLatency


@dataclass(frozen=True, slots=True)
class KindLatency:
    """All nodes of an operator that are known: sums, and the share of the whole."""

    operator: str
    nodes: int
    macs: int
    instructions: float
    cycles: float
    latency_ms: float | None
    share: float

    @property
    def cycles_per_mac(self) -> float | None:
        """Cycles for each product that is added up; None without any."""
        return self.cycles / self.macs if self.macs else None


def by_kind(report: LatencyReport) -> list[KindLatency]:
    """The operators of a model, the one that takes longest first."""
    groups: dict[str, list[NodeLatency]] = {}
    for node in report.nodes:
        if node.cycles is not None:
            groups.setdefault(node.operator, []).append(node)
    kinds = [_kind(operator, nodes) for operator, nodes in groups.items()]
    return sorted(kinds, key=lambda kind: -kind.cycles)


def _kind(operator: str, nodes: Sequence[NodeLatency]) -> KindLatency:
    times = [node.latency_ms for node in nodes]
    return KindLatency(
        operator,
        len(nodes),
        sum(node.macs for node in nodes),
        sum(node.instructions.total for node in nodes if node.instructions is not None),
        sum(node.cycles.total for node in nodes if node.cycles is not None),
        None if None in times else sum(time for time in times if time is not None),
        sum(node.share or 0.0 for node in nodes),
    )
