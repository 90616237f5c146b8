"""The memory planners on generated graphs: processor time, bytes, and what is proven.

    python benchmarks/plan.py [SECONDS]

SECONDS (default 10) is the time limit of the optimal planner and of the search for an execution
order. `chain`: each buffer passes from one node to the next, every tenth lives for long; `short`:
buffers live for up to eight nodes; `scattered`: any lifetime is as likely as any other. Exits with
1 if the greedy planner takes 2 s or more for 10,000 buffers.
"""

import sys
import time
from collections.abc import Callable, Sequence
from random import Random

from tinyml_runtime.memory.execution_graph import ExecutionGraph, GraphNode, MemoryUse
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.memory.planner import BufferRequest, MemoryPlan, MemoryPlanner
from tinyml_runtime.memory.reordering import smallest_order

MOST_GREEDY_SECONDS = 2.0
GREEDY_COUNTS = (100, 1_000, 10_000)
OPTIMAL_COUNTS = (30, 100, 300, 1_000)
GRAPHS = (
    (20, 4),
    (50, 6),
    (100, 6),
    (100, 12),
    (300, 6),
    (1_000, 6),
)  # nodes, and how far they reach


def chain(count: int, random: Random) -> list[BufferRequest]:
    """Mostly from one node to the next."""
    lifetimes = [1 if at % 10 else random.randint(2, 99) for at in range(count)]
    return [BufferRequest(_size(random), at, at + lives) for at, lives in enumerate(lifetimes)]


def short(count: int, random: Random) -> list[BufferRequest]:
    """A few nodes each."""
    starts = [random.randrange(count) for _ in range(count)]
    return [BufferRequest(_size(random), at, at + random.randint(0, 8)) for at in starts]


def scattered(count: int, random: Random) -> list[BufferRequest]:
    """A third of all pairs overlap."""
    times = [sorted((random.randrange(count), random.randrange(count))) for _ in range(count)]
    return [BufferRequest(_size(random), first, last) for first, last in times]


KINDS: tuple[Callable[[int, Random], list[BufferRequest]], ...] = (chain, short, scattered)


def network(count: int, reach: int, random: Random) -> ExecutionGraph:
    """Nodes that read one or two of the last `reach` buffers."""
    sizes = [_size(random)]
    nodes: list[GraphNode] = []
    for _ in range(count):
        recent = range(max(0, len(sizes) - reach), len(sizes))
        inputs = {random.choice(recent) for _ in range(random.randint(1, 2))}
        nodes.append(GraphNode(tuple(inputs), (len(sizes),)))
        sizes.append(_size(random))
    return ExecutionGraph(tuple(nodes), tuple(sizes), (0,), (count,))


def main() -> int:
    """Print three tables."""
    limit = float(sys.argv[1]) if len(sys.argv) > 1 else 10.0
    slow = False
    print("greedy          buffers  seconds       bytes  lower bound")
    for kind in KINDS:
        for count in GREEDY_COUNTS:
            requests = kind(count, Random(1))
            plan, _, seconds = _timed(GreedyPlanner(), requests)
            slow |= seconds >= MOST_GREEDY_SECONDS
            _line(kind.__name__, count, seconds, plan.bytes, f"{plan.lower_bound_bytes:,}")
    print("optimal         buffers  seconds       bytes  greedy, verdict")
    for kind in KINDS:
        for count in OPTIMAL_COUNTS:
            requests = kind(count, Random(1))
            plan, seconds, _ = _timed(OptimalPlanner(limit), requests)
            greedy = GreedyPlanner().plan(requests).bytes
            _line(kind.__name__, count, seconds, plan.bytes, f"{greedy:,}, {plan.verdict}")
    print("order             nodes  seconds        peak  given order, verdict")
    for count, reach in GRAPHS:
        graph = network(count, reach, Random(1))
        start = time.perf_counter()
        order = smallest_order(graph, limit)
        seconds = time.perf_counter() - start
        given = MemoryUse(graph).peak_bytes(range(count))
        verdict = "proven" if order.is_optimal else f"lower bound {order.lower_bound_bytes:,}"
        _line(f"reach {reach}", count, seconds, order.peak_bytes, f"{given:,}, {verdict}")
    return int(slow)


def _timed(
    planner: MemoryPlanner, requests: Sequence[BufferRequest]
) -> tuple[MemoryPlan, float, float]:
    """The plan, and seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    plan = planner.plan(requests)
    return plan, time.perf_counter() - clock, time.process_time() - processor


def _line(name: str, count: int, seconds: float, size: int, rest: str) -> None:
    print(f"  {name:<12} {count:>8,} {seconds:>8.2f} {size:>11,}  {rest}", flush=True)


def _size(random: Random) -> int:
    return 16 * random.randint(1, 200)


if __name__ == "__main__":
    sys.exit(main())
