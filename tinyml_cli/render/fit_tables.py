"""`tinyml fit` as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from tinyml_cli.fitting.report import BoardFit, FitReports, ModelFits
from tinyml_cli.render.parts import BLANK, line, table
from tinyml_cli.render.units import kibibytes, microjoules, number, percent, plural, whole_percent
from tinyml_profiles.amounts import amount, milliseconds
from tinyml_profiles.fit_report import (
    ENERGY,
    FITS,
    FLASH,
    LATENCY,
    RAM,
    UNKNOWN,
    FitReport,
    Need,
)

if TYPE_CHECKING:
    from tinyml_cli.fitting.baseline import Change

_STYLES = {FITS: "bold green", UNKNOWN: "bold yellow"}
_ANSWERS = {FITS: "yes", UNKNOWN: "?"}


def fit(reports: FitReports, by: str | None) -> list[RenderableType]:
    """One model on one board in full; several as a table for each model."""
    parts: list[RenderableType] = []
    for model in reports.models:
        if len(model.boards) == 1:
            parts += _one(model, model.boards[0])
        else:
            parts += _several(model, is_survey=reports.is_survey)
        if by is not None:
            for board in model.boards:
                parts += _kernels(board.report)
        parts.append(BLANK)
    if reports.changes is not None:
        parts += [*_changes(reports.changes), BLANK]
    return parts[:-1]


def check(reports: FitReports) -> list[RenderableType]:
    """What is broken, a line each; one line where nothing is."""
    broken = [
        f"{model.name} on {board.report.target.name}: {problem}"
        for model in reports.models
        for board in model.boards
        for problem in (*board.report.refused, *board.report.problems)
    ]
    pairs = sum(len(model.boards) for model in reports.models)
    parts: list[RenderableType] = [line(text, "red") for text in broken]
    if not broken:
        models = plural(len(reports.models), "model")
        parts = [line(f"all within limits: {models}, {plural(pairs, 'check')}", "bold green")]
    if reports.changes is not None:
        parts += [BLANK, *_changes(reports.changes)]
    return parts


def _one(model: ModelFits, board: BoardFit) -> Iterator[RenderableType]:
    report = board.report
    target = report.target
    yield line(
        f"{model.model.path} on {target.name} ({target.title}), {report.library} kernels", "bold"
    )
    yield line(_verdict(report), _STYLES.get(report.verdict, "bold red"))
    for text in (*report.refused, *report.problems):
        yield line(f"  {text}")
    if report.needs:
        yield BLANK
        yield _needs(report)
        yield from _parts(report)
    yield from (line(f"note: {note}") for note in report.notes)
    yield from _remedies(board)


def _verdict(report: FitReport) -> str:
    if report.refused:
        return "does not load"
    need = report.binding
    if need is None or need.margin is None or report.verdict == UNKNOWN:
        return report.verdict
    if report.fits:
        return f"{report.verdict}; {need.name} is the tightest, with {percent(need.margin)} left"
    return f"{report.verdict}: {need.name} by {percent(-need.margin)}"


def _needs(report: FitReport) -> RenderableType:
    rows = [
        (need.name, _needed(need), _limit(need), _left(need), need.evidence)
        for need in report.needs
    ]
    return table(("", "needed", "of", "left", "evidence"), rows, (1, 2, 3))


def _needed(need: Need) -> str:
    if need.needed is None:
        return UNKNOWN if need.least is None else f"over {_amount(need.least, need.unit)}"
    text = _amount(need.needed, need.unit)
    return text if need.high is None else f"{text} (to {_amount(need.high, need.unit)})"


def _limit(need: Need) -> str:
    if need.limit is None:
        return UNKNOWN if need.is_limited else ""
    text = _amount(need.limit, need.unit)
    return f"{text} budget" if need.limit == need.budget else text


def _left(need: Need) -> str:
    return "" if need.margin is None else percent(need.margin)


def _amount(value: float, unit: str) -> str:
    if unit == "bytes":
        return kibibytes(int(value))
    return milliseconds(value) if unit == "ms" else microjoules(value)


def _several(model: ModelFits, *, is_survey: bool) -> Iterator[RenderableType]:
    yield line(f"{model.model.path}: {_count(model)}", "bold")
    yield from _refusals(model) if model.loads_nowhere else _rows(model)
    if is_survey:
        yield line("--board NAME says more about one of them")
        return
    for board in model.boards:
        name, report = board.report.target.name, board.report
        refused = () if model.loads_nowhere else report.refused
        yield from (line(f"{name}: {text}") for text in (*refused, *report.problems))
        yield from _remedies(board)


def _refusals(model: ModelFits) -> Iterator[RenderableType]:
    """Why no board's kernels take the model, each reason once."""
    yield line("does not load", "bold red")
    reasons = dict.fromkeys(text for board in model.boards for text in board.report.refused)
    yield from (line(f"  {text}") for text in reasons)


def _rows(model: ModelFits) -> Iterator[RenderableType]:
    yield BLANK
    rows = [_row(board.report) for board in model.boards]
    names = ("board", "fits", "RAM\nleft", "flash\nleft", "ms", "mJ", "tightest")
    yield table(names, rows, (2, 3, 4, 5), (0, 1, 6), is_tight=True)
    if any("?" in row for row in rows):
        yield line("? is unknown")


def _count(model: ModelFits) -> str:
    fitting = sum(board.report.fits for board in model.boards)
    return f"fits {fitting} of {plural(len(model.boards), 'board')}"


def _row(report: FitReport) -> Sequence[str]:
    binding = report.binding
    return (
        report.target.name,
        _ANSWERS.get(report.verdict, "no"),
        *(_left_of(report.need(name)) for name in (RAM, FLASH)),
        _figure(report.need(LATENCY), 1.0),
        _figure(report.need(ENERGY), 1e3),
        "" if binding is None else binding.name,
    )


def _left_of(need: Need | None) -> str:
    return "?" if need is None or need.margin is None else whole_percent(need.margin)


def _figure(need: Need | None, divisor: float) -> str:
    return "?" if need is None or need.needed is None else amount(need.needed / divisor)


def _parts(report: FitReport) -> Iterator[RenderableType]:
    """What RAM and flash are made of, in bytes, and what is not in them."""
    if report.ram is not None:
        yield line(f"RAM    {_sum([(part.name, part.bytes) for part in report.ram.parts])}")
        yield line(f"       not in it: {', '.join(report.ram.not_contained)}")
    flash = report.flash
    if flash is not None:
        parts = [
            ("model", flash.model_bytes),
            ("interpreter", flash.core_bytes),
            ("kernels", flash.kernel_bytes),
            (report.library, flash.library_bytes),
            ("C libraries", flash.libc_bytes),
            ("logging", flash.logging_bytes),
        ]
        yield line(f"flash  {_sum([part for part in parts if part[1] != 0])}")
        yield line(f"       not in it: {', '.join(flash.not_contained)}")


def _sum(parts: Sequence[tuple[str, int | None]]) -> str:
    return " + ".join(f"{name} {UNKNOWN if size is None else number(size)}" for name, size in parts)


def _kernels(report: FitReport) -> Iterator[RenderableType]:
    """The code bytes of every operator."""
    if report.flash is None:
        return
    rows = [
        (
            kernel.operator,
            _code(kernel.own_bytes),
            _code(kernel.shared_bytes),
            _code(kernel.bytes),
        )
        for kernel in report.flash.kernels
    ]
    yield BLANK
    yield line(f"{report.target.name}: bytes of code", "bold")
    yield table(("operator", "its own", "shared", "in all"), rows, (1, 2, 3))
    yield line("what is shared counts in every operator that needs it")


def _code(count: int | None) -> str:
    return UNKNOWN if count is None else number(count)


def _remedies(board: BoardFit) -> Iterator[RenderableType]:
    if board.remedies is None:
        return
    from tinyml_cli.render.fit_remedies import remedies

    yield BLANK
    yield from remedies(board.remedies, board.report.target.name)


def _changes(found: Sequence[Change]) -> list[RenderableType]:
    from tinyml_cli.render.fit_changes import changes

    return changes(found)
