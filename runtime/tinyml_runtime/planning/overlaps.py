"""Whether a plan keeps its promise: buffers that are in use at the same time share no byte."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from heapq import heappop, heappush

from tinyml_runtime.errors import PlanError
from tinyml_runtime.memory.lifetimes import UNUSED
from tinyml_runtime.memory.planner import BufferRequest
from tinyml_runtime.planning.sequence import PlannedBuffer


def find_overlap(
    requests: Sequence[BufferRequest], offsets: Sequence[int]
) -> tuple[int, int] | None:
    """Two buffers that share bytes while both are in use, by their numbers; None without such.

    What no node reaches is never in use.
    """
    used = [k for k, one in enumerate(requests) if one.bytes and one.last_use != UNUSED]
    live: list[tuple[int, int]] = []  # offset and number, lowest first, none over another
    ends: list[tuple[int, int]] = []  # last use and number, a heap
    for number in sorted(used, key=lambda k: requests[k].first_use):
        while ends and ends[0][0] < requests[number].first_use:
            _, gone = heappop(ends)
            del live[bisect_left(live, (offsets[gone], gone))]
        begin, end = offsets[number], offsets[number] + requests[number].bytes
        place = bisect_left(live, (begin, number))
        for at, other in live[max(0, place - 1) : place + 1]:
            if at < end and begin < at + requests[other].bytes:
                return min(number, other), max(number, other)
        insort(live, (begin, number))
        heappush(ends, (requests[number].last_use, number))
    return None


def check_disjoint(buffers: Sequence[PlannedBuffer], offsets: Sequence[int]) -> None:
    """PlanError names two buffers of a plan that share bytes while both are in use.

    Planners do not make such plans; a model's own plan (OfflineMemoryAllocation) may be one.
    """
    pair = find_overlap([buffer.request for buffer in buffers], offsets)
    if pair is not None:
        first, second = (f"{_name(buffers[k])} at {_stretch(buffers[k], offsets[k])}" for k in pair)
        raise PlanError(
            f"the memory plan lets buffers overlap that are in use at the same time: {first}, "
            f"{second} (is it the plan that the file carries, OfflineMemoryAllocation?)"
        )


def _name(buffer: PlannedBuffer) -> str:
    if buffer.tensor is None:
        return f"scratch buffer of subgraph {buffer.subgraph}, node {buffer.scratch_of}"
    return f"subgraph {buffer.subgraph}, tensor {buffer.tensor}"


def _stretch(buffer: PlannedBuffer, offset: int) -> str:
    return f"{offset}..{offset + buffer.request.bytes - 1}"
