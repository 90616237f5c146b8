"""What a tick is: said by the user, by the format, or by the milliseconds that a log has itself."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyml_profiles.logs.records import Event, Log
from tinyml_runtime.errors import InputError

UNITS = ("us", "cycles", "cycles/1024", "ms")
# Ticks per second between which the log's own milliseconds leave no choice, and those between
# which they allow a usual unit.
_NARROW = 1.02
_WIDE = 1.5


@dataclass(frozen=True, slots=True)
class Scale:
    """Milliseconds of a tick, and who says so."""

    ms_per_tick: float
    says: str


@dataclass(frozen=True, slots=True)
class Timing:
    """What the user says about ticks: a unit, or ticks per second; the clock for cycles, if known.

    `invocations` is how many invocations a sum is of, where the log has only sums.
    """

    unit: str | None = None
    ticks_per_second: float | None = None
    clock_hz: float | None = None
    invocations: int | None = None


def find_scale(log: Log, timing: Timing) -> Scale | None:
    """What a tick of `log` is; None where neither user nor log says it.

    Raises:
        InputError: cycles without a clock.
    """
    if timing.ticks_per_second is not None:
        return Scale(1e3 / timing.ticks_per_second, f"{timing.ticks_per_second:,.0f} ticks/s")
    unit = timing.unit or log.unit
    if unit is not None:
        said = "" if timing.unit else ", as the format has it"
        return Scale(1e3 / unit_ticks_per_second(unit, timing.clock_hz), f"{unit}{said}")
    return _own_milliseconds(log.events, timing.clock_hz)


def unit_ticks_per_second(unit: str, clock_hz: float | None) -> float:
    """Ticks per second of one of `UNITS`; InputError for cycles without a clock."""
    if unit in ("us", "ms"):
        return 1e6 if unit == "us" else 1e3
    if not clock_hz:
        raise InputError(f"ticks in {unit} need the clock: --clock-mhz says it")
    return clock_hz if unit == "cycles" else clock_hz / 1024


def choices(ticks: float, clock_hz: float | None) -> Iterator[tuple[str, float]]:
    """Every unit with the milliseconds that so many ticks would be."""
    for unit in UNITS:
        if clock_hz or unit in ("us", "ms"):
            yield unit, 1e3 * ticks / unit_ticks_per_second(unit, clock_hz)


def _own_milliseconds(events: Sequence[Event], clock_hz: float | None) -> Scale | None:
    """A port that prints `27797 ticks (27 ms)` says how many ticks it takes for a second."""
    timed = [(event.ticks, event.ms or 0) for event in events if event.ticks > 0]
    timed = [(ticks, ms) for ticks, ms in timed if ms > 0]
    if not timed:
        return None
    low = max(1e3 * ticks / (ms + 1) for ticks, ms in timed) * (1 - 1e-6)
    high = min(1e3 * ticks / ms for ticks, ms in timed) * (1 + 1e-6)
    if low > high or high / low > _WIDE:
        return None
    per_second = _usual(low, high, clock_hz)
    if per_second is None:
        if high / low > _NARROW:
            return None
        per_second = math.sqrt(low * high)
    return Scale(1e3 / per_second, f"{per_second:,.0f} ticks/s, as the log's milliseconds say")


def _usual(low: float, high: float, clock_hz: float | None) -> float | None:
    """The one usual number of ticks per second in a range, or the round one in a narrow range."""
    usual = [unit_ticks_per_second(u, clock_hz) for u in UNITS if clock_hz or u in ("us", "ms")]
    inside = [value for value in usual if low <= value <= high]
    if inside:
        return inside[0] if len(inside) == 1 else None
    rounded = float(f"{math.sqrt(low * high):.1e}")
    return rounded if high / low <= _NARROW and low <= rounded <= high else None
