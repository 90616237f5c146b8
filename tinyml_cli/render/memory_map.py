"""The planned part of an arena as a drawing: a row for each operator, the bytes from left to right.

Every buffer has a letter and, where there is colour, a colour. With more operators than rows, a row
stands for several, and shows the fullest time of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from tinyml_cli.render.palette import NO_LETTER, colours, in_order, letters
from tinyml_cli.render.plan_attribution import buffer_name, place
from tinyml_cli.render.units import bytes_text, number, plural, printable
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.timeline import Moment, live_at, timeline

_NARROW, _FEWEST_ROWS, _ROWS_AROUND = 100, 32, 24
_WIDEST_LABEL, _LEAST_LABEL = 34, 22
_PEAK = " peak"
_FREE, _IN_COLOUR_FREE = ".", " "
_LEGEND_NARROW, _LEGEND_COLUMN = 8, 44


class MemoryMap:
    """Draws itself as wide as the terminal is, and in as many rows as it has room for."""

    def __init__(self, plan: ArenaPlan) -> None:
        """Draw the buffers of `plan`."""
        self._plan = plan
        self._letters = letters(plan.buffers)
        self._colours = colours(plan.buffers)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The drawing: a scale, the rows, the legend."""
        in_colour = console.color_system is not None and not console.no_color
        width = options.max_width
        rows = max(_FEWEST_ROWS, options.size.height - _ROWS_AROUND)
        moments = timeline(self._plan.buffers, self._plan.steps, rows)
        labels = [self._label(moment) for moment in moments]
        most = _LEAST_LABEL if width < _NARROW else _WIDEST_LABEL
        label_width = min(most, max(map(len, labels)))
        sizes = [number(moment.bytes) for moment in moments]
        size_width = max(map(len, sizes))
        columns = max(10, width - label_width - size_width - len(_PEAK) - 2)
        yield self._scale(label_width, columns)
        peak = max(moment.bytes for moment in moments)
        for moment, label, size in zip(moments, labels, sizes, strict=True):
            row = Text(f"{label[:label_width]:{label_width}} ", no_wrap=True, overflow="crop")
            row.append_text(self._cells(moment, columns, in_colour))
            is_peak = moment.bytes == peak
            row.append(f" {size:>{size_width}}", "bold" if is_peak else "")
            row.append(_PEAK if is_peak else "", "bold red")
            yield row
        yield self._legend(width, in_colour)

    def _label(self, moment: Moment) -> str:
        first, last, step = moment.first, moment.last, moment.step
        nodes = self._plan.nodes[step.subgraph]
        operator = nodes[step.node].operator if nodes else "(no operator)"
        label = place(first.subgraph, first.node)
        if last != first:
            label += f"-{place(last.subgraph, last.node)}"
        return printable(f"{label:>3} {operator}")

    def _scale(self, indent: int, columns: int) -> Text:
        end = bytes_text(self._plan.plan.bytes)
        return Text(f"{'node':{indent}} 0{end:>{columns - 1}}  in use", "dim", no_wrap=True)

    def _cells(self, moment: Moment, columns: int, in_colour: bool) -> Text:
        row = Text()
        for owner, run in groupby(self._owners(moment, columns)):
            length = sum(1 for _ in run)
            if owner is None:
                row.append((_IN_COLOUR_FREE if in_colour else _FREE) * length)
            elif in_colour:
                style = f"black on {self._colours[owner]}"
                row.append(f"{self._letters[owner]:{length}}", style)
            else:
                row.append(self._letters[owner] * length)
        return row

    def _owners(self, moment: Moment, columns: int) -> list[int | None]:
        """Of each column, the buffer to which most of its bytes belong."""
        owners: list[int | None] = [None] * columns
        covered = [0] * columns
        plan = self._plan
        total = max(plan.plan.bytes, 1)
        for live in live_at(plan.buffers, moment.time):
            begin = plan.plan.offsets[live] * columns
            end = begin + plan.buffers[live].request.bytes * columns
            for column in range(begin // total, -(-end // total)):
                part = min(end, (column + 1) * total) - max(begin, column * total)
                if part > covered[column]:
                    owners[column], covered[column] = live, part
        return owners

    def _legend(self, width: int, in_colour: bool) -> Table:
        named = [one for one in in_order(self._plan.buffers) if self._letters[one] != NO_LETTER]
        left_out = len(self._plan.buffers) - len(named)
        if width < _NARROW and len(named) > _LEGEND_NARROW:
            largest = sorted(named, key=lambda one: -self._plan.buffers[one].bytes)
            shown = set(largest[:_LEGEND_NARROW])
            left_out += len(named) - len(shown)
            named = [one for one in named if one in shown]
        columns = max(1, width // _LEGEND_COLUMN)
        legend = Table.grid(padding=(0, 2, 0, 0))
        for _ in range(columns):
            legend.add_column(no_wrap=True, overflow="ellipsis", max_width=width // columns - 2)
        sizes = max((len(number(self._plan.buffers[one].bytes)) for one in named), default=0)
        entries = [self._entry(one, sizes, in_colour) for one in named]
        if left_out:
            entries.append(Text(f"  ... {plural(left_out, 'smaller buffer')}"))
        for row in _rows(entries, columns):
            legend.add_row(*row)
        return legend

    def _entry(self, one: int, size_width: int, in_colour: bool) -> Text:
        buffer = self._plan.buffers[one]
        style = f"black on {self._colours[one]}" if in_colour else ""
        text = f" {number(buffer.bytes):>{size_width}}  {buffer_name(buffer, self._plan)}"
        return Text.assemble((self._letters[one], style), printable(text))


def _rows(entries: Sequence[Text], columns: int) -> Iterator[Sequence[Text]]:
    """The entries from top to bottom, column by column."""
    height = -(-len(entries) // columns)
    for row in range(height):
        yield entries[row::height]
