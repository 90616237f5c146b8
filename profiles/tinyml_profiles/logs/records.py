"""What a log says, as its format has it: lines with ticks whose unit may not be known yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """A run of an operator; `ms` is what the log itself says that these ticks are, rounded down."""

    line: int
    tag: str
    ticks: float
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class TagTotal:
    """All runs of the operators of a tag; `calls` is how many there were, where the log says."""

    line: int
    tag: str
    ticks: float
    calls: int | None = None


@dataclass(frozen=True, slots=True)
class Lap:
    """Ticks of some invocations of the whole model."""

    line: int
    ticks: float
    invocations: int = 1


@dataclass(frozen=True, slots=True)
class Facts:
    """What a log says about the run beside times; None where it does not."""

    clock_mhz: float | None = None
    library: str | None = None
    model: str | None = None
    model_sha256: str | None = None
    opt: str | None = None


NO_FACTS = Facts()


@dataclass(frozen=True, slots=True)
class Log:
    """A log that was read. Of `events`, `totals` and `laps`, those are empty that it does not have.

    `unit` is that of its ticks, one of `units.UNITS`, where the format says so. `totals` and laps
    are of one invocation each, unless they say otherwise. `may_be_sums` says that an event may be
    all runs of an operator.
    """

    source: str
    format: str
    events: Sequence[Event] = ()
    totals: Sequence[TagTotal] = ()
    laps: Sequence[Lap] = ()
    unit: str | None = None
    facts: Facts = NO_FACTS
    notes: Sequence[str] = ()
    may_be_sums: bool = False
