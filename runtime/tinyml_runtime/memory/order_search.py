"""Heuristics that look for a small packing: some orders that are often good, then their climbing.

Deterministic but for the deadline: random numbers come from a fixed seed, and the work is counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from tinyml_runtime.memory.deadline import Deadline
from tinyml_runtime.memory.packing import Packing, PackingProblem
from tinyml_runtime.memory.planner import BufferRequest

CLIMBING_WORK = 4_000_000  # looks at a pair of buffers
ROUNDS_PER_BUFFER = 300
_SEED = 20


def search_orders(problem: PackingProblem, start: Packing, deadline: Deadline) -> Packing:
    """The smallest packing found, which is `start` itself where none is smaller."""
    if not problem.is_small:
        return _best_large(problem, start, deadline)
    best = start
    for order in _orders(problem):
        for tight in (False, True):
            if deadline.has_passed or best.bytes <= problem.least_bytes:
                return best
            packing = problem.pack(order, best.bytes, tight=tight)
            best = min(best, packing, key=lambda packing: packing.bytes)
    return _climb(problem, best, deadline)


def _best_large(problem: PackingProblem, start: Packing, deadline: Deadline) -> Packing:
    best = start
    for order in _orders(problem):
        if deadline.has_passed or best.bytes <= problem.least_bytes:
            break
        packing = problem.pack_large(order, deadline)
        if packing and packing.bytes < best.bytes:
            best = packing
    return best


def _orders(problem: PackingProblem) -> Iterator[list[int]]:
    """Orders of placement, most promising first."""
    free = problem.free

    def lifetime(request: BufferRequest) -> int:
        return request.last_use - request.first_use + 1

    keys: list[Callable[[BufferRequest], tuple[int, ...]]] = [
        lambda request: (-request.bytes, -lifetime(request)),
        lambda request: (-lifetime(request), -request.bytes),
        lambda request: (-lifetime(request) * request.bytes,),
        lambda request: (request.first_use, -request.bytes),
        lambda request: (request.first_use, -request.last_use),
        lambda request: (-request.last_use, -request.bytes),
    ]
    for key in keys:
        yield sorted(range(len(free)), key=lambda index: key(free[index]))
    if problem.is_small:
        crowd = [
            request.bytes + sum(free[other].bytes for other in problem.neighbours[index])
            for index, request in enumerate(free)
        ]
        yield sorted(range(len(free)), key=lambda index: -crowd[index])


def _climb(problem: PackingProblem, start: Packing, deadline: Deadline) -> Packing:
    """Place buffers that end too high earlier, again and again, and keep what is not worse."""
    random = Random(_SEED)
    best = start
    order = sorted(range(len(problem.free)), key=lambda index: best.offsets[index])
    excess = _excess(problem, best)
    work = len(order) + sum(map(len, problem.neighbours))
    for _ in range(min(ROUNDS_PER_BUFFER * len(order), CLIMBING_WORK // work)):
        if deadline.has_passed or best.bytes <= problem.least_bytes:
            break
        changed = _with_one_moved(problem, order, list(excess), random)
        packing = problem.pack(changed, best.bytes)
        if packing.bytes > best.bytes:
            continue
        changed_excess = _excess(problem, packing)
        if packing.bytes < best.bytes or sum(changed_excess.values()) <= sum(excess.values()):
            best, order, excess = packing, changed, changed_excess
    return best


def _excess(problem: PackingProblem, packing: Packing) -> dict[int, int]:
    """The buffers that end above the lower bound, and by how much."""
    ends = (at + request.bytes for at, request in zip(packing.offsets, problem.free, strict=True))
    least = problem.least_bytes
    return {index: end - least for index, end in enumerate(ends) if end > least}


def _with_one_moved(
    problem: PackingProblem, order: list[int], too_high: list[int], random: Random
) -> list[int]:
    """The order with one buffer, often one of `too_high`, before another of its time."""
    moved = random.choice(too_high if too_high and random.random() < 0.5 else order)
    others = problem.neighbours[moved]
    if not others:
        return order
    changed = [index for index in order if index != moved]
    changed.insert(changed.index(random.choice(others)), moved)
    return changed
