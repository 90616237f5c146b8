"""How full an arena is from step to step."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tinyml_runtime.memory.lifetimes import Step
from tinyml_runtime.memory.planner import BufferRequest
from tinyml_runtime.planning.sequence import PlannedBuffer
from tinyml_runtime.planning.timeline import column_of, live_at, timeline

# Sizes and lifetimes: an input from the start on, then each step makes the next buffer.
BUFFERS = [
    PlannedBuffer(0, number, None, f"t{number}", None, size, BufferRequest(size, first, last))
    for number, (size, first, last) in enumerate([(16, 0, 1), (64, 1, 2), (32, 2, 4), (16, 4, 4)])
]
UNUSED = PlannedBuffer(0, 9, None, "unused", None, 0, BufferRequest(0, -1, -1))
STEPS = [Step(1, 0, 0), Step(2, 0, 1), Step(4, 0, 2)]


def test_each_step_has_the_bytes_that_are_in_use_while_it_runs() -> None:
    moments = timeline([*BUFFERS, UNUSED], STEPS)
    assert [moment.bytes for moment in moments] == [80, 96, 48]
    assert [moment.step for moment in moments] == STEPS


def test_a_step_is_as_full_as_the_fullest_time_until_the_next() -> None:
    # Between the nodes at 2 and 4 a subgraph is called, at 3, and something is in use there only.
    called = PlannedBuffer(1, 0, None, "c", None, 512, BufferRequest(512, 3, 3))
    moments = timeline([*BUFFERS, called], STEPS)
    assert (moments[1].time, moments[1].bytes) == (3, 544)


def test_several_steps_share_a_moment_that_keeps_their_peak() -> None:
    (only,) = timeline(BUFFERS, STEPS, 1)
    assert (only.first, only.last, only.step, only.bytes) == (STEPS[0], STEPS[2], STEPS[1], 96)


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_no_step_is_lost_when_steps_share_moments(most: int) -> None:
    steps = [Step(time, 0, time - 1) for time in range(1, 8)]
    moments = timeline(BUFFERS, steps, most)
    assert len(moments) == most
    assert moments[0].first == steps[0]
    assert moments[-1].last == steps[-1]
    assert all(before.last.time + 1 == after.first.time for before, after in pairwise(moments))


def test_a_model_without_operators_has_one_moment() -> None:
    (only,) = timeline([BUFFERS[0]], [])
    assert only.bytes == 16


def test_buffers_are_live_from_their_first_to_their_last_use() -> None:
    assert live_at(BUFFERS, 2) == [1, 2]
    assert live_at(BUFFERS, 5) == []


def test_a_time_belongs_to_the_step_before_it() -> None:
    assert [column_of(STEPS, time) for time in (0, 1, 2, 3, 4, 9)] == [0, 0, 1, 1, 2, 2]
