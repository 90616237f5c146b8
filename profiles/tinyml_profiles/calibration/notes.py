"""What should be known about a calibration beside its numbers."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from tinyml_profiles.amounts import milliseconds
from tinyml_profiles.calibration.report import CalibrationReport
from tinyml_profiles.plan import USUAL_LIBRARIES
from tinyml_profiles.profile import profile_model
from tinyml_profiles.target import Target
from tinyml_runtime.errors import TinymlError

# Predictions that are further off than this are of another build, not of another board.
_FAR = 1.8
_OFF = 0.3


def find_notes(report: CalibrationReport, plain: Target) -> Iterator[str]:
    """Notes of the logs, and what the fit could not do."""
    for run in report.runs:
        for note in run.measurement.notes:
            yield f"{run.measurement.source}: {note}"
    if report.unpredicted:
        yield f"not predicted, and left out: {', '.join(report.unpredicted)}"
    kept = [p.name for p in report.parameters if not p.is_fitted]
    if kept:
        yield f"the measurements do not tell {', '.join(kept)}: as before"
    if report.left_out is None:
        yield "one measurement: nothing can be left out to test the fit"
    elif (report.left_out.median or 0) > (report.before.median or 0):
        yield "what is left out is predicted worse than before: more logs or models would help"
    off = [
        f"{one.name} ({one.after_ms / one.measured_ms - 1:+.0%})"
        for one in report.compared
        if abs(one.after_ms / one.measured_ms - 1) > _OFF and not one.is_whole
    ]
    if off:
        yield f"still far off: {', '.join(off[:6])}" + (" and more" if len(off) > 6 else "")
    yield from _other_build(report, plain)


def _other_build(report: CalibrationReport, plain: Target) -> Iterator[str]:
    """A log far from the prediction may be of other kernels, or of a build for debugging."""
    ratios = [one.measured_ms / one.before_ms for one in report.compared]
    ratio = statistics.median(ratios)
    if 1 / _FAR < ratio < _FAR:
        return
    text = f"measured is {ratio:.2g} times predicted: another build than {report.library} at -O2?"
    run = report.runs[0]
    for library in USUAL_LIBRARIES.get(plain.core.abi, ()):
        if library == report.library:
            continue
        try:
            other = profile_model(run.model, plain, library, clock_hz=report.clock_hz)
        except TinymlError:
            continue  # that library does not run the model
        total = other.total.latency_ms
        if total is not None and 1 / _FAR < run.measurement.total_ms / total < _FAR:
            text += f" --kernels {library} predicts {milliseconds(total)}"
    yield text
