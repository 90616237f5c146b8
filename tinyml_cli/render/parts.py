"""Lines and tables of which reports are made."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from tinyml_cli.render.units import printable

BLANK = Text("")
# A label with two spaces behind it, or only spaces: what follows is a column of its own.
_LABEL = re.compile(r"\S* {2,}")


def line(content: str, style: str = "") -> RenderableType:
    """A line of text; names from files cannot steer the terminal.

    Where it is too long, it goes on below its first word behind a label, as in "flash  12 bytes".
    """
    label = _LABEL.match(content)
    text = _text(content, style)
    return text if label is None else _Labelled(text, label.end())


@dataclass(frozen=True, slots=True)
class _Labelled:
    """Text that is folded to the right of its first `indent` characters."""

    text: Text
    indent: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        label, rest = self.text.divide([self.indent])
        folded = rest.wrap(console, max(1, options.max_width - self.indent))
        for number, part in enumerate(folded):
            part.rstrip()
            yield (Text(" " * self.indent) if number else label) + part


def _text(content: str, style: str = "") -> Text:
    return Text(printable(content), style)


def table(
    headings: Sequence[str],
    rows: Iterable[Sequence[str]],
    right: Iterable[int],
    unfolded: Iterable[int] = (),
    *,
    is_tight: bool = False,
) -> Table:
    """A table with the columns of `right` aligned to the right, all of them numbers.

    Those are never folded, nor are the columns of `unfolded`. A tight table has less space between
    its columns.
    """
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=is_tight)
    aligned = set(right)
    whole = aligned.union(unfolded)
    for index, heading in enumerate(headings):
        made.add_column(
            heading,
            justify="right" if index in aligned else "left",
            # A number that is cut off must not look like another one.
            overflow="ellipsis" if index in whole else "fold",
            no_wrap=index in whole,
        )
    for row in rows:
        made.add_row(*(_text(cell) for cell in row))
    return made
