"""What a call of `tinyml fit` found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from tinyml_cli.model_file import ModelFile
from tinyml_profiles.fit_report import Budgets, FitReport

if TYPE_CHECKING:
    from tinyml_cli.fitting.baseline import Change
    from tinyml_profiles.remedies import Remedies


@dataclass(frozen=True, slots=True)
class BoardFit:
    """One board: the verdict, and what would change it where that was looked for."""

    report: FitReport
    remedies: Remedies | None = None


@dataclass(frozen=True, slots=True)
class ModelFits:
    """One model on all boards."""

    model: ModelFile
    boards: Sequence[BoardFit]

    @property
    def name(self) -> str:
        """The file's name without its folders."""
        return PurePath(self.model.path).name

    @property
    def fits_somewhere(self) -> bool:
        """Whether there is a board that it fits."""
        return any(board.report.fits for board in self.boards)

    @property
    def fits_everywhere(self) -> bool:
        """Whether it fits every board."""
        return all(board.report.fits for board in self.boards)

    @property
    def loads_nowhere(self) -> bool:
        """Whether no board's kernels take the model."""
        return all(board.report.refused for board in self.boards)


@dataclass(frozen=True, slots=True)
class FitReports:
    """All models. `is_survey` says that the question is which boards fit, not whether all do.

    `changes` are those since a former report, None where none was given.
    """

    models: Sequence[ModelFits]
    budgets: Budgets
    is_survey: bool = False
    changes: Sequence[Change] | None = None

    @property
    def is_yes(self) -> bool:
        """Whether every model fits every board; in a survey, whether each fits one."""
        if self.is_survey:
            return all(model.fits_somewhere for model in self.models)
        return all(model.fits_everywhere for model in self.models)
