"""Nodes of one kind together: what dominates a latency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyml_profiles.latency_report import LatencyReport, NodeLatency

_POINTWISE = "pointwise convolutions"
_PLURALS = {
    "CONV_2D": "spatial convolutions",
    "DEPTHWISE_CONV_2D": "depthwise convolutions",
    "FULLY_CONNECTED": "fully connected layers",
}


@dataclass(frozen=True, slots=True)
class KindLatency:
    """All nodes of a kind that are known: sums, and the share of the whole."""

    name: str
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


def by_operator(report: LatencyReport) -> list[KindLatency]:
    """The operators of a model, the one that takes longest first."""
    return _grouped(report, lambda node: node.operator)


def by_kind(report: LatencyReport) -> list[KindLatency]:
    """The same in words, with convolutions of single pixels apart from those of several."""
    return _grouped(report, _kind_of)


def _kind_of(node: NodeLatency) -> str:
    return _POINTWISE if node.is_pointwise else _PLURALS.get(node.operator, node.operator)


def _grouped(report: LatencyReport, name_of: Callable[[NodeLatency], str]) -> list[KindLatency]:
    groups: dict[str, list[NodeLatency]] = {}
    for node in report.nodes:
        if node.cycles is not None:
            groups.setdefault(name_of(node), []).append(node)
    kinds = [_kind(name, nodes) for name, nodes in groups.items()]
    return sorted(kinds, key=lambda kind: -kind.cycles)


def _kind(name: str, nodes: Sequence[NodeLatency]) -> KindLatency:
    times = [node.latency_ms for node in nodes]
    return KindLatency(
        name,
        len(nodes),
        sum(node.macs for node in nodes),
        sum(node.instructions.total for node in nodes if node.instructions is not None),
        sum(node.cycles.total for node in nodes if node.cycles is not None),
        None if None in times else sum(time for time in times if time is not None),
        sum(node.share or 0.0 for node in nodes),
    )
