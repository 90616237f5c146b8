"""A calibrated target as a TOML file, each number with what it is from."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tinyml_profiles.calibration.report import CalibrationReport, Errors, Fitted


def target_toml(report: CalibrationReport, name: str, based_on: str, heading: str) -> str:
    """The file of the target `name`; `heading` is its first line, a comment.

    `based_on` is the board's name, or the path of its file from where the new one will be.
    """
    board = report.target.board
    title = report.target.title if board is None else board.title
    lines = [
        f"# {heading}",
        f"name = {_text(name)}",
        f"title = {_text(f'{title}, calibrated')}",
        f"based_on = {_text(based_on)}",
        f"library = {_text(report.library)}",
        'from = "measured"',
        f"ref = {_text(reference(report))}",
        "",
        "[clock]",
        f"core_hz = {report.clock_hz:.0f}",
        "",
        "[calibration]",
        *(_line(parameter) for parameter in report.parameters),
        *_interval(report),
    ]
    return "\n".join(lines) + "\n"


def reference(report: CalibrationReport) -> str:
    """What was measured, and how well the fit holds."""
    return "; ".join([*_runs(report), *_errors(report)])


def _runs(report: CalibrationReport) -> Iterator[str]:
    for run in report.runs:
        measured = run.measurement
        count = f"{measured.invocations} invocation{'s' if measured.invocations > 1 else ''}"
        yield (
            f"{measured.source} ({measured.format}, {count} of {run.name}, "
            f"sha256 {run.sha256[:16]})"
        )
    yield f"kernels {report.library} at {report.clock_hz / 1e6:g} MHz"


def _errors(report: CalibrationReport) -> Iterator[str]:
    stages = [("before", report.before), ("after", report.after)]
    if report.left_out is not None:
        stages.append((f"each {report.left_out_is} left out", report.left_out))
    for kind, pick in (("operators", _median), ("whole", _whole)):
        shown = [
            f"{stage} {value:.1%}" for stage, one in stages if (value := pick(one)) is not None
        ]
        if shown:
            yield f"error of {kind}: {', '.join(shown)}"


def _interval(report: CalibrationReport) -> Iterator[str]:
    """The end of the 90 % interval, where it is another one than before."""
    if report.interval is not None and report.interval != report.interval_before:
        value = f"value = {report.interval.high:.3f}"
        yield f'interval = {{ {value}, from = "derived", ref = {_text(report.interval.of)} }}'


def _median(errors: Errors) -> float | None:
    return errors.median


def _whole(errors: Errors) -> float | None:
    return errors.whole


def _line(parameter: Fitted) -> str:
    if parameter.is_fitted:
        return f"{parameter.name} = {_number(parameter.after)}"
    source = parameter.before
    return (
        f"{parameter.name} = {{ value = {_number(source.value)}, from = {_text(source.evidence)}, "
        f"ref = {_text(source.ref)} }}"
    )


def _number(value: float) -> str:
    return f"{value:.4g}" if value < 1e4 else f"{value:.0f}"


def _text(text: str) -> str:
    """A basic string of TOML, which takes JSON's escapes and no delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
