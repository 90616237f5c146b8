"""Plans that TFLM's own planner arrives at when the offsets of some buffers are given to it.

A model can carry offsets of its tensors. Scratch buffers have none there: the greedy planner fits
them in around the tensors, the largest first, each into the lowest gap. So a plan for tensors is as
good as what comes of it with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

from tinyml_runtime.memory.deadline import Deadline
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.lifetimes import UNUSED
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.memory.planner import BufferRequest, MemoryPlan, least_bytes

# For each buffer the node whose scratch buffer it is (subgraph and index), or None for a tensor.
Owners: TypeAlias = Sequence[tuple[int, int] | None]


def plan_around(requests: Sequence[BufferRequest], owners: Owners, plan: MemoryPlan) -> MemoryPlan:
    """What the greedy planner makes of it: tensors where `plan` says, scratch buffers around."""
    given = [
        replace(request, offset=offset) if owner is None else request
        for request, owner, offset in zip(requests, owners, plan.offsets, strict=True)
    ]
    return GreedyPlanner().plan(given)


def smallest_around(
    requests: Sequence[BufferRequest], owners: Owners, time_limit_seconds: float = 10.0
) -> MemoryPlan:
    """The smallest plan found that giving offsets of tensors, or none at all, leads to.

    Its lower bound is for buffers that are all free. What no node reaches may lie over anything:
    the greedy planner finds such tensors a place of their own, with a given offset they need none.
    """
    greedy = GreedyPlanner().plan(requests)
    needed = [replace(one, bytes=0) if one.last_use == UNUSED else one for one in requests]
    floor = max((one.bytes for one in requests if one.last_use == UNUSED), default=0)
    least = max(floor, least_bytes(needed))
    if greedy.bytes == least:
        return replace(greedy, lower_bound_bytes=least)
    deadline = Deadline(time_limit_seconds)
    free = OptimalPlanner(time_limit_seconds).plan(needed)
    best = plan_around(requests, owners, free)
    if best.bytes > max(floor, free.bytes):
        blocks = OptimalPlanner(deadline.seconds_left).plan(_in_blocks(needed, owners))
        best = min(best, plan_around(requests, owners, blocks), key=lambda plan: plan.bytes)
    best = min(greedy, best, key=lambda plan: plan.bytes)
    return replace(
        best,
        lower_bound_bytes=min(max(floor, free.lower_bound_bytes), best.bytes),
        search=free.search,
        limit_seconds=time_limit_seconds,
    )


def _in_blocks(requests: Sequence[BufferRequest], owners: Owners) -> list[BufferRequest]:
    """The requests with all scratch buffers of a node in one.

    Whatever gap the greedy planner takes for one of them, the others still fit into what is left of
    that block. So it needs no more than a plan with blocks.
    """
    blocks: dict[tuple[int, int], list[int]] = {}
    for number, owner in enumerate(owners):
        if owner is not None:
            blocks.setdefault(owner, []).append(number)
    joined = list(requests)
    for members in blocks.values():
        size = sum(requests[number].bytes for number in members)
        for number in members:
            joined[number] = replace(requests[number], bytes=0)
        joined[members[0]] = replace(requests[members[0]], bytes=size)
    return joined
