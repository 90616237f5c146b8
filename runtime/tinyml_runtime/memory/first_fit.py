"""The lowest gap for one buffer after the other, among those that are in use at the same time."""

from __future__ import annotations

import numpy as np

from tinyml_runtime.memory.planner import BufferRequest


class PlacedBuffers:
    """Buffers that have their place, in the order of their offsets.

    Arrays, not lists: what overlaps in time with one buffer is picked out of thousands at once.
    """

    def __init__(self, capacity: int) -> None:
        """Make room for `capacity` buffers."""
        self._count = 0
        self._first_use, self._last_use, self._begin, self._end = self._rows = np.zeros(
            (4, capacity), np.int64
        )

    def lowest_gap(self, request: BufferRequest) -> int:
        """The lowest offset, 0 or the end of a buffer, from which `request` fits.

        As in TFLM a gap of no bytes is enough for a buffer without bytes, and such a buffer
        divides a gap.
        """
        count = self._count
        live = np.flatnonzero(
            (self._first_use[:count] <= request.last_use)
            & (self._last_use[:count] >= request.first_use)
        )
        candidates = np.zeros(live.size + 1, np.int64)
        np.maximum.accumulate(self._end[live], out=candidates[1:])
        fits = self._begin[live] - candidates[:-1] >= request.bytes
        return int(candidates[fits.argmax() if fits.any() else -1])

    def insert(self, request: BufferRequest, offset: int) -> None:
        """Note the place of a buffer, after those with the same offset."""
        count = self._count
        at = int(self._begin[:count].searchsorted(offset, side="right"))
        self._rows[:, at + 1 : count + 1] = self._rows[:, at:count]
        self._rows[:, at] = request.first_use, request.last_use, offset, offset + request.bytes
        self._count += 1
