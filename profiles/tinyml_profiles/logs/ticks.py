"""Ticks that a counter of limited width left wrong, and ticks of a timer that does not run.

TFLM keeps ticks in 32 bits; some ports print them with a sign, and some count in fewer bits, so
that an operator during which the counter starts again has less than nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from tinyml_profiles.logs.records import Event, Log
from tinyml_runtime.errors import InputError

_TURN = 2.0**32
# Counters with fewer bits than TFLM's: SysTick, and a 32-bit count of cycles divided by 1,024.
_TURNS = (_TURN, 2.0**24, 2.0**22, 2.0**16)
_LONGEST_SHORT_TURN = 2.0**24
# How much longer than the longest other event one can be, and than the same node's other runs.
_MOST = 1000.0
_ALIKE = 1.5
NO_TIMER = (
    "the port's timer is not implemented: TFLM's default GetCurrentTimeTicks() returns 0. Give the "
    "board one in micro_time.cc (a cycle counter, or microseconds), or time Invoke() with a clock "
    "of the board and write a CSV of operator,microseconds"
)


def check_timer(log: Log, ticks: Sequence[float]) -> None:
    """Raise InputError where all ticks are 0: the timer does not run."""
    if not any(ticks):
        raise InputError(f"{log.source}: every time in the log is 0: {NO_TIMER}")


def whole_turn(ticks: float) -> float:
    """Ticks that were printed with a sign, without it."""
    return ticks + _TURN if -_TURN < ticks < 0 else ticks


def mend(event: Event, others: Sequence[Event], longest: float) -> float | None:
    """The ticks of `event`, or None where nobody can say what they were.

    `others` are the same node's events of other invocations; `longest` the most ticks of any event
    that needs no mending.
    """
    ticks = _signed(event.ticks)
    if ticks >= 0:
        return ticks
    right = [other.ticks for other in others if _signed(other.ticks) >= 0]
    candidates = [ticks + turn for turn in _TURNS if ticks + turn >= 0]
    if right:
        usual = statistics.median(right)
        near = [c for c in candidates if usual <= c * _ALIKE and c <= usual * _ALIKE]
        return min(near, key=lambda c: abs(c - usual)) if near else None
    if not candidates or ticks > -_LONGEST_SHORT_TURN:
        return None
    return candidates[0] if not longest or candidates[0] <= _MOST * longest else None


def is_right(event: Event) -> bool:
    """Whether the ticks are as they were counted."""
    return _signed(event.ticks) >= 0


def _signed(ticks: float) -> float:
    """What is just below a whole turn is less than nothing; what is large is taken as it is."""
    return ticks - _TURN if _TURN - _LONGEST_SHORT_TURN < ticks < _TURN else ticks
