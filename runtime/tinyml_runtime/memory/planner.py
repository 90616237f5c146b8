"""What memory planners take and give: buffers with a size and a lifetime, and their offsets.

A planner sees no tensors and no model, so that it can be tested by properties alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from tinyml_runtime.errors import PlanError

ALIGNMENT_BYTES = 16
MOST_BYTES = 2**31 - 1  # TFLM counts the bytes of a plan in 32 bits, with a sign


def align_up(position: int, alignment: int = ALIGNMENT_BYTES) -> int:
    """The next multiple of `alignment`."""
    return -(-position // alignment) * alignment


def align_down(position: int, alignment: int = ALIGNMENT_BYTES) -> int:
    """The last multiple of `alignment`."""
    return position // alignment * alignment


@dataclass(frozen=True, slots=True)
class BufferRequest:
    """A buffer that has to be somewhere from `first_use` to `last_use`, both included.

    `bytes` is a multiple of 16, as TFLM rounds it. `offset` is given where the plan is not free to
    choose it (TFLM's offline planned buffers).
    """

    bytes: int
    first_use: int
    last_use: int
    offset: int | None = None

    def overlaps(self, other: BufferRequest) -> bool:
        """Whether both are in use at the same time."""
        return self.first_use <= other.last_use and other.first_use <= self.last_use


class Search(Enum):
    """How a plan that is not proven to be a smallest one was looked for."""

    NONE = "none"
    WITHOUT_SOLVER = "without solver"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Where every buffer lies, in the order of the requests, and how much that takes.

    `lower_bound_bytes` is what no plan for these buffers can go below; `is_optimal` says that this
    one is proven to be a smallest one. `search` and `limit_seconds` say how a smaller one was
    looked for, by planners that do.
    """

    offsets: tuple[int, ...]
    bytes: int
    lower_bound_bytes: int
    search: Search = Search.NONE
    limit_seconds: float = 0.0

    @property
    def is_optimal(self) -> bool:
        """Whether no plan can be smaller."""
        return self.bytes == self.lower_bound_bytes

    @property
    def verdict(self) -> str:
        """How good the plan is known to be, in words."""
        if self.is_optimal:
            return "proven minimum"
        bound = f"lower bound {self.lower_bound_bytes:,} bytes"
        if self.search is Search.WITHOUT_SOLVER:
            return f"best of a heuristic, {bound}; install the extra 'solver' for a proof"
        if self.search is Search.STOPPED:
            return f"best found in {self.limit_seconds:g} s, {bound}"
        return bound


class MemoryPlanner(Protocol):
    """Gives every buffer an offset, so that no two that overlap in time overlap in memory."""

    @property
    def name(self) -> str:
        """What the command line calls it."""
        ...

    def plan(self, requests: Sequence[BufferRequest]) -> MemoryPlan:
        """The offsets of all buffers."""
        ...


def finished_plan(requests: Sequence[BufferRequest], offsets: Sequence[int]) -> MemoryPlan:
    """The plan with these offsets; PlanError where TFLM could not count its bytes."""
    end = max(
        (at + request.bytes for at, request in zip(offsets, requests, strict=True)), default=0
    )
    if end > MOST_BYTES:
        raise PlanError(f"the buffers need {end:,} bytes, and TFLM counts up to {MOST_BYTES:,}")
    return MemoryPlan(tuple(offsets), end, least_bytes(requests))


def check_requests(requests: Sequence[BufferRequest]) -> None:
    """PlanError names the first buffer that no planner can place."""
    for number, request in enumerate(requests):
        if not 0 <= request.bytes <= MOST_BYTES:
            raise PlanError(f"buffer {number}: {request.bytes:,} is not a size")
        if request.first_use > request.last_use:
            raise PlanError(
                f"buffer {number}: last used at {request.last_use}, before its first use at "
                f"{request.first_use}"
            )
        if request.offset is not None and not 0 <= request.offset <= MOST_BYTES - request.bytes:
            raise PlanError(f"buffer {number}: the given offset {request.offset} is outside memory")


def peak_bytes(requests: Sequence[BufferRequest]) -> int:
    """The most bytes that are in use at one time. Where given offsets overlap, they count once."""
    given = [request for request in requests if request.offset is not None]
    free = [request for request in requests if request.offset is None]
    changes: dict[int, int] = {}
    for request in (*free, *disjoint(given)):
        changes[request.first_use] = changes.get(request.first_use, 0) + request.bytes
        changes[request.last_use + 1] = changes.get(request.last_use + 1, 0) - request.bytes
    live = peak = 0
    for time in sorted(changes):
        live += changes[time]
        peak = max(peak, live)
    return peak


def least_bytes(requests: Sequence[BufferRequest]) -> int:
    """A lower bound: what is in use at one time, and where the given offsets end."""
    given = (request.offset + request.bytes for request in requests if request.offset is not None)
    return max(peak_bytes(requests), max(given, default=0))


def disjoint(given: Sequence[BufferRequest]) -> list[BufferRequest]:
    """Buffers that cover the same bytes at the same times as `given`, without any overlap."""
    starts: dict[int, list[BufferRequest]] = {}
    for request in given:
        starts.setdefault(request.first_use, []).append(request)
    times = sorted({*starts, *(request.last_use + 1 for request in given)})
    parts: list[BufferRequest] = []
    open_parts: dict[tuple[int, int], int] = {}  # the bytes of a part, and since when
    live: list[BufferRequest] = []
    for time in times:
        live = [request for request in live if request.last_use >= time] + starts.get(time, [])
        covered = _union(live)
        for begin, end in [part for part in open_parts if part not in covered]:
            since = open_parts.pop((begin, end))
            parts.append(BufferRequest(end - begin, since, time - 1, begin))
        for part in covered:
            open_parts.setdefault(part, time)
    return parts


def _union(requests: Iterable[BufferRequest]) -> dict[tuple[int, int], None]:
    """The bytes that `requests` cover, as (begin, end) of each stretch."""
    stretches: list[tuple[int, int]] = []
    for begin, size in sorted((request.offset or 0, request.bytes) for request in requests):
        if not size:
            continue
        end = begin + size
        if stretches and begin <= stretches[-1][1]:
            before = stretches.pop()
            begin, end = before[0], max(before[1], end)
        stretches.append((begin, end))
    return dict.fromkeys(stretches)
