"""A smaller peak by another order: by hand, and beside all orders of small graphs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, permutations
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_runtime.memory.execution_graph import ExecutionGraph, GraphNode, MemoryUse
from tinyml_runtime.memory.planner import BufferRequest, align_up, peak_bytes
from tinyml_runtime.memory.reordering import smallest_order


def graph(
    *nodes: GraphNode, sizes: Sequence[int], outputs: Sequence[int], kept: Sequence[int] = ()
) -> ExecutionGraph:
    """Buffer 0 is the graph's input."""
    return ExecutionGraph(nodes, tuple(sizes), (0,), tuple(outputs), tuple(kept))


def branches(count: int, length: int) -> ExecutionGraph:
    """Chains of large buffers that end in small ones; the given order runs them side by side."""
    nodes: list[GraphNode] = []
    sizes = [16]
    last = [0] * count
    for step in range(length):
        for branch in range(count):
            sizes.append(16 if step == length - 1 else 160 + 16 * ((branch * 7 + step * 5) % 11))
            nodes.append(GraphNode((last[branch],), (len(sizes) - 1,)))
            last[branch] = len(sizes) - 1
    nodes.append(GraphNode(tuple(last), (len(sizes),)))
    return graph(*nodes, sizes=[*sizes, 16], outputs=[len(sizes)])


def requests_of(given_graph: ExecutionGraph, order: Sequence[int]) -> list[BufferRequest]:
    """The buffers as TFLM's clock sees them: inputs at 0, the first node at 1."""
    end = len(order)
    first: dict[int, int] = dict.fromkeys(given_graph.inputs, 0)
    last: dict[int, int] = dict.fromkeys(given_graph.inputs, 0)
    requests: list[BufferRequest] = []
    for time, index in enumerate(order, 1):
        node = given_graph.nodes[index]
        for buffer in node.outputs:
            first.setdefault(buffer, time)
        for buffer in (*node.inputs, *node.outputs):
            last[buffer] = time
        requests += [BufferRequest(align_up(size), time, time) for size in node.scratch]
    last.update((buffer, end) for buffer in given_graph.outputs)
    sizes = given_graph.buffer_bytes
    return requests + [BufferRequest(align_up(sizes[b]), first.get(b, -1), last[b]) for b in last]


def keeps_the_meaning(given_graph: ExecutionGraph, order: Sequence[int]) -> bool:
    """Whether every node reads what it read, from the same writer, and state keeps its order."""
    kept = [index for index in order if index in given_graph.kept_order]
    return kept == sorted(kept) and _reads(given_graph, order) == _reads(
        given_graph, range(len(order))
    )


def _reads(given_graph: ExecutionGraph, order: Sequence[int]) -> dict[int, list[int | None]]:
    """For each node who wrote its inputs; and who wrote last, as what node -1 reads."""
    writers: dict[int, int] = {}
    reads: dict[int, list[int | None]] = {}
    for index in order:
        node = given_graph.nodes[index]
        reads[index] = [writers.get(buffer) for buffer in node.inputs]
        writers.update(dict.fromkeys(node.outputs, index))
    reads[-1] = [writers.get(buffer) for buffer in range(len(given_graph.buffer_bytes))]
    return reads


def all_orders(given_graph: ExecutionGraph) -> Iterator[tuple[int, ...]]:
    for order in permutations(range(len(given_graph.nodes))):
        if keeps_the_meaning(given_graph, order):
            yield order


@st.composite
def graphs(draw: st.DrawFn) -> ExecutionGraph:
    """Any few nodes: with several outputs, unread and overwritten buffers, and state."""
    sizes = [draw(st.integers(0, 100))]
    nodes: list[GraphNode] = []
    for _ in range(draw(st.integers(1, 6))):
        inputs = draw(st.lists(st.integers(0, len(sizes) - 1), max_size=3))
        made = draw(st.integers(0, 2))
        outputs = [*range(len(sizes), len(sizes) + made)]
        outputs += draw(st.sampled_from([[], [], [], [len(sizes) - 1]]))
        sizes += draw(st.lists(st.integers(0, 100), min_size=made, max_size=made))
        scratch = draw(st.lists(st.integers(0, 60), max_size=2))
        nodes.append(GraphNode(tuple(inputs), tuple(outputs), tuple(scratch)))
    results = draw(st.sets(st.integers(0, len(sizes) - 1), max_size=2))
    state = draw(st.sets(st.integers(0, len(nodes) - 1), max_size=3))
    return graph(*nodes, sizes=sizes, outputs=sorted(results), kept=sorted(state))


def test_a_branch_is_finished_before_the_next_begins() -> None:
    # Two branches 16 -> 160 -> 16, side by side in the given order: at the second node both large
    # buffers and the input are in use, 16 + 160 + 160 = 336. One after the other: at the start of
    # the second branch the input, the first's result and the large buffer, 16 + 16 + 160 = 192.
    nodes = (
        GraphNode((0,), (1,)),
        GraphNode((0,), (2,)),
        GraphNode((1,), (3,)),
        GraphNode((2,), (4,)),
        GraphNode((3, 4), (5,)),
    )
    two = graph(*nodes, sizes=(16, 160, 160, 16, 16, 16), outputs=[5])
    assert MemoryUse(two).peak_bytes(range(5)) == 336
    order = smallest_order(two)
    assert (order.peak_bytes, order.lower_bound_bytes) == (192, 192)
    assert order.nodes in {(0, 2, 1, 3, 4), (1, 3, 0, 2, 4)}


def test_nodes_with_state_stay_in_order() -> None:
    nodes = (
        GraphNode((0,), (1,)),
        GraphNode((0,), (2,)),
        GraphNode((1,), (3,)),
        GraphNode((2,), (4,)),
    )
    free = graph(*nodes, sizes=(16, 160, 160, 16, 16), outputs=[3, 4])
    assert smallest_order(free).peak_bytes == 192
    stuck = replace(free, kept_order=(0, 1, 2))  # the second begins before the first ends
    assert smallest_order(stuck).peak_bytes == 336


def test_a_given_order_that_is_a_smallest_one_stays() -> None:
    line = graph(GraphNode((0,), (1,)), GraphNode((), (2,)), sizes=(16, 16, 16), outputs=[1, 2])
    order = smallest_order(line)
    assert order.nodes == (0, 1)
    assert order.is_optimal


def test_what_is_overwritten_is_read_before() -> None:
    # 2 overwrites what 1 reads: swapping them, which the sizes ask for, would change the result
    nodes = (GraphNode((0,), (1,)), GraphNode((1,), (2,)), GraphNode((0,), (1,)))
    assert smallest_order(graph(*nodes, sizes=(800, 16, 800), outputs=[1, 2])).nodes == (0, 1, 2)


def test_a_graph_without_nodes_needs_its_inputs() -> None:
    order = smallest_order(graph(sizes=(20,), outputs=[0]))
    assert (order.nodes, order.peak_bytes, order.is_optimal) == ((), 32, True)


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_the_peak_is_that_of_the_lifetimes(some: ExecutionGraph) -> None:
    for order in all_orders(some):
        assert MemoryUse(some).peak_bytes(order) == peak_bytes(requests_of(some, order))


@settings(max_examples=150, deadline=None)
@given(graphs())
def test_the_order_is_the_best_of_all(some: ExecutionGraph) -> None:
    found = smallest_order(some)
    assert keeps_the_meaning(some, found.nodes)
    assert found.is_optimal
    assert found.peak_bytes == peak_bytes(requests_of(some, found.nodes))
    assert found.peak_bytes == min(peak_bytes(requests_of(some, o)) for o in all_orders(some))


@settings(max_examples=50, deadline=None)
@given(graphs())
def test_without_a_proof_the_bound_holds(some: ExecutionGraph) -> None:
    proven = smallest_order(some)
    found = smallest_order(some, most_states=0)
    assert keeps_the_meaning(some, found.nodes)
    assert found.lower_bound_bytes <= proven.peak_bytes <= found.peak_bytes
    assert found.peak_bytes <= MemoryUse(some).peak_bytes(range(len(some.nodes)))


def test_without_time_the_given_order_stays() -> None:
    wide = branches(4, 3)
    order = smallest_order(wide, time_limit_seconds=0)
    assert order.nodes == tuple(range(13))
    assert order.lower_bound_bytes < order.peak_bytes
    assert not order.is_optimal


def test_a_chain_of_thousands_is_settled_at_once() -> None:
    nodes = [GraphNode((i,), (i + 1,)) for i in range(3000)]
    order = smallest_order(graph(*nodes, sizes=[16] * 3001, outputs=[3000]))
    assert order.is_optimal
    assert order.peak_bytes == 32


@pytest.mark.slow
def test_the_time_limit_is_kept() -> None:
    wide = branches(12, 12)
    start = monotonic()
    order = smallest_order(wide, time_limit_seconds=2)
    assert monotonic() - start < 20  # a busy machine may be late
    assert keeps_the_meaning(wide, order.nodes)
    assert order.peak_bytes < MemoryUse(wide).peak_bytes(range(len(wide.nodes)))
    assert all(one != other for one, other in pairwise(order.nodes))
