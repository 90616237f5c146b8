"""TFLM's own planner: the largest buffer first, each into the lowest gap.

Source: tflite-micro `micro/memory_planner/greedy_memory_planner.cc`
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyml_runtime.memory.first_fit import PlacedBuffers
from tinyml_runtime.memory.planner import (
    BufferRequest,
    MemoryPlan,
    check_requests,
    finished_plan,
)


class GreedyPlanner:
    """Gives every buffer the offset that TFLM gives it.

    Given offsets come first and are not questioned: they may overlap. Of buffers of equal size the
    one that was requested last is placed first, because TFLM sorts a reversed list.
    """

    name = "greedy"

    def plan(self, requests: Sequence[BufferRequest]) -> MemoryPlan:
        """TFLM's offsets for these buffers; PlanError for sizes and times that cannot be."""
        check_requests(requests)
        placed = PlacedBuffers(len(requests))
        offsets = [request.offset or 0 for request in requests]
        for index in placing_order(requests):
            request = requests[index]
            if request.offset is None:
                offsets[index] = placed.lowest_gap(request)
            placed.insert(request, offsets[index])
        return finished_plan(requests, offsets)


def placing_order(requests: Sequence[BufferRequest]) -> list[int]:
    """The buffers in the order in which TFLM places them."""
    given = [index for index, request in enumerate(requests) if request.offset is not None]
    free = [index for index, request in enumerate(requests) if request.offset is None]
    return given + sorted(reversed(free), key=lambda index: -requests[index].bytes)
