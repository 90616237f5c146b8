"""An order of execution that needs less memory at its peak.

Sets of executed nodes are searched from the one with the smallest peak on, so that the first
complete one is a proven minimum. A node that adds nothing to what is in use, and fits under the
peak as it is, is executed at once: whatever an order does before it, it can do after it. Graphs
with too many sets get a beam search instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush, nsmallest

from tinyml_runtime.memory.deadline import Deadline
from tinyml_runtime.memory.execution_graph import ExecutionGraph, MemoryUse, predecessors

MOST_STATES = 400_000
MOST_WORDS = 30_000_000  # in all states: some 250 MB
WORDS_OF_STATE = 60
EXACT_SHARE = 0.6  # of the time; the rest is for beams
BEAM_WIDTHS = (4, 32, 256)


@dataclass(frozen=True, slots=True)
class ExecutionOrder:
    """Nodes in the order in which to execute them, and the most bytes in use at one time.

    No order goes below `lower_bound_bytes`.
    """

    nodes: tuple[int, ...]
    peak_bytes: int
    lower_bound_bytes: int

    @property
    def is_optimal(self) -> bool:
        """Whether no order has a smaller peak."""
        return self.peak_bytes == self.lower_bound_bytes


@dataclass(frozen=True, slots=True)
class _Path:
    """A node and what was executed before it."""

    node: int
    before: _Path | None


@dataclass(frozen=True, slots=True)
class _State:
    """What a partial order comes to."""

    executed: int
    count: int
    peak_bytes: int
    live_bytes: int
    ready: tuple[int, ...]
    path: _Path | None


def smallest_order(
    graph: ExecutionGraph, time_limit_seconds: float = 10.0, most_states: int = MOST_STATES
) -> ExecutionOrder:
    """The order with the smallest peak that is found in time; the given one if none is smaller.

    Every node follows the nodes that it depends on, and those in `graph.kept_order` each other.
    The peak counts bytes in use: a plan may need more for them. The search for a proof stops after
    `most_states` sets of nodes; all of it when time is up, with what it has and a lower bound.
    """
    return _OrderSearch(graph, Deadline(time_limit_seconds)).run(most_states)


class _OrderSearch:
    def __init__(self, graph: ExecutionGraph, deadline: Deadline) -> None:
        self._use = MemoryUse(graph)
        self._deadline = deadline
        self._size = len(graph.nodes)
        before = predecessors(graph)
        self._before = [sum(1 << other for other in others) for others in before]
        self._after: list[list[int]] = [[] for _ in before]
        for index, others in enumerate(before):
            for other in others:
                self._after[other].append(index)
        self._least = self._use.least_bytes
        given = tuple(range(self._size))
        self._best = ExecutionOrder(given, self._use.peak_bytes(given), self._least)

    def run(self, most_states: int) -> ExecutionOrder:
        self._beam(BEAM_WIDTHS[0])
        least = self._exact(most_states)
        for width in BEAM_WIDTHS[1:]:
            if self._best.peak_bytes > least:
                self._beam(width)
        return ExecutionOrder(self._best.nodes, self._best.peak_bytes, least)

    def _exact(self, most_states: int) -> int:
        """Search all sets of nodes; the result is what no order can go below."""
        deadline = Deadline(self._deadline.seconds_left * EXACT_SHARE)
        best_peaks: dict[int, int] = {}
        waiting = [(self._least, 0, 0, self._start())]
        pushed = words = 0
        while waiting and waiting[0][0] < self._best.peak_bytes:
            least, *_, state = heappop(waiting)
            if pushed > most_states or words > MOST_WORDS or deadline.has_passed:
                return least
            state = self._advanced(state)
            if self._is_complete(state):
                continue
            for other in self._choices(state):
                if other.peak_bytes < best_peaks.get(other.executed, self._best.peak_bytes):
                    best_peaks[other.executed] = other.peak_bytes
                    pushed += 1
                    words += WORDS_OF_STATE + len(other.ready) + self._size // 32
                    heappush(waiting, (other.peak_bytes, -other.count, pushed, other))
            if self._deadline.has_passed:  # some choices may be left out
                return least
        return self._best.peak_bytes

    def _beam(self, width: int) -> None:
        """Search on from the `width` most promising sets of nodes only."""
        states = [self._start()]
        while states and not self._deadline.has_passed:
            found: dict[int, _State] = {}
            for state in map(self._advanced, states):
                if self._is_complete(state):
                    continue
                for other in self._choices(state):
                    known = found.get(other.executed)
                    if known is None or other.peak_bytes < known.peak_bytes:
                        found[other.executed] = other
            states = nsmallest(
                width, found.values(), key=lambda state: (state.peak_bytes, state.live_bytes)
            )

    def _start(self) -> _State:
        start = self._use.start
        ready = tuple(node for node, before in enumerate(self._before) if not before)
        return _State(0, 0, self._least, start.live_bytes, ready, None)

    def _is_complete(self, state: _State) -> bool:
        """Whether all nodes are executed; keeps the order if it is better than the best one."""
        if state.count < self._size:
            return False
        if state.peak_bytes < self._best.peak_bytes:
            order = tuple(_nodes(state.path))[::-1]
            self._best = ExecutionOrder(order, state.peak_bytes, self._least)
        return True

    def _choices(self, state: _State) -> Iterator[_State]:
        """The state after each node that can be next and leads below the best peak."""
        for node in state.ready:
            if self._deadline.has_passed:
                return
            other = self._then(state, node)
            if other.peak_bytes < self._best.peak_bytes:
                yield other

    def _advanced(self, state: _State) -> _State:
        """The state after all nodes that can be executed at once without loss."""
        waiting = list(state.ready)
        while waiting and not self._deadline.has_passed:
            node = waiting.pop()
            other = self._then(state, node)
            if other.peak_bytes == state.peak_bytes and other.live_bytes <= state.live_bytes:
                # What others free may have changed by this: look at all of them again.
                state, waiting = other, list(other.ready)
        return state

    def _then(self, state: _State, node: int) -> _State:
        step = self._use.step(state.executed, state.live_bytes, node)
        executed = state.executed | 1 << node
        freed = [n for n in self._after[node] if self._before[n] & executed == self._before[n]]
        return _State(
            executed,
            state.count + 1,
            max(state.peak_bytes, step.bytes),
            step.live_bytes,
            (*(other for other in state.ready if other != node), *freed),
            _Path(node, state.path),
        )


def _nodes(path: _Path | None) -> Iterator[int]:
    """The nodes of a path, the last one first."""
    while path:
        yield path.node
        path = path.before
