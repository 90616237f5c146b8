"""Nodes and the buffers that pass between them: what an execution order needs in memory.

The graph is plain data and knows no model: whoever makes it leaves out constants and variables,
which are never planned, and says which nodes have to stay in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinyml_runtime.memory.planner import align_up


@dataclass(frozen=True, slots=True)
class GraphNode:
    """One node: which buffers it reads and writes, and sizes of what only it needs meanwhile.

    For a node that calls subgraphs, their peak is such a size.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    scratch: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutionGraph:
    """A subgraph of a model, in an order in which it can be executed.

    `buffer_bytes` holds the size of each buffer, which is rounded up to 16 here; `inputs` and
    `outputs` are those of the graph. `kept_order` lists nodes with state or side effects
    (variables, control flow, stateful custom operators), whose relative order stays as it is.
    """

    nodes: tuple[GraphNode, ...]
    buffer_bytes: tuple[int, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    kept_order: tuple[int, ...] = ()


def predecessors(graph: ExecutionGraph) -> list[set[int]]:
    """For every node the nodes that have to be executed before it.

    A node follows those that wrote what it reads, and stays in order with all others that read or
    write what it writes.
    """
    before: list[set[int]] = [set() for _ in graph.nodes]
    writers: dict[int, int] = {}
    readers: dict[int, list[int]] = {}
    for index, node in enumerate(graph.nodes):
        for buffer in node.inputs:
            if buffer in writers:
                before[index].add(writers[buffer])
            readers.setdefault(buffer, []).append(index)
        for buffer in node.outputs:
            if buffer in writers:
                before[index].add(writers[buffer])
            before[index].update(readers.pop(buffer, ()))
            writers[buffer] = index
        before[index].discard(index)
    for first, second in pairwise(sorted(graph.kept_order)):
        before[second].add(first)
    return before


@dataclass(frozen=True, slots=True)
class Step:
    """What executing a node takes: bytes in use meanwhile, and those that stay in use."""

    bytes: int
    live_bytes: int


class MemoryUse:
    """What is in use while the nodes of a graph are executed, in whatever order.

    As in TFLM: inputs of the graph, and what nobody writes, are there from the start to their last
    use; outputs of the graph stay to the end; what nobody reads is gone after the node that made
    it. A set of executed nodes is an integer with one bit a node.
    """

    def __init__(self, graph: ExecutionGraph) -> None:
        """Note who uses which buffer."""
        self._graph = graph
        self._bytes = [align_up(size) for size in graph.buffer_bytes]
        self._scratch = [sum(map(align_up, node.scratch)) for node in graph.nodes]
        self._written = [tuple(dict.fromkeys(node.outputs)) for node in graph.nodes]
        self._touched = [tuple(dict.fromkeys(node.inputs + node.outputs)) for node in graph.nodes]
        self._users, self._writers = [0] * len(self._bytes), [0] * len(self._bytes)
        for index in range(len(graph.nodes)):
            for buffer in self._touched[index]:
                self._users[buffer] |= 1 << index
            for buffer in self._written[index]:
                self._writers[buffer] |= 1 << index
        self._outputs = frozenset(graph.outputs)
        self._from_start = {
            buffer
            for buffer, writers in enumerate(self._writers)
            if buffer in graph.inputs
            or (not writers and (self._users[buffer] or buffer in self._outputs))
        }

    @property
    def start(self) -> Step:
        """What is in use before the first node, and then."""
        needed = [b for b in self._from_start if self._users[b] or b in self._outputs]
        return Step(self._sum(self._from_start), self._sum(needed))

    @property
    def least_bytes(self) -> int:
        """What no order can go below: the start, and each node with its operands."""
        least = self.start.bytes
        for index, touched in enumerate(self._touched):
            there = [buffer for buffer in touched if self._is_there(buffer, (2 << index) - 1)]
            least = max(least, self._sum(there) + self._scratch[index])
        return least

    def step(self, executed: int, live_bytes: int, node: int) -> Step:
        """Execute `node` after the set `executed`, which left `live_bytes` in use."""
        after = executed | 1 << node
        new = self._sum(b for b in self._written[node] if not self._is_there(b, executed))
        freed = self._sum(
            buffer
            for buffer in self._touched[node]
            if buffer not in self._outputs and self._users[buffer] & after == self._users[buffer]
        )
        return Step(live_bytes + new + self._scratch[node], live_bytes + new - freed)

    def peak_bytes(self, order: Sequence[int]) -> int:
        """The most that is in use at one time in this order."""
        state, executed = self.start, 0
        peak = state.bytes
        for node in order:
            state = self.step(executed, state.live_bytes, node)
            executed |= 1 << node
            peak = max(peak, state.bytes)
        return peak

    def _is_there(self, buffer: int, executed: int) -> bool:
        return buffer in self._from_start or bool(self._writers[buffer] & executed)

    def _sum(self, buffers: Iterable[int]) -> int:
        return sum(self._bytes[buffer] for buffer in buffers)
