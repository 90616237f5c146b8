"""What stands against a fit, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tinyml_profiles.amounts import amount
from tinyml_profiles.fit_report import FLASH, RAM, Need

# What says how much there is of something.
_LIMITS = {
    RAM: "[memory] in a board's file, or --max-ram, says it",
    FLASH: "[memory] in a board's file, or --max-flash, says it",
}


def problem(need: Need, reasons: Mapping[str, str]) -> str | None:
    """Why a need is not met, or not known; None where it is met.

    `reasons` say why needs of a name are not known.
    """
    if need.is_met:
        return None
    if need.needed is None and need.is_met is None:
        return f"{need.name} is unknown: {reasons[need.name]}"
    needed = _needed(need)
    if need.limit is None:
        return f"{need.name} needs {needed}; how much there is is unknown: {_LIMITS[need.name]}"
    limit, over = _quantity(need.limit, need.unit), _quantity(need.missing, need.unit)
    return f"{need.name} needs {needed}, {over} more than {_source(need)} {limit}"


def notes(need: Need) -> Iterator[str]:
    """What else there is to say about a need that is met."""
    if need.is_met and need.high is not None and need.limit is not None and need.high > need.limit:
        high, limit = _quantity(need.high, need.unit), _quantity(need.limit, need.unit)
        yield f"{need.name} may be as much as {high}, more than {_source(need)} {limit}"


def _needed(need: Need) -> str:
    if need.needed is None:
        return f"at least {_quantity(need.least or 0.0, need.unit)}"
    return _quantity(need.needed, need.unit)


def _source(need: Need) -> str:
    is_budget = need.budget is not None and need.limit == need.budget
    return "the budget of" if is_budget else "the board's"


def _quantity(value: float, unit: str) -> str:
    return f"{value:,.0f} bytes" if unit == "bytes" else f"{amount(value)} {unit}"
