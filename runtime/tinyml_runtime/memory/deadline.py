"""A time limit that several searches share."""

from __future__ import annotations

from time import monotonic


class Deadline:
    """Counts down from a number of seconds."""

    def __init__(self, seconds: float) -> None:
        """Start the clock."""
        self._end = monotonic() + seconds

    @property
    def seconds_left(self) -> float:
        """Never below zero."""
        return max(self._end - monotonic(), 0.0)

    @property
    def has_passed(self) -> bool:
        """Whether it is time to stop."""
        return monotonic() >= self._end
