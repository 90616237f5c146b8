"""Lines and tables of which reports are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from tinyml_cli.render.units import printable

BLANK = Text("")


def line(content: str, style: str = "") -> Text:
    """A line of text; names from files cannot steer the terminal."""
    return Text(printable(content), style)


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Iterable[int],
    unfolded: Iterable[int] = (),
    *,
    is_tight: bool = False,
) -> Table:
    """A table with the columns of `right` aligned to the right, those of `unfolded` on one line.

    A tight one has less space between its columns.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=is_tight)
    aligned, whole = set(right), set(unfolded)
    for index, heading in enumerate(headings):
        justify = "right" if index in aligned else "left"
        made.add_column(heading, justify=justify, overflow="fold", no_wrap=index in whole)
    for row in rows:
        made.add_row(*(line(cell) for cell in row))
    return made
