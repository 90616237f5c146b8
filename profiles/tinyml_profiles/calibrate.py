"""A user's measurements to a target of their own: the board as shipped, with other factors."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinyml_profiles.calibration.fit import (
    PARAMETERS,
    Sample,
    Values,
    fit,
    free_parameters,
    predict,
)
from tinyml_profiles.calibration.notes import find_notes
from tinyml_profiles.calibration.report import CalibrationReport, Compared, Errors, Fitted, Run
from tinyml_profiles.calibration.rows import Row, run_rows
from tinyml_profiles.calibration.width import calibrated_interval
from tinyml_profiles.profile import profile_model
from tinyml_profiles.target import Board, Calibration, Figure, Target
from tinyml_profiles.uncertainty import interval
from tinyml_runtime.errors import InputError, TargetError

_FOLDS = 30
# Further off is no board: the factors end at 10.
_NEVER = 9.0


def calibrate(
    runs: Sequence[Run], target: Target, library: str, clock_hz: float
) -> CalibrationReport:
    """Fit the target's calibration to measured runs of models.

    Raises:
        TargetError: it is a core alone.
        InputError: nothing of what was measured is predicted, or all of it far off.
        UnsupportedModelError: a model that does not load.
    """
    board = target.board
    if board is None:
        raise TargetError(
            f"{target.name} is a core alone: calibrate a board ('tinyml targets' lists them)"
        )
    plain = replace(target, board=replace(board, calibration=Calibration()))
    reports = [profile_model(run.model, plain, library, clock_hz=clock_hz) for run in runs]
    rows = [row for n, run in enumerate(runs) for row in run_rows(n, run, reports[n], clock_hz)]
    if not rows:
        raise InputError(f"nothing that was measured is predicted: {'; '.join(reports[0].notes)}")
    start = np.array([figure.value for figure in _figures(board)])
    samples = [row.sample for row in rows if row.counts]
    _check_magnitude(samples, start)
    free = free_parameters(samples, start)
    values, _ = fit(samples, start, free)
    without, left_out_is = _leave_out(rows, [run.name for run in runs], start)
    compared = [
        _compared(row, runs[row.run].name, start, values, left, 1e3 / clock_hz)
        for row, left in zip(rows, without or [None] * len(rows), strict=True)
    ]
    # Not that of an earlier calibration, which may be from the same log.
    known = interval(plain, library)
    report = CalibrationReport(
        target=target,
        library=library,
        clock_hz=clock_hz,
        runs=runs,
        parameters=_parameters(board, values, free),
        compared=compared,
        before=_errors(compared, [one.before_ms for one in compared]),
        after=_errors(compared, [one.after_ms for one in compared]),
        left_out=None
        if without is None
        else _errors(compared, [one.left_out_ms or one.after_ms for one in compared]),
        left_out_is=left_out_is,
        interval_before=known,
        interval=calibrated_interval(compared, known),
        unpredicted=sorted({n.operator for r in reports for n in r.nodes if n.cycles is None}),
        notes=[],
    )
    return replace(report, notes=list(find_notes(report, plain)))


def _check_magnitude(samples: Sequence[Sample], start: Values) -> None:
    """Raise InputError where predictions are so far off that no calibration is meant."""
    ratio = statistics.median(one.cycles / predict(one.parts, start) for one in samples)
    if not 1 / _NEVER < ratio < _NEVER:
        raise InputError(
            f"measured is {ratio:,.3g} times what is predicted, too far for a calibration: is "
            "the log in another unit (--unit), of another clock (--clock-mhz), of other kernels "
            "(--kernels), or of a build without optimization?"
        )


def _compared(
    row: Row, model: str, start: Values, values: Values, left: float | None, cycle_ms: float
) -> Compared:
    parts = row.sample.parts
    return Compared(
        model=model,
        name=row.name,
        measured_ms=row.sample.cycles * cycle_ms,
        before_ms=predict(parts, start) * cycle_ms,
        after_ms=predict(parts, values) * cycle_ms,
        left_out_ms=None if left is None else left * cycle_ms,
        is_whole=row.is_whole,
    )


def _figures(board: Board) -> list[Figure]:
    return [getattr(board.calibration, name) for name in PARAMETERS]


def _parameters(board: Board, values: Values, free: Sequence[int]) -> list[Fitted]:
    return [
        Fitted(name, figure, float(values[k]), k in free)
        for k, (name, figure) in enumerate(zip(PARAMETERS, _figures(board), strict=True))
    ]


def _leave_out(
    rows: Sequence[Row], models: Sequence[str], start: Values
) -> tuple[list[float] | None, str]:
    """For each row, the cycles that are predicted without it, and what was left out each time.

    Where operators are left out, the whole is what they add up to, each predicted without itself.
    """
    if len(set(models)) > 1:
        keys, kind = [models[row.run] for row in rows], "model"
    else:
        keys, kind = ["" if row.is_whole else row.name for row in rows], "operator"
    folds = {key: n % _FOLDS for n, key in enumerate(dict.fromkeys(key for key in keys if key))}
    groups = [folds.get(key, -1) for key in keys]
    if len(set(folds.values())) < 2:
        return None, kind
    fitted: dict[int, Values] = {}
    for group in set(folds.values()):
        # The whole has the operator that is left out in it.
        kept = [
            row.sample
            for row, g in zip(rows, groups, strict=True)
            if g not in (group, -1) and row.counts
        ]
        fitted[group] = fit(kept, start, free_parameters(kept, start))[0]
    cycles = [
        0.0 if group < 0 else predict(row.sample.parts, fitted[group])
        for row, group in zip(rows, groups, strict=True)
    ]
    for place, row in enumerate(rows):
        if groups[place] < 0:
            own = [n for n, other in enumerate(rows) if other.run == row.run and groups[n] >= 0]
            listed = np.sum([rows[n].sample.parts for n in own], axis=0)
            middle = np.median(list(fitted.values()), axis=0)
            rest = predict(np.maximum(row.sample.parts - listed, 0.0), middle)
            cycles[place] = sum(cycles[n] for n in own) + rest
    return cycles, kind


def _errors(compared: Sequence[Compared], predicted: Sequence[float]) -> Errors:
    errors = [abs(ms / one.measured_ms - 1) for one, ms in zip(compared, predicted, strict=True)]
    parts = [e for e, one in zip(errors, compared, strict=True) if not one.is_whole]
    whole = [e for e, one in zip(errors, compared, strict=True) if one.is_whole]
    return Errors(
        statistics.median(parts) if parts else None,
        max(parts, default=None),
        max(whole, default=None),
    )
