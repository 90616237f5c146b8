"""From what the user asked for to the verdicts on all models and boards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from tinyml_cli.fitting.report import BoardFit, FitReports, ModelFits
from tinyml_cli.model_file import ModelFile, open_model
from tinyml_profiles.fit import NO_BUDGETS, fit_model
from tinyml_profiles.fit_report import UNKNOWN, Budgets, FitReport
from tinyml_profiles.flash import DEFAULT_OPTIONS, FlashOptions
from tinyml_profiles.load import board_names, load_target
from tinyml_profiles.shared_model import FitModel
from tinyml_profiles.target import Target
from tinyml_runtime.errors import InputError
from tinyml_runtime.model.schema import Model

if TYPE_CHECKING:
    from tinyml_cli.fitting.project import Project

_SEARCH_SECONDS = 0.3
_NO_BOARD = (
    "--board NAME says which board, --all tries every one, --check reads tinyml.toml "
    "('tinyml targets' lists the boards)"
)


@dataclass(frozen=True, slots=True)
class FitRequest:
    """What the user asked for; `kernels` is None where each board's usual library is meant."""

    models: Sequence[str]
    boards: Sequence[str]
    all_boards: bool = False
    kernels: str | None = None
    budgets: Budgets = NO_BUDGETS
    options: FlashOptions = DEFAULT_OPTIONS
    finds_remedies: bool = True

    def completed(self, project: Project) -> FitRequest:
        """The same with what the project file says, where the command line says nothing."""
        given = self.budgets
        names = [field.name for field in fields(Budgets)]
        values = {name: getattr(given, name) or getattr(project.budgets, name) for name in names}
        return replace(
            self,
            models=self.models or project.models,
            boards=self.boards or (() if self.all_boards else project.boards),
            kernels=self.kernels or project.kernels,
            budgets=Budgets(**values),
        )


def fit_models(request: FitRequest) -> FitReports:
    """Every model on every board; raises TinymlError for what cannot be read or is not known."""
    if not request.models:
        raise InputError("MODEL says which model; --check reads those of tinyml.toml")
    names = [*request.boards, *(board_names() if request.all_boards else ())]
    if not names:
        raise InputError(_NO_BOARD)
    targets = [load_target(name) for name in dict.fromkeys(names)]
    opened = [open_model(path) for path in request.models]
    fits = [_fit(request, model, file, targets) for model, file in opened]
    return FitReports(fits, request.budgets, is_survey=request.all_boards)


def with_baseline(reports: FitReports, path: str) -> FitReports:
    """The same with what changed since the report in the file `path`."""
    from tinyml_cli.fitting.baseline import changes, read_baseline
    from tinyml_cli.render.fit_json import entries

    return replace(reports, changes=changes(read_baseline(path), entries(reports)))


def _fit(
    request: FitRequest, model: Model, file: ModelFile, targets: Sequence[Target]
) -> ModelFits:
    prepared = FitModel(model, len(file.content))
    reports = [
        fit_model(prepared, one, request.kernels, request.budgets, request.options)
        for one in targets
    ]
    if request.all_boards:
        return ModelFits(file, [BoardFit(report) for report in sorted(reports, key=_order)])
    return ModelFits(file, [_with_remedies(request, prepared, report) for report in reports])


def _order(report: FitReport) -> tuple[int, float]:
    """Boards that fit first, then those of which nobody knows; most room first."""
    rank = 0 if report.fits else 1 if report.verdict == UNKNOWN else 2
    need = report.binding
    return rank, -(-1e9 if need is None or need.margin is None else need.margin)


def _with_remedies(request: FitRequest, model: FitModel, report: FitReport) -> BoardFit:
    if not request.finds_remedies or report.fits or report.verdict == UNKNOWN:
        return BoardFit(report)
    from tinyml_profiles.remedies import find_remedies

    return BoardFit(report, find_remedies(model, report, request.budgets, _SEARCH_SECONDS))
