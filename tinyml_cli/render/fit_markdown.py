"""`tinyml fit` as Markdown, for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_cli.fitting.report import FitReports, ModelFits
from tinyml_cli.render.fit_changes import difference, value
from tinyml_cli.render.units import kibibytes, microjoules, printable
from tinyml_profiles.amounts import milliseconds
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

_ANSWERS = {FITS: "yes", UNKNOWN: "unknown"}


def fit(reports: FitReports) -> str:
    """A table of all models and boards, what stands against, what changed."""
    return "\n".join(_lines(reports))


def _lines(reports: FitReports) -> Iterator[str]:
    yield "### tinyml fit: " + ("all fit" if reports.is_yes else "does not fit")
    yield ""
    yield "| model | board | fits | RAM | flash | latency | energy |"
    yield "|---|---|---|---|---|---|---|"
    for model in reports.models:
        for board in model.boards:
            yield _row(model, board.report)
    problems = [
        f"- {_code(model.name)} on {_code(board.report.target.name)}: {_code(problem)}"
        for model in reports.models
        for board in model.boards
        for problem in (*board.report.refused, *board.report.problems)
    ]
    if problems and not reports.is_survey:
        yield from ("", *problems)
    if reports.changes is not None:
        yield from _changes(reports)


def _row(model: ModelFits, report: FitReport) -> str:
    cells = [
        _in_cell(model.name),
        _in_cell(report.target.name),
        _ANSWERS.get(report.verdict, "**no**"),
        *(_cell(report.need(name)) for name in (RAM, FLASH, LATENCY, ENERGY)),
    ]
    return f"| {' | '.join(cells)} |"


def _cell(need: Need | None) -> str:
    if need is None or need.needed is None:
        return UNKNOWN
    text = _amount(need.needed, need.unit)
    return text if need.limit is None else f"{text} of {_amount(need.limit, need.unit)}"


def _amount(figure: float, unit: str) -> str:
    if unit == "bytes":
        return kibibytes(int(figure))
    return milliseconds(figure) if unit == "ms" else microjoules(figure)


def _changes(reports: FitReports) -> Iterator[str]:
    yield ""
    if not reports.changes:
        yield "Nothing changed since the baseline."
        return
    yield "| model | board | changed | before | after | by |"
    yield "|---|---|---|---|---|---|"
    for change in reports.changes:
        cells = [
            _in_cell(change.model),
            _in_cell(change.board),
            f"{change.what}, {change.unit}" if change.unit else change.what,
            _in_cell(value(change.before)),
            _in_cell(value(change.after)),
            difference(change),
        ]
        yield f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Text that may be from a file, as code: nothing in it becomes markup, a link or a mention."""
    return f"`{printable(text).replace('`', chr(39)).replace(chr(10), ' ')}`"


def _in_cell(text: str) -> str:
    """The same in a table, whose cells end at a bar."""
    return _code(text).replace("|", "\\|")
