"""The verdict on one model and one board: every need against its limit, and what decides.

A need is met, not met, or not known. A board fits if all needs that have a limit are met: what is
not known is no yes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_profiles.flash import FlashReport
from tinyml_profiles.latency_report import LatencyReport
from tinyml_profiles.ram import RamReport
from tinyml_profiles.target import Target

FITS, DOES_NOT_FIT, UNKNOWN = "fits", "does not fit", "unknown"
RAM, FLASH, LATENCY, ENERGY = "RAM", "flash", "latency", "energy"


@dataclass(frozen=True, slots=True)
class Budgets:
    """Limits beside those of the board; None where there is none."""

    latency_ms: float | None = None
    ram_bytes: float | None = None
    flash_bytes: float | None = None
    energy_uj: float | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """What a model needs of something, and the limits; None is unknown.

    `available` is what the board has (None also for what boards do not limit), `budget` what the
    user allows. `is_limited` says that there has to be a limit. `unit` is "bytes", "ms" or "uJ".
    `least` is a lower bound of what is not known; `high` is the upper end of a 90 % interval.
    """

    name: str
    unit: str
    needed: float | None
    evidence: str
    available: float | None = None
    budget: float | None = None
    is_limited: bool = False
    least: float | None = None
    high: float | None = None

    @property
    def limit(self) -> float | None:
        """The smaller of what the board has and what the user allows."""
        limits = [one for one in (self.available, self.budget) if one is not None]
        return min(limits, default=None)

    @property
    def is_met(self) -> bool | None:
        """Whether it is enough; None where that is not known."""
        if self.needed is not None and self.limit is not None:
            return self.needed <= self.limit
        if self.least is not None and self.limit is not None and self.least > self.limit:
            return False
        return None if self.is_limited else True

    @property
    def margin(self) -> float | None:
        """The share of the limit that is left, below 0 where it is exceeded; at most, if so."""
        needed = self.least if self.needed is None and self.is_met is False else self.needed
        if needed is None or self.limit is None:
            return None
        return 1.0 - needed / (self.limit or 1.0)  # of nothing, a unit more is as much again

    @property
    def missing(self) -> float:
        """By how much the limit is exceeded, at least; 0 where it is not."""
        needed = self.least if self.needed is None else self.needed
        return 0.0 if needed is None or self.limit is None else max(0.0, needed - self.limit)


@dataclass(frozen=True, slots=True)
class FitReport:
    """One model on one board with one kernel library.

    `refused` says why the model does not load there; then nothing else is known. `problems` are
    reasons against, and what is not known; `notes` is what else there is to say.
    """

    target: Target
    library: str
    needs: Sequence[Need]
    ram: RamReport | None = None
    flash: FlashReport | None = None
    latency: LatencyReport | None = None
    refused: Sequence[str] = ()
    problems: Sequence[str] = ()
    notes: Sequence[str] = ()

    @property
    def verdict(self) -> str:
        """Whether it fits, does not fit, or nobody can say."""
        met = [need.is_met for need in self.needs]
        if self.refused or False in met:
            return DOES_NOT_FIT
        return UNKNOWN if None in met or not met else FITS

    @property
    def fits(self) -> bool:
        """Whether everything that was asked is known and met."""
        return self.verdict == FITS

    @property
    def binding(self) -> Need | None:
        """The need with the least left of its limit."""
        limited = [need for need in self.needs if need.margin is not None]
        return min(limited, key=lambda need: need.margin or 0.0, default=None)

    def need(self, name: str) -> Need | None:
        """The need of that name; None where the model does not load."""
        return next((need for need in self.needs if need.name == name), None)
