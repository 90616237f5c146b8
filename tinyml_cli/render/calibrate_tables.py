"""`tinyml calibrate` as tables for people."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from tinyml_cli.calibrating.calibrate_models import CalibrateReport
from tinyml_cli.render.parts import BLANK, line, table
from tinyml_cli.render.units import (
    factor,
    fixed_milliseconds,
    megahertz,
    percent,
    plural,
    signed_percent,
)
from tinyml_profiles.amounts import milliseconds
from tinyml_profiles.calibration.report import CalibrationReport, Compared, Errors, Fitted, Run

_MEANINGS = {
    "core": "executing instructions",
    "fetch": "waiting for code",
    "weights": "waiting for weights",
    "arena": "waiting for the arena",
    "operator_cycles": "cycles of each operator",
}


def calibration(report: CalibrateReport) -> list[RenderableType]:
    """What was measured, the errors before and after, the factors, every operator."""
    found = report.calibration
    written = [] if report.written is None else [line(f"{report.written}: written", "bold green")]
    return [
        line(_heading(found), "bold"),
        *(line(_run(run)) for run in found.runs),
        BLANK,
        _errors(found),
        BLANK,
        _parameters(found.parameters),
        BLANK,
        *_interval(found),
        _measurements(found),
        *written,
        *(line(f"note: {note}") for note in found.notes),
    ]


def _heading(found: CalibrationReport) -> str:
    return (
        f"{found.target.name} ({found.target.title}), {found.library} kernels at "
        f"{megahertz(found.clock_hz)}"
    )


def _run(run: Run) -> str:
    measured = run.measurement
    return (
        f"{measured.source}: {plural(measured.invocations, 'invocation')} of {run.name}, "
        f"{milliseconds(measured.total_ms)} ({measured.format}; ticks: {measured.unit})"
    )


def _errors(found: CalibrationReport) -> RenderableType:
    rows = [("before", found.before), ("after", found.after)]
    if found.left_out is not None:
        rows.append((f"each {found.left_out_is} left out", found.left_out))
    names = ("error", "operators, median", "operators, worst", "whole, worst")
    return table(names, [(name, *_error_cells(errors)) for name, errors in rows], (1, 2, 3))


def _error_cells(errors: Errors) -> tuple[str, ...]:
    values = (errors.median, errors.worst, errors.whole)
    return tuple("" if value is None else percent(value) for value in values)


def _interval(found: CalibrationReport) -> list[RenderableType]:
    """The 90 % interval around a latency, as it was and as it is."""
    before, after = found.interval_before, found.interval
    if before is None or after is None:
        return []
    text = f"90 % interval: {signed_percent(after.low - 1)} to {signed_percent(after.high - 1)}"
    if before == after:
        return [line(f"{text}, as before: too little was left out to tell"), BLANK]
    was = f"{signed_percent(before.low - 1)} to {signed_percent(before.high - 1)}"
    return [line(f"{text}; before {was}"), line(f"from {after.of}"), BLANK]


def _parameters(parameters: Sequence[Fitted]) -> RenderableType:
    rows = [
        (
            one.name,
            _MEANINGS[one.name],
            factor(one.before.value),
            factor(one.after) if one.is_fitted else "as before",
        )
        for one in parameters
    ]
    return table(("calibration", "of", "before", "after"), rows, (2, 3))


def _measurements(found: CalibrationReport) -> RenderableType:
    several = len({one.model for one in found.compared}) > 1
    rows = [(*((one.model,) if several else ()), one.name, *_times(one)) for one in found.compared]
    names = ("operator", "measured ms", "before", "error", "after", "error")
    first = 2 if several else 1
    return table((*(("model",) if several else ()), *names), rows, range(first, first + 5))


def _times(one: Compared) -> tuple[str, ...]:
    return (
        fixed_milliseconds(one.measured_ms),
        fixed_milliseconds(one.before_ms),
        signed_percent(one.before_ms / one.measured_ms - 1),
        fixed_milliseconds(one.after_ms),
        signed_percent(one.after_ms / one.measured_ms - 1),
    )
