"""What stands against a fit, in words."""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_profiles.fit_report import ENERGY, FLASH, LATENCY, RAM, Need
from tinyml_profiles.target import Target

_WAYS_OUT = {
    RAM: "a board file with [memory] says it, or --max-ram",
    FLASH: "a board file with [memory] says it, or --max-flash",
    LATENCY: "nobody has measured these kernels on this core",
    ENERGY: "active_mw under [power] in a board file says it",
}


def problem(need: Need, target: Target) -> str | None:
    """Why a need is not met, or not known; None where it is met."""
    if need.is_met:
        return None
    if need.needed is None:
        return f"{need.name} is unknown: {_reason(need, target)}"
    needed = _quantity(need.needed, need.unit)
    if need.limit is None:
        return f"{need.name} needs {needed}, how much there is is unknown: {_WAYS_OUT[need.name]}"
    over = _quantity(need.missing, need.unit)
    limit = _quantity(need.limit, need.unit)
    return f"{need.name} needs {needed}, {over} more than {_source(need)} {limit}"


def notes(need: Need) -> Iterator[str]:
    """What else there is to say about a need that is met."""
    if need.is_met and need.high is not None and need.limit is not None and need.high > need.limit:
        high = _quantity(need.high, need.unit)
        yield f"{need.name} can be up to {high} (90 %), above {_source(need)} limit"


def _source(need: Need) -> str:
    is_budget = need.budget is not None and need.limit == need.budget
    return "the budget of" if is_budget else "the board's"


def _reason(need: Need, target: Target) -> str:
    if need.name in (LATENCY, ENERGY) and target.board is None:
        return "a core alone has no clock and no power"
    return _WAYS_OUT[need.name]


def _quantity(amount: float, unit: str) -> str:
    if unit == "bytes":
        return f"{amount:,.0f} bytes"
    return f"{amount:,.0f} {unit}" if amount >= 100 else f"{amount:.3g} {unit}"
