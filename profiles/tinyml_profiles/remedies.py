"""What would make a model fit a board: each change made and computed, none guessed.

The smallest changes come first: those that leave the model's results as they are (another memory
plan, another order, other kernels, another memory), then those that need another model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tinyml_profiles.changes.build import (
    better_plan,
    other_library,
    other_memory,
    other_order,
    smaller_code,
    weights_elsewhere,
)
from tinyml_profiles.changes.case import Case, Remedy, Way
from tinyml_profiles.changes.model import narrower, smaller_image, without_kernel
from tinyml_profiles.fit_report import Budgets, FitReport
from tinyml_profiles.rewriting.narrow import narrowed, wide_types
from tinyml_profiles.shared_model import FitModel
from tinyml_runtime.errors import TinymlError

# From the smallest change to the largest.
_WAYS: Sequence[Way] = (
    better_plan,
    other_order,
    smaller_code,
    other_library,
    other_memory,
    weights_elsewhere,
    narrower,
    smaller_image,
    without_kernel,
)


@dataclass(frozen=True, slots=True)
class Remedies:
    """Changes that are enough, the smallest first; others, the best first; what cannot be done."""

    enough: Sequence[Remedy]
    not_enough: Sequence[Remedy]
    ruled_out: Sequence[str]


def find_remedies(
    model: FitModel, report: FitReport, budgets: Budgets, time_limit_seconds: float
) -> Remedies:
    """What would make `report`, which is no yes, one.

    Plan and order are searched for at most `time_limit_seconds` each. If no change is enough and
    the model is not in int8, the others are tried on top of that.
    """
    case = Case(model, report, budgets, time_limit_seconds)
    found = list(_tried(case, _WAYS))
    if not any(one.is_enough for one in found if isinstance(one, Remedy)):
        found += _after_narrowing(case)
    remedies = [one for one in found if isinstance(one, Remedy)]
    others = [one for one in remedies if not one.is_enough]
    return Remedies(
        [one for one in remedies if one.is_enough],
        sorted(others, key=lambda one: -_least_margin(one.report)),
        [one for one in found if isinstance(one, str)],
    )


def _tried(case: Case, ways: Sequence[Way]) -> Iterator[Remedy | str]:
    for way in ways:
        yield from way(case)


def _least_margin(report: FitReport) -> float:
    need = report.binding
    return -1e9 if need is None or need.margin is None else need.margin


def _after_narrowing(case: Case) -> list[Remedy | str]:
    """The other ways on top of int8; only those that are enough."""
    if not wide_types(case.model.model):
        return []
    try:
        model = FitModel(narrowed(case.model.model))
        report = case.with_model(model)
    except TinymlError:
        return []  # the reason was given before
    if report.refused:
        return []
    on_top = replace(case, model=model, report=report)
    return [
        replace(one, what=f"int8, and {one.what}")
        for one in _tried(on_top, _WAYS)
        if isinstance(one, Remedy) and one.is_enough
    ]
