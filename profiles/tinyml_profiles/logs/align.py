"""Events of a log laid beside the nodes of a model, invocation by invocation.

A tag is an operator's name and nothing else, so it is the order that says which node it is. TFLM
opens an event when a node starts: what IF, WHILE and CALL_ONCE run stands behind them, as often as
it ran.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyml_profiles.logs.records import Event, Log
from tinyml_runtime.errors import InputError
from tinyml_runtime.model.check import called_subgraphs
from tinyml_runtime.model.schema import Model
from tinyml_runtime.types import BuiltinOperator

# The share of events that may belong to invocations of which lines were lost.
_LOST = 0.1


@dataclass(frozen=True, slots=True)
class NodeName:
    """A node, its operator as the model has it, and the subgraphs that it calls."""

    subgraph: int
    index: int
    operator: str
    calls: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Placed:
    """An event of a node; `caller` is the place, in its invocation, of what called its subgraph."""

    node: NodeName
    event: Event
    caller: int | None = None


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Where events and nodes part: the place of the event, -1 for the end, and the node."""

    place: int
    node: NodeName


@dataclass(frozen=True, slots=True)
class Alignment:
    """Whole invocations, and what should be known about events that are in none."""

    invocations: Sequence[Sequence[Placed]]
    notes: Sequence[str] = ()


def nodes_by_subgraph(model: Model) -> list[list[NodeName]]:
    """The nodes of every subgraph, in execution order."""
    return [
        [
            NodeName(number, index, model.code(operator).name, called_subgraphs(operator))
            for index, operator in enumerate(graph.operators)
        ]
        for number, graph in enumerate(model.subgraphs)
    ]


def plain(tag: str) -> str:
    """A tag without what ports write differently: `Conv2D` and `CONV_2D` are one."""
    return "".join(c for c in tag.upper() if c.isalnum())


_BUILTIN = frozenset(plain(operator.name) for operator in BuiltinOperator)


def operator_events(events: Sequence[Event], graphs: Sequence[Sequence[NodeName]]) -> list[Event]:
    """The events that are of operators: ports and benchmarks measure other things too."""
    known = _BUILTIN | {plain(node.operator) for graph in graphs for node in graph}
    return [event for event in events if plain(event.tag) in known]


def align(log: Log, events: Sequence[Event], graphs: Sequence[Sequence[NodeName]]) -> Alignment:
    """The invocations that are whole.

    Raises:
        InputError: the events are not those of this model: the first place where they part.
    """
    walk = _Walk(events, graphs)
    invocations: list[list[Placed]] = []
    lost: list[int] = []
    first: Mismatch | None = None
    place = 0
    while place < len(events):
        found = walk.invocation(place)
        if isinstance(found, Mismatch):
            first = first or found
            lost.append(place)
            place += 1
            continue
        invocations.append(found)
        place += len(found)
    if first is not None and (not invocations or not _is_bearable(lost, events, graphs)):
        raise InputError(_parting(log, events, first, len(invocations)))
    notes = [] if not lost else [_lost_note(events, lost)]
    return Alignment(invocations, notes)


def _is_bearable(
    lost: Sequence[int], events: Sequence[Event], graphs: Sequence[Sequence[NodeName]]
) -> bool:
    """A start or an end that was cut off, or a few lines that were lost on the way."""
    if len(lost) <= _LOST * len(events):
        return True
    head = 0
    while head < len(lost) and lost[head] == head:
        head += 1
    tail = 0
    while tail < len(lost) - head and lost[-1 - tail] == len(events) - 1 - tail:
        tail += 1
    names = [plain(node.operator) for node in graphs[0]]
    tags = [plain(event.tag) for event in events]
    is_end = head == 0 or (head < len(names) and names[-head:] == tags[:head])
    is_start = tail == 0 or (tail < len(names) and names[:tail] == tags[len(tags) - tail :])
    return head + tail == len(lost) and is_end and is_start


def _lost_note(events: Sequence[Event], lost: Sequence[int]) -> str:
    first, last = events[lost[0]].line, events[lost[-1]].line
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    count = f"{len(lost)} event{'s' if len(lost) != 1 else ''}"
    return f"{count} of invocations that are not whole left out ({where})"


def _parting(log: Log, events: Sequence[Event], parting: Mismatch, whole: int) -> str:
    node = parting.node
    place = f"node {node.index}" + (f" of subgraph {node.subgraph}" if node.subgraph else "")
    after = f" after {whole} whole invocation{'s' if whole > 1 else ''}" if whole else ""
    if parting.place < 0:
        return (
            f"{log.source}: line {events[-1].line}: the log ends{after} before {place} of the "
            f"model, {node.operator}"
        )
    event = events[parting.place]
    return (
        f"{log.source}: line {event.line}: the log has {event.tag} where {place} of the model is "
        f"{node.operator}{after}"
    )


class _Walk:
    """Reads one invocation of the main subgraph, starting at some event."""

    def __init__(self, events: Sequence[Event], graphs: Sequence[Sequence[NodeName]]) -> None:
        self._events = events
        self._tags = [plain(event.tag) for event in events]
        self._graphs = graphs

    def invocation(self, start: int) -> list[Placed] | Mismatch:
        """The events of an invocation, in their order."""
        return self._subgraph(0, start, start, None)

    def _subgraph(
        self, number: int, place: int, start: int, caller: int | None
    ) -> list[Placed] | Mismatch:
        """The events of one run of a subgraph; `start` is where the invocation began."""
        found: list[Placed] = []
        for node in self._graphs[number]:
            at = place + len(found)
            if at >= len(self._events):
                return Mismatch(-1, node)
            if self._tags[at] != plain(node.operator):
                return Mismatch(at, node)
            found.append(Placed(node, self._events[at], caller))
            if node.calls:
                found += self._called(node, at + 1, start)
        return found

    def _called(self, node: NodeName, place: int, start: int) -> list[Placed]:
        """What a node of control flow ran: a loop's condition and body, a branch, or nothing."""
        caller = place - 1 - start
        if plain(node.operator) != "WHILE":
            runs = (self._subgraph(number, place, start, caller) for number in node.calls)
            ran = [run for run in runs if isinstance(run, list) and run]
            return ran[0] if ran else []
        found: list[Placed] = []
        for turn in self._turns(node.calls, place, start, caller):
            found += turn
        return found

    def _turns(
        self, calls: tuple[int, ...], place: int, start: int, caller: int
    ) -> Iterator[list[Placed]]:
        condition, body = calls
        tested = self._subgraph(condition, place, start, caller)
        if isinstance(tested, Mismatch):
            return
        yield tested
        place += len(tested)
        while True:
            ran = self._subgraph(body, place, start, caller)
            if isinstance(ran, Mismatch):
                return
            again = self._subgraph(condition, place + len(ran), start, caller)
            if isinstance(again, Mismatch) or not ran + again:
                return
            yield ran + again
            place += len(ran) + len(again)
