"""A listener that keeps the time and the range of values of every node."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter

from tinyml_cli.running.report import TracedNode
from tinyml_runtime import Event, Node, NodeStarted, Tensor
from tinyml_runtime.quantization import dequantize


@dataclass(slots=True)
class _Record:
    node: Node
    output: Tensor | None = None
    calls: int = 0
    seconds: float = 0.0
    lowest: float | None = None
    highest: float | None = None


class Trace:
    """Adds up what nodes do over all invocations; a node that runs others includes their time."""

    def __init__(self) -> None:
        """Start with nothing heard."""
        self._records: dict[tuple[int, int], _Record] = {}
        self._started: list[float] = []

    def notify(self, event: Event) -> None:
        """Take one event of the run."""
        now = perf_counter()
        key = (event.node.subgraph, event.node.index)
        if isinstance(event, NodeStarted):
            self._records.setdefault(key, _Record(event.node))
            self._started.append(perf_counter())
            return
        record = self._records[key]
        record.calls += 1
        record.seconds += now - self._started.pop()
        if event.outputs:
            _widen(record, event.outputs[0])

    def nodes(self) -> list[TracedNode]:
        """The nodes in the order in which they first ran."""
        return [_traced(record) for record in self._records.values()]

    @property
    def seconds(self) -> float:
        """Time of all nodes of the main subgraph together."""
        return sum(record.seconds for (graph, _), record in self._records.items() if not graph)


def _widen(record: _Record, output: Tensor) -> None:
    record.output = output
    if not output.values.size or output.values.dtype.kind == "c":
        return
    ends = dequantize(output.values, output)
    low, high = float(ends.min()), float(ends.max())
    record.lowest = low if record.lowest is None else min(record.lowest, low)
    record.highest = high if record.highest is None else max(record.highest, high)


def _traced(record: _Record) -> TracedNode:
    output = record.output
    return TracedNode(
        subgraph=record.node.subgraph,
        index=record.node.index,
        operator=record.node.operator,
        shape=() if output is None else output.shape,
        dtype="" if output is None else output.type.name.lower(),
        calls=record.calls,
        total_ms=record.seconds * 1e3,
        lowest=record.lowest,
        highest=record.highest,
    )
