"""The packing problem behind a memory plan, and packings by order.

Any packing that cannot be pressed down is what comes out when its buffers are placed from the
lowest up, each into the lowest gap. So the smallest one can be found by a search over orders.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import gcd, inf
from typing import TypeAlias

from tinyml_runtime.memory.deadline import Deadline
from tinyml_runtime.memory.first_fit import PlacedBuffers
from tinyml_runtime.memory.planner import (
    BufferRequest,
    align_down,
    align_up,
    disjoint,
    least_bytes,
)

MOST_NEIGHBOURS = 1_000_000
_Stretch: TypeAlias = tuple[int, int]  # of memory, from its begin to its end


@dataclass(frozen=True, slots=True)
class Packing:
    """An offset for every free buffer of a problem, and where the last one ends."""

    offsets: tuple[int, ...]
    bytes: int


class PackingProblem:
    """`free`: buffers that have no place yet; `obstacles`: those that do, none over another.

    Buffers without bytes are left out, as they fit everywhere. The obstacles are widened to
    multiples of 16, so that everything else comes to lie on such.
    """

    def __init__(self, requests: Sequence[BufferRequest]) -> None:
        """Divide `requests` into what is free and what is given."""
        filled = [index for index, request in enumerate(requests) if request.bytes]
        given = [requests[index] for index in filled if requests[index].offset is not None]
        self.indices = [index for index in filled if requests[index].offset is None]
        self.free = [_rounded(requests[index]) for index in self.indices]
        self.obstacles = disjoint([_widened(request) for request in given])
        self.least_bytes = least_bytes((*self.free, *self.obstacles))
        self.floor_bytes = max((_stretch(block)[1] for block in self.obstacles), default=0)
        self.neighbours = _neighbours(self.free, MOST_NEIGHBOURS)
        self._blocked = [
            [_stretch(block) for block in self.obstacles if block.overlaps(request)]
            for request in (self.free if self.is_small else ())
        ]

    @property
    def is_small(self) -> bool:
        """Whether few enough buffers overlap in time for all their pairs to be looked at."""
        return bool(self.neighbours) or not self.free

    @property
    def unit_bytes(self) -> int:
        """What every size and given offset is a multiple of."""
        places = (place for block in self.obstacles for place in _stretch(block))
        return gcd(*(request.bytes for request in self.free), *places)

    def pack_by_size(self) -> Packing:
        """The packing that the greedy planner makes, where given offsets are multiples of 16."""
        order = sorted(reversed(range(len(self.free))), key=lambda index: -self.free[index].bytes)
        return self.pack_large(order, Deadline(inf)) or Packing((), self.floor_bytes)

    def pack(self, order: Sequence[int], limit_bytes: int, *, tight: bool = False) -> Packing:
        """Place the free buffers of a small problem, each into the lowest or the tightest gap.

        Stops where a buffer would end above `limit_bytes`: the packing is incomplete then, and its
        bytes are above the limit.
        """
        offsets, ends, top = [0] * len(self.free), [0] * len(self.free), self.floor_bytes
        choose = _tightest_gap if tight else _lowest_gap
        for index in order:
            # What has no place yet ends at 0.
            taken = [(offsets[i], ends[i]) for i in self.neighbours[index] if ends[i]]
            taken += self._blocked[index]
            taken.sort()
            size = self.free[index].bytes
            offsets[index] = offset = choose(taken, size)
            ends[index] = offset + size
            top = max(top, ends[index])
            if top > limit_bytes:
                break
        return Packing(tuple(offsets), top)

    def pack_large(self, order: Sequence[int], deadline: Deadline) -> Packing | None:
        """Place the free buffers of any problem; None if that takes too long."""
        placed = PlacedBuffers(len(self.free) + len(self.obstacles))
        for block in self.obstacles:
            placed.insert(block, _stretch(block)[0])
        offsets, top = [0] * len(self.free), self.floor_bytes
        for index in order:
            if deadline.has_passed:
                return None
            request = self.free[index]
            offsets[index] = placed.lowest_gap(request)
            placed.insert(request, offsets[index])
            top = max(top, offsets[index] + request.bytes)
        return Packing(tuple(offsets), top)


def _stretch(block: BufferRequest) -> _Stretch:
    begin = block.offset or 0
    return begin, begin + block.bytes


def _rounded(request: BufferRequest) -> BufferRequest:
    return replace(request, bytes=align_up(request.bytes))


def _widened(given: BufferRequest) -> BufferRequest:
    begin, end = _stretch(given)
    return replace(given, offset=align_down(begin), bytes=align_up(end) - align_down(begin))


def _neighbours(requests: Sequence[BufferRequest], most: int) -> list[list[int]]:
    """What overlaps each buffer in time; no list at all if there are more than `most` pairs."""
    neighbours: list[list[int]] = [[] for _ in requests]
    live: list[int] = []
    pairs = 0
    for index in sorted(range(len(requests)), key=lambda index: requests[index].first_use):
        live = [other for other in live if requests[other].last_use >= requests[index].first_use]
        pairs += len(live)
        if pairs > most:
            return []
        for other in live:
            neighbours[index].append(other)
            neighbours[other].append(index)
        live.append(index)
    return neighbours


def _lowest_gap(taken: Sequence[_Stretch], size: int) -> int:
    candidate = 0
    for begin, end in taken:
        if begin - candidate >= size:
            break
        candidate = max(candidate, end)
    return candidate


def _tightest_gap(taken: Sequence[_Stretch], size: int) -> int:
    candidate, best, least_waste = 0, -1, 0
    for begin, end in taken:
        waste = begin - candidate - size
        if waste >= 0 and (best < 0 or waste < least_waste):
            best, least_waste = candidate, waste
        candidate = max(candidate, end)
    return candidate if best < 0 else best
