"""What changed since a former report."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from tinyml_cli.fitting.baseline import Change
from tinyml_cli.render.parts import line, table
from tinyml_cli.render.units import number
from tinyml_profiles.amounts import amount

_NONE = "none"


def changes(found: Sequence[Change]) -> list[RenderableType]:
    """A line for each figure that changed."""
    if not found:
        return [line("nothing changed since the baseline")]
    rows = [
        (
            change.model,
            change.board,
            f"{change.what}, {change.unit}" if change.unit else change.what,
            value(change.before),
            value(change.after),
            difference(change),
        )
        for change in found
    ]
    names = ("model", "board", "changed", "before", "after", "by")
    return [
        line("Changed since the baseline:", "bold"),
        table(names, rows, (3, 4, 5), (2, 3, 4, 5)),
    ]


def value(figure: float | str | None) -> str:
    """A figure of either report as it is, `none` where there is none."""
    if figure is None:
        return _NONE
    if isinstance(figure, str):
        return figure
    return number(figure) if isinstance(figure, int) else amount(figure)


def difference(change: Change) -> str:
    """`+1,024`; nothing where a side is no number."""
    before, after = change.before, change.after
    if not isinstance(before, int | float) or not isinstance(after, int | float):
        return ""
    by = after - before
    sign = "+" if by > 0 else "-"
    return sign + (number(abs(by)) if isinstance(by, int) else amount(abs(by)))
