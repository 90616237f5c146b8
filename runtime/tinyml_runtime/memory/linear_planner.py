"""One buffer after the other, as if all were in use all the time: the upper bound.

Source: tflite-micro `micro/memory_planner/linear_memory_planner.cc`
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_runtime.errors import PlanError
from tinyml_runtime.memory.planner import (
    BufferRequest,
    MemoryPlan,
    check_requests,
    finished_plan,
)

MOST_BUFFERS = 1024


class LinearPlanner:
    """Nothing shares memory, so that every tensor can be looked at after a run."""

    name = "linear"

    def plan(self, requests: Sequence[BufferRequest]) -> MemoryPlan:
        """TFLM's offsets; PlanError for given offsets and more buffers than it has room for."""
        check_requests(requests)
        if len(requests) > MOST_BUFFERS:
            raise PlanError(
                f"{len(requests):,} buffers: the linear planner has room for {MOST_BUFFERS:,}; "
                "use another one"
            )
        if any(request.offset is not None for request in requests):
            raise PlanError("the linear planner takes no given offsets; use the greedy one")
        offsets: list[int] = []
        end = 0
        for request in requests:
            offsets.append(end)
            end += request.bytes
        return finished_plan(requests, offsets)
