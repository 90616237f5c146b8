"""What would make a model fit a board: each change made and computed, none guessed.

The smallest changes come first: those that leave the model's results as they are (another memory
plan, another order, other kernels, another memory), then those that need another model. Where no
change is enough by itself, pairs of them are tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
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
from tinyml_profiles.shared_model import FitModel

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


# After these, others can be made: each with those that come later, and int8 with all.
_COMBINING = (better_plan, other_order, smaller_code, other_library, narrower)
_SHARE_OF_TIME = 0.3
# Of larger models, each pair would take seconds.
_MOST_NODES = 300


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

    Plan and order are searched for at most `time_limit_seconds` each, less for pairs.
    """
    case = Case(model, report, budgets, time_limit_seconds)
    found = {way: list(way(case)) for way in _WAYS}
    remedies = [one for results in found.values() for one in _remedies_of(results)]
    nodes = sum(len(graph.operators) for graph in model.model.subgraphs)
    if nodes <= _MOST_NODES and not any(one.is_enough for one in remedies):
        remedies += _pairs(case, found)
    others = [one for one in remedies if not one.is_enough]
    return Remedies(
        [one for one in remedies if one.is_enough],
        sorted(others, key=lambda one: -_least_margin(one.report)),
        [one for results in found.values() for one in results if isinstance(one, str)],
    )


def _remedies_of(results: Iterable[Remedy | str]) -> list[Remedy]:
    return [one for one in results if isinstance(one, Remedy)]


def _least_margin(report: FitReport) -> float:
    need = report.binding
    return -1e9 if need is None or need.margin is None else need.margin


def _pairs(case: Case, found: Mapping[Way, Sequence[Remedy | str]]) -> Iterator[Remedy]:
    """Two changes that together are enough."""
    for way in _COMBINING:
        later = _WAYS if way is narrower else _WAYS[_WAYS.index(way) + 1 :]
        for first in _remedies_of(found[way]):
            on_top = replace(
                case,
                model=first.model or case.model,
                report=first.report,
                seconds=case.seconds * _SHARE_OF_TIME,
            )
            for second in _remedies_of(one for other in later for one in other(on_top)):
                if second.is_enough:
                    what, how = f"{first.what}, and {second.what}", f"{first.how}; {second.how}"
                    yield replace(second, what=what, how=how)
