"""A model that does not fit, and what a change makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from tinyml_profiles.arena_places import SlowTensor
from tinyml_profiles.fit import fit_model
from tinyml_profiles.fit_report import DOES_NOT_FIT, Budgets, FitReport
from tinyml_profiles.flash import DEFAULT_OPTIONS, FlashOptions
from tinyml_profiles.shared_model import FitModel


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change, and the verdict with it; `how` is what to do.

    `model` is the changed model, None where it is the same. `slow` are the tensors that would lie
    in a memory that makes the core wait.
    """

    what: str
    how: str
    report: FitReport
    model: FitModel | None = None
    slow: Sequence[SlowTensor] = ()

    @property
    def is_enough(self) -> bool:
        """Whether nothing that is known stands against a fit any longer."""
        return self.report.verdict != DOES_NOT_FIT


@dataclass(frozen=True, slots=True)
class Case:
    """A model on a board that it does not fit, and how long to search for orders and plans."""

    model: FitModel
    report: FitReport
    budgets: Budgets
    seconds: float

    @property
    def options(self) -> FlashOptions:
        """How the image is built."""
        return DEFAULT_OPTIONS if self.report.flash is None else self.report.flash.options

    def is_short_of(self, *names: str) -> bool:
        """Whether one of these needs is not met."""
        needs = (self.report.need(name) for name in names)
        return any(need is not None and need.is_met is False for need in needs)

    def with_model(self, model: FitModel, library: str | None = None) -> FitReport:
        """The verdict on another model, or with another library."""
        report = self.report
        name = library or report.library
        return fit_model(model, report.target, name, self.budgets, self.options)

    def changed(self, what: str, how: str, model: FitModel) -> Remedy:
        """Another model as a remedy."""
        return Remedy(what, how, self.with_model(model), model)

    def with_options(self, options: FlashOptions) -> FitReport:
        """The verdict on an image that is built in another way."""
        report = self.report
        return fit_model(self.model, report.target, report.library, self.budgets, options)


# A remedy, or why there is none.
Way: TypeAlias = Callable[[Case], Iterator[Remedy | str]]
