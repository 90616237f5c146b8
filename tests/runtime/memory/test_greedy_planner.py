"""The greedy planner gives TFLM's offsets: by hand, by another formula, and as measured."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings

from tests.support.buffer_requests import (
    chain,
    collisions,
    free_requests,
    partly_given_requests,
    scattered,
)
from tests.support.corpus import CORPUS, VARIABLE
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.planner import BufferRequest

MEASURED = CORPUS / "truth" / "plan_arm.csv"


def offsets(*requests: BufferRequest) -> tuple[int, ...]:
    return GreedyPlanner().plan(requests).offsets


def defined_offsets(requests: Sequence[BufferRequest]) -> list[int]:
    """The lowest place, 0 or the end of a buffer, that nothing of the same time reaches into."""
    places: dict[int, int] = {
        i: request.offset for i, request in enumerate(requests) if request.offset is not None
    }
    free = [i for i in range(len(requests)) if i not in places]
    for i in sorted(free, key=lambda i: (requests[i].bytes, i), reverse=True):
        blocks = [(at, at + requests[j].bytes) for j, at in places.items() if _meet(requests, i, j)]
        places[i] = min(
            place
            for place in {0, *(end for _, end in blocks)}
            if not any(begin < place + requests[i].bytes and end > place for begin, end in blocks)
        )
    return [places[i] for i in range(len(requests))]


def _meet(requests: Sequence[BufferRequest], one: int, other: int) -> bool:
    a, b = requests[one], requests[other]
    return bool({*range(a.first_use, a.last_use + 1)} & {*range(b.first_use, b.last_use + 1)})


def test_the_largest_lies_at_zero_and_the_next_above_it() -> None:
    assert offsets(BufferRequest(32, 0, 1), BufferRequest(64, 1, 2)) == (64, 0)


def test_of_equal_sizes_the_last_is_placed_first() -> None:
    assert offsets(*[BufferRequest(16, 0, 0)] * 3) == (32, 16, 0)


def test_lifetimes_include_the_last_use() -> None:
    # 0..1 and 1..2 meet at 1; 0..1 and 2..3 do not meet
    a, b, c = BufferRequest(48, 0, 1), BufferRequest(32, 1, 2), BufferRequest(16, 2, 3)
    assert offsets(a, b, c) == (0, 48, 0)


def test_the_lowest_gap_is_taken_not_the_tightest() -> None:
    # 0..64 and 96..112 are taken by given buffers, as is 144..160: gaps of 32 and of 32
    blocks = [
        BufferRequest(64, 0, 0, 0),
        BufferRequest(16, 0, 0, 112),
        BufferRequest(16, 0, 0, 144),
    ]
    # the first gap, 64..112, has 48 bytes; the second, 128..144, has 16
    assert offsets(*blocks, BufferRequest(16, 0, 0))[3] == 64


def test_given_offsets_are_not_questioned() -> None:
    # two over each other, not in order, not at multiples of 16; the next free byte is 40 + 32
    given_ones = [BufferRequest(32, 0, 0, 40), BufferRequest(48, 0, 0, 8)]
    assert offsets(*given_ones, BufferRequest(16, 0, 0)) == (40, 8, 72)


def test_a_given_buffer_counts_only_while_it_is_in_use() -> None:
    assert offsets(BufferRequest(32, 5, 6, 0), BufferRequest(16, 0, 4)) == (0, 0)


def test_a_buffer_without_bytes_divides_a_gap() -> None:
    # nothing is at 16, and still 32 bytes do not fit below 32: 0..16 and 16..32 are two gaps
    given_ones = [BufferRequest(0, 0, 0, 16), BufferRequest(16, 0, 0, 32)]
    assert offsets(*given_ones, BufferRequest(32, 0, 0)) == (16, 32, 48)


def test_a_buffer_without_bytes_lies_at_zero() -> None:
    assert offsets(BufferRequest(16, 0, 0), BufferRequest(0, 0, 0)) == (0, 0)


@settings(max_examples=300, deadline=None)
@given(partly_given_requests())
def test_offsets_are_those_of_the_definition(requests: list[BufferRequest]) -> None:
    assert list(offsets(*requests)) == defined_offsets(requests)


@pytest.mark.parametrize("requests", [chain(300), scattered(150)], ids=["chain", "scattered"])
def test_offsets_of_many_buffers_are_those_of_the_definition(
    requests: list[BufferRequest],
) -> None:
    assert list(offsets(*requests)) == defined_offsets(requests)


@given(partly_given_requests())
def test_buffers_of_one_time_share_no_byte(requests: list[BufferRequest]) -> None:
    assert collisions(requests, offsets(*requests)) == []


@given(free_requests())
def test_a_plan_is_never_larger_than_all_buffers(requests: list[BufferRequest]) -> None:
    plan = GreedyPlanner().plan(requests)
    assert plan.bytes <= sum(request.bytes for request in requests)
    assert all(offset % 16 == 0 for offset in plan.offsets)


@pytest.mark.skipif(not MEASURED.is_file(), reason=f"no measured plans at {MEASURED} ({VARIABLE})")
def test_every_offset_is_the_measured_one() -> None:
    wrong: list[str] = []
    plans = _measured_plans(MEASURED)
    for name, rows in plans.items():
        requests = [
            BufferRequest(
                int(row["size"]), int(row["first_use"]), int(row["last_use"]), _offset(row)
            )
            for row in rows
        ]
        if list(offsets(*requests)) != [int(row["offset"]) for row in rows]:
            wrong.append(" ".join(name))
    assert plans
    assert wrong == []


def _measured_plans(path: Path) -> dict[tuple[str, ...], list[dict[str, str]]]:
    plans: dict[tuple[str, ...], list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            plans[row["model"], row["cpu"], row["kernels"]].append(row)
    for rows in plans.values():
        rows.sort(key=lambda row: int(row["buffer"]))
    return plans


def _offset(row: dict[str, str]) -> int | None:
    offset = int(row["offline_offset"])
    return None if offset == -1 else offset
