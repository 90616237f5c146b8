"""Bounds of memory plans, the checks that all planners make, and what a plan says of itself."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.buffer_requests import free_requests, partly_given_requests
from tinyml_runtime.errors import PlanError
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.linear_planner import LinearPlanner
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.memory.planner import (
    BufferRequest,
    MemoryPlan,
    MemoryPlanner,
    Search,
    disjoint,
    least_bytes,
    peak_bytes,
)

PLANNERS: tuple[MemoryPlanner, ...] = (GreedyPlanner(), LinearPlanner(), OptimalPlanner())
TIMES = range(-1, 20)


def covered(requests: list[BufferRequest]) -> set[tuple[int, int]]:
    """Every time and unit of 16 bytes that the buffers with an offset take."""
    return {
        (time, unit)
        for request in requests
        if request.offset is not None
        for time in range(request.first_use, request.last_use + 1)
        for unit in range(request.offset // 16, (request.offset + request.bytes) // 16)
    }


@given(free_requests())
def test_the_peak_is_the_largest_sum_at_any_time(requests: list[BufferRequest]) -> None:
    sums = [sum(r.bytes for r in requests if r.first_use <= t <= r.last_use) for t in TIMES]
    assert peak_bytes(requests) == max(sums)


@given(partly_given_requests())
def test_given_offsets_that_overlap_count_once(requests: list[BufferRequest]) -> None:
    taken = covered(requests)
    sums = [
        sum(r.bytes for r in requests if r.offset is None and r.first_use <= t <= r.last_use)
        + 16 * sum(time == t for time, _ in taken)
        for t in TIMES
    ]
    assert peak_bytes(requests) == max(sums)


@given(partly_given_requests())
def test_disjoint_parts_cover_what_the_given_buffers_cover(requests: list[BufferRequest]) -> None:
    given_ones = [request for request in requests if request.offset is not None]
    parts = disjoint(given_ones)
    assert covered(parts) == covered(given_ones)
    assert all(not covered([one]) & covered([other]) for one, other in combinations(parts, 2))


def test_no_plan_ends_below_a_given_buffer() -> None:
    requests = [BufferRequest(32, 0, 1), BufferRequest(16, 5, 5, offset=160)]
    assert peak_bytes(requests) == 32
    assert least_bytes(requests) == 176


@pytest.mark.parametrize("planner", PLANNERS, ids=lambda planner: planner.name)
@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (BufferRequest(-16, 0, 1), "buffer 1: -16 is not a size"),
        (BufferRequest(2**31, 0, 1), "buffer 1: 2,147,483,648 is not a size"),
        (BufferRequest(16, 2, 1), "buffer 1: last used at 1, before its first use at 2"),
        (BufferRequest(16, 0, 1, -16), "buffer 1: the given offset -16 is outside memory"),
        (BufferRequest(16, 0, 1, 2**31 - 8), "buffer 1: the given offset 2147483640 is outside"),
    ],
)
def test_buffers_that_cannot_be_are_named(
    planner: MemoryPlanner, request_: BufferRequest, reason: str
) -> None:
    with pytest.raises(PlanError, match=reason):
        planner.plan([BufferRequest(16, 0, 1), request_])


@pytest.mark.parametrize("planner", PLANNERS, ids=lambda planner: planner.name)
def test_a_plan_that_32_bits_cannot_count_is_refused(planner: MemoryPlanner) -> None:
    with pytest.raises(PlanError, match="need 3,221,225,472 bytes"):
        planner.plan([BufferRequest(3 << 29, 0, 1)] * 2)


@pytest.mark.parametrize("planner", PLANNERS, ids=lambda planner: planner.name)
def test_nothing_takes_nothing(planner: MemoryPlanner) -> None:
    assert planner.plan([]) == MemoryPlan((), 0, 0)


@settings(deadline=None)
@given(st.sampled_from(PLANNERS), free_requests(most=8))
def test_a_plan_is_never_below_its_lower_bound(
    planner: MemoryPlanner, requests: list[BufferRequest]
) -> None:
    plan = planner.plan(requests)
    assert peak_bytes(requests) <= plan.lower_bound_bytes <= plan.bytes


@pytest.mark.parametrize(
    ("plan", "verdict"),
    [
        (MemoryPlan((0,), 16, 16), "proven minimum"),
        (MemoryPlan((16,), 3200, 1600), "lower bound 1,600 bytes"),
        (
            MemoryPlan((16,), 3200, 1600, Search.STOPPED, 2.5),
            "best found in 2.5 s, lower bound 1,600 bytes",
        ),
        (
            MemoryPlan((16,), 3200, 1600, Search.WITHOUT_SOLVER, 10),
            "best of a heuristic, lower bound 1,600 bytes; install the extra 'solver' for a proof",
        ),
    ],
)
def test_a_plan_says_how_good_it_is_known_to_be(plan: MemoryPlan, verdict: str) -> None:
    assert plan.verdict == verdict
