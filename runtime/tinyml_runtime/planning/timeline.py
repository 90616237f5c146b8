"""How full the planned part of an arena is from step to step, and which buffers are in it then."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from tinyml_runtime.memory.lifetimes import Step
from tinyml_runtime.planning.sequence import PlannedBuffer

_START = Step(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Moment:
    """The fullest time while some nodes run, one after another from `first` to `last`.

    `bytes` are in use then, while the node of `step` runs.
    """

    first: Step
    last: Step
    step: Step
    time: int
    bytes: int


def timeline(
    buffers: Sequence[PlannedBuffer], steps: Sequence[Step], most: int | None = None
) -> list[Moment]:
    """A moment for each step; at most `most`, in which case several steps share one.

    What is in use before the first step, and after the last, counts with it.
    """
    moments = _each_step(buffers, steps or [_START])
    if most is None or len(moments) <= most:
        return moments
    bounds = [len(moments) * place // most for place in range(most + 1)]
    return [_fullest(moments[begin:end]) for begin, end in pairwise(bounds)]


def live_at(buffers: Sequence[PlannedBuffer], time: int) -> list[int]:
    """The numbers of the buffers that are in use at a time."""
    return [
        number
        for number, buffer in enumerate(buffers)
        if buffer.request.first_use <= time <= buffer.request.last_use
    ]


def column_of(steps: Sequence[Step], time: int) -> int:
    """Which step runs at a time, by its place in `steps`; the first for all before it."""
    return max(0, bisect_right(steps, time, key=lambda step: step.time) - 1)


def _each_step(buffers: Sequence[PlannedBuffer], steps: Sequence[Step]) -> list[Moment]:
    changes: dict[int, int] = {step.time: 0 for step in steps}
    for buffer in buffers:
        request = buffer.request
        if request.last_use >= 0:
            changes[request.first_use] = changes.get(request.first_use, 0) + request.bytes
            changes[request.last_use + 1] = changes.get(request.last_use + 1, 0) - request.bytes
    best = [(-1, 0)] * len(steps)
    live = 0
    for time in sorted(changes):
        live += changes[time]
        column = column_of(steps, time)
        if live > best[column][0]:
            best[column] = live, time
    return [
        Moment(step, step, step, time, size) for step, (size, time) in zip(steps, best, strict=True)
    ]


def _fullest(moments: Sequence[Moment]) -> Moment:
    best = max(moments, key=lambda moment: moment.bytes)
    return Moment(moments[0].first, moments[-1].last, best.step, best.time, best.bytes)
