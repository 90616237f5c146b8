"""The optimal planner: never worse than others, proofs that hold, limits that are kept."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from time import monotonic

import pytest
from hypothesis import given, settings

from tests.support.buffer_requests import (
    chain,
    collisions,
    free_requests,
    partly_given_requests,
    scattered,
)
from tinyml_runtime.memory import solver
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.memory.planner import BufferRequest, Search, peak_bytes

needs_solver = pytest.mark.skipif(
    not solver.is_installed(), reason="OR-tools is not installed (extra 'solver')"
)

# Taken are 0..16 and, at another time, 48..64; 32 bytes that are live with both fit above 16. Of
# two such buffers the second has to lie above 64. In use at one time are 16 + 32 + 32 = 80 only.
BLOCKED = [
    BufferRequest(16, 0, 0, offset=0),
    BufferRequest(16, 1, 1, offset=48),
    BufferRequest(32, 0, 1),
    BufferRequest(32, 0, 1),
]


def fewest_bytes(requests: list[BufferRequest]) -> int:
    """The smallest packing, from all orders in which buffers can be put as low as possible."""
    filled = [request for request in requests if request.bytes]
    given_ones = [request for request in filled if request.offset is not None]
    free = [request for request in filled if request.offset is None]
    given_end = max((request.offset or 0 for request in requests), default=0)  # without bytes too
    return max(
        given_end, min(_bytes_of_order([*given_ones, *order]) for order in permutations(free))
    )


def _bytes_of_order(requests: Sequence[BufferRequest]) -> int:
    placed: list[tuple[int, BufferRequest]] = []
    for request in requests:
        at = 0 if request.offset is None else request.offset
        while request.offset is None and any(
            at < begin + other.bytes and begin < at + request.bytes and request.overlaps(other)
            for begin, other in placed
        ):
            at += 16
        placed.append((at, request))
    return max((at + request.bytes for at, request in placed), default=0)


@settings(max_examples=60, deadline=None)
@given(partly_given_requests())
def test_buffers_of_one_time_share_no_byte(requests: list[BufferRequest]) -> None:
    plan = OptimalPlanner(0.2).plan(requests)
    assert collisions(requests, plan.offsets) == []
    assert all(offset % 16 == 0 for offset in plan.offsets)
    assert plan.bytes == max(
        (at + request.bytes for at, request in zip(plan.offsets, requests, strict=True)), default=0
    )


@settings(max_examples=60, deadline=None)
@given(partly_given_requests())
def test_no_plan_is_larger_than_the_greedy_one(requests: list[BufferRequest]) -> None:
    plan = OptimalPlanner(0.2).plan(requests)
    assert plan.bytes <= GreedyPlanner().plan(requests).bytes
    assert peak_bytes(requests) <= plan.lower_bound_bytes <= plan.bytes


@needs_solver
@settings(max_examples=60, deadline=None)
@given(partly_given_requests(most=6))
def test_the_minimum_is_that_of_all_orders(requests: list[BufferRequest]) -> None:
    plan = OptimalPlanner(30).plan(requests)
    assert plan.is_optimal
    assert plan.bytes == fewest_bytes(requests)


@settings(max_examples=60, deadline=None)
@given(partly_given_requests())
def test_given_offsets_stay(requests: list[BufferRequest]) -> None:
    plan = OptimalPlanner(0.2).plan(requests)
    for request, offset in zip(requests, plan.offsets, strict=True):
        assert request.offset in (None, offset)


def test_a_plan_that_is_no_larger_than_its_peak_needs_no_solver(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    requests = chain(40, seed=1)
    greedy, plan = GreedyPlanner().plan(requests), OptimalPlanner().plan(requests)
    assert peak_bytes(requests) == plan.bytes < greedy.bytes
    assert plan.verdict == "proven minimum"


@needs_solver
def test_the_solver_proves_what_the_peak_does_not() -> None:
    plan = OptimalPlanner().plan(BLOCKED)
    assert peak_bytes(BLOCKED) == 80
    assert (plan.bytes, plan.lower_bound_bytes) == (96, 96)
    assert sorted(plan.offsets[2:]) == [16, 64]
    assert plan.verdict == "proven minimum"


@needs_solver
def test_the_solver_improves_on_the_heuristics(monkeypatch: pytest.MonkeyPatch) -> None:
    requests = scattered(25, seed=9)
    plan = OptimalPlanner(60).plan(requests)
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    heuristic = OptimalPlanner(60).plan(requests)
    assert plan.bytes < heuristic.bytes
    assert plan.is_optimal
    assert collisions(requests, plan.offsets) == []


def test_without_a_solver_the_plan_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solver, "is_installed", lambda: False)
    plan = OptimalPlanner().plan(BLOCKED)
    assert (plan.bytes, plan.lower_bound_bytes) == (96, 80)
    assert plan.search is Search.WITHOUT_SOLVER
    assert "install the extra 'solver'" in plan.verdict


def test_without_time_the_plan_is_the_greedy_one() -> None:
    requests = scattered(60)
    plan = OptimalPlanner(0).plan(requests)
    assert plan.offsets == GreedyPlanner().plan(requests).offsets
    assert plan.search is Search.STOPPED
    assert plan.verdict.startswith("best found in 0 s")


@pytest.mark.slow
@pytest.mark.parametrize("requests", [scattered(300), scattered(2000)], ids=["300", "2000"])
def test_the_time_limit_is_kept(requests: list[BufferRequest]) -> None:
    start = monotonic()
    plan = OptimalPlanner(2).plan(requests)
    assert monotonic() - start < 20  # a busy machine may be late, but without a limit it is minutes
    assert plan.search is Search.STOPPED
    assert plan.bytes <= GreedyPlanner().plan(requests).bytes


@settings(max_examples=30, deadline=None)
@given(free_requests())
def test_the_same_buffers_get_the_same_plan(requests: list[BufferRequest]) -> None:
    assert OptimalPlanner(5).plan(requests) == OptimalPlanner(5).plan(requests)


def test_given_buffers_that_lie_askew_are_given_a_wide_berth() -> None:
    # 8..24 takes 0..32: the next multiple of 16 is 32
    plan = OptimalPlanner().plan([BufferRequest(16, 0, 0, offset=8), BufferRequest(16, 0, 0)])
    assert plan.offsets == (8, 32)
    assert plan.bytes == 48
