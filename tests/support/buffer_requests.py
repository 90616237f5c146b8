"""Buffers for planners: made up by hypothesis, or the ones of a long chain of nodes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from random import Random

from hypothesis import strategies as st

from tinyml_runtime.memory.planner import BufferRequest

SIZES = st.one_of(st.integers(0, 4), st.integers(0, 40)).map(lambda units: 16 * units)


@st.composite
def free_requests(draw: st.DrawFn, most: int = 12) -> list[BufferRequest]:
    """Buffers that may lie anywhere; some without bytes, some alike, some before the start."""
    return [
        BufferRequest(draw(SIZES), first, first + draw(st.integers(0, 5)))
        for first in draw(st.lists(st.integers(-1, 12), max_size=most))
    ]


@st.composite
def partly_given_requests(draw: st.DrawFn, most: int = 10) -> list[BufferRequest]:
    """Buffers of which some have their offset, which may lie over each other."""
    offsets = st.one_of(st.none(), SIZES)
    return [
        BufferRequest(request.bytes, request.first_use, request.last_use, draw(offsets))
        for request in draw(free_requests(most))
    ]


def chain(count: int, seed: int = 0) -> list[BufferRequest]:
    """Each buffer passes from one node to the next; every tenth lives for long."""
    random = Random(seed)
    return [
        BufferRequest(
            16 * random.randint(1, 200), at, at + (1 if at % 10 else random.randint(2, 99))
        )
        for at in range(count)
    ]


def scattered(count: int, seed: int = 0) -> list[BufferRequest]:
    """Any lifetime is as likely as any other, so that a third of all pairs overlap."""
    random = Random(seed)
    times = [sorted((random.randrange(count), random.randrange(count))) for _ in range(count)]
    return [BufferRequest(16 * random.randint(1, 200), first, last) for first, last in times]


def collisions(requests: Sequence[BufferRequest], offsets: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of buffers that share a byte while both are in use, given ones among themselves not."""
    return [
        (a, b)
        for (a, one), (b, other) in combinations(enumerate(requests), 2)
        if one.overlaps(other)
        and (one.offset is None or other.offset is None)
        and max(offsets[a], offsets[b]) < min(offsets[a] + one.bytes, offsets[b] + other.bytes)
    ]
