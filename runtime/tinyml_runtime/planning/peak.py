"""When most bytes are in use at once, and by which buffers: what no plan can go below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.memory.lifetimes import Step
from tinyml_runtime.planning.sequence import PlannedBuffer


@dataclass(frozen=True, slots=True)
class Peak:
    """The fullest moment: its time, the node that runs then (None: no node), what is in use.

    `live` are the buffers that are needed at that time, the largest first.
    """

    time: int
    bytes: int
    step: Step | None
    live: Sequence[PlannedBuffer]


def find_peak(buffers: Sequence[PlannedBuffer], steps: Sequence[Step]) -> Peak | None:
    """The first moment at which the sum of the buffers in use is largest; None without buffers."""
    used = [buffer for buffer in buffers if buffer.request.last_use >= 0]
    if not used:
        return None
    changes: dict[int, int] = {}
    for buffer in used:
        request = buffer.request
        changes[request.first_use] = changes.get(request.first_use, 0) + request.bytes
        changes[request.last_use + 1] = changes.get(request.last_use + 1, 0) - request.bytes
    best_time = live = best = 0
    for time in sorted(changes):
        live += changes[time]
        if live > best:
            best_time, best = time, live
    at_peak = [b for b in used if b.request.first_use <= best_time <= b.request.last_use]
    at_peak.sort(key=lambda buffer: -buffer.request.bytes)
    step = next((one for one in reversed(steps) if one.time <= best_time), None)
    return Peak(best_time, best, step, at_peak)
