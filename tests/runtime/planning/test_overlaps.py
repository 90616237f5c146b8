"""Overlaps of a plan: found where there are any, and nowhere else."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from tinyml_runtime.memory.lifetimes import UNUSED
from tinyml_runtime.memory.planner import BufferRequest
from tinyml_runtime.planning.overlaps import find_overlap

_BUFFERS = st.lists(
    st.tuples(st.integers(0, 40), st.integers(UNUSED, 9), st.integers(0, 4), st.integers(0, 80)),
    max_size=12,
)


def _shares(one: BufferRequest, at: int, other: BufferRequest, there: int) -> bool:
    if UNUSED in (one.last_use, other.last_use) or not one.bytes or not other.bytes:
        return False
    times = set(range(one.first_use, one.last_use + 1))
    bytes_used = set(range(at, at + one.bytes))
    return bool(
        times & set(range(other.first_use, other.last_use + 1))
        and bytes_used & set(range(there, there + other.bytes))
    )


@given(_BUFFERS)
def test_an_overlap_is_found_if_there_is_one(drawn: list[tuple[int, int, int, int]]) -> None:
    requests = [
        BufferRequest(size, first, first + more if first >= 0 else first)
        for size, first, more, _ in drawn
    ]
    offsets = [offset for *_, offset in drawn]
    pairs = {
        (a, b)
        for a, b in combinations(range(len(drawn)), 2)
        if _shares(requests[a], offsets[a], requests[b], offsets[b])
    }
    found = find_overlap(requests, offsets)
    assert (found in pairs) if pairs else found is None
