"""The linear planner: one buffer after the other."""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.support.buffer_requests import chain, free_requests
from tinyml_runtime.errors import PlanError
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.linear_planner import MOST_BUFFERS, LinearPlanner
from tinyml_runtime.memory.planner import BufferRequest


def test_buffers_follow_each_other_whenever_they_are_used() -> None:
    requests = [BufferRequest(32, 0, 1), BufferRequest(16, 5, 6), BufferRequest(64, 2, 2)]
    plan = LinearPlanner().plan(requests)
    assert plan.offsets == (0, 32, 48)
    assert plan.bytes == 112
    assert not plan.is_optimal


@given(free_requests())
def test_no_plan_of_tflm_is_larger(requests: list[BufferRequest]) -> None:
    assert GreedyPlanner().plan(requests).bytes <= LinearPlanner().plan(requests).bytes


def test_there_is_room_for_1024_buffers() -> None:
    assert len(LinearPlanner().plan(chain(MOST_BUFFERS)).offsets) == 1024
    with pytest.raises(PlanError, match="1,025 buffers: the linear planner has room for 1,024"):
        LinearPlanner().plan(chain(MOST_BUFFERS + 1))


def test_given_offsets_are_refused() -> None:
    with pytest.raises(PlanError, match="takes no given offsets"):
        LinearPlanner().plan([BufferRequest(16, 0, 0, offset=0)])
