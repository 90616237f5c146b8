"""Given offsets of tensors, with scratch buffers that the greedy planner fits in."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_runtime.memory.given_offsets import plan_around, smallest_around
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.lifetimes import UNUSED
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.memory.planner import BufferRequest
from tinyml_runtime.planning.overlaps import find_overlap

_SIZES = st.integers(0, 12).map(lambda units: 16 * units)


@st.composite
def _tensors(draw: st.DrawFn) -> list[BufferRequest]:
    first = draw(st.lists(st.integers(UNUSED, 6), min_size=1, max_size=9))
    return [
        BufferRequest(draw(_SIZES), time, time + (draw(st.integers(0, 3)) if time >= 0 else 0))
        for time in first
    ]


_SCRATCH = st.lists(
    st.tuples(st.integers(0, 8), _SIZES).map(lambda one: BufferRequest(one[1], one[0], one[0])),
    max_size=9,
)


def _owners(tensors: int, scratch: list[BufferRequest]) -> list[tuple[int, int] | None]:
    return [None] * tensors + [(0, request.first_use) for request in scratch]


@settings(deadline=None, max_examples=60)
@given(_tensors(), _SCRATCH)
def test_the_plan_is_what_the_runtime_arrives_at_and_no_larger_than_its_own(
    tensors: list[BufferRequest], scratch: list[BufferRequest]
) -> None:
    requests, owners = [*tensors, *scratch], _owners(len(tensors), scratch)
    found = smallest_around(requests, owners, 1.0)
    assert find_overlap(requests, found.offsets) is None
    assert found.lower_bound_bytes <= found.bytes <= GreedyPlanner().plan(requests).bytes
    assert plan_around(requests, owners, found).offsets == found.offsets


def test_what_is_never_used_may_lie_over_the_rest() -> None:
    requests = [BufferRequest(64, UNUSED, UNUSED), BufferRequest(48, UNUSED, UNUSED)]
    requests += [BufferRequest(32, 0, 1), BufferRequest(32, 1, 2)]
    found = smallest_around(requests, [None] * 4)
    assert found.bytes == 64
    assert found.is_optimal
    assert GreedyPlanner().plan(requests).bytes == 112


def test_scratch_buffers_lie_where_the_runtime_puts_them_not_where_they_fit_best() -> None:
    # Two tensors leave gaps of 32 and 48 bytes; the larger scratch buffer does not fit the first.
    tensors = [BufferRequest(16, 0, 2), BufferRequest(16, 0, 2)]
    scratch = [BufferRequest(32, 1, 1), BufferRequest(48, 1, 1)]
    requests, owners = [*tensors, *scratch], _owners(2, scratch)
    wanted = OptimalPlanner(1.0).plan(requests)
    assert plan_around(requests, owners, wanted).bytes == wanted.bytes == 112
