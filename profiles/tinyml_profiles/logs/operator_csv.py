"""A table of one's own: an operator and its time in each row, in the order in which they run.

The heading names the columns (`operator`, `op`, `tag`, `layer` or `name`; `us`, `microseconds`,
`ms`, `cycles` or `ticks`). Without one the first column is the operator, the second microseconds.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence

from tinyml_profiles.logs.lines import Line
from tinyml_profiles.logs.records import Event, Log

_NAMES = ("operator", "op", "optype", "opname", "tag", "kernel", "layer", "name")
_TIMES = {
    "us": "us",
    "µs": "us",
    "usec": "us",
    "timeus": "us",
    "latencyus": "us",
    "microsecond": "us",
    "microseconds": "us",
    "ms": "ms",
    "timems": "ms",
    "latencyms": "ms",
    "milliseconds": "ms",
    "cycles": "cycles",
    "ticks": None,
    "time": None,
}
_OPERATOR = re.compile(r"[A-Za-z_][\w :./-]*$")
_UNHEADED = (
    "a table without a heading is taken as operators and microseconds; --unit says otherwise"
)


def read(lines: Sequence[Line], source: str) -> Log | None:
    """The log, or None if nothing of it is in this format."""
    rows = [(line.number, _cells(line.text)) for line in lines if not line.text.startswith("#")]
    rows = [(number, cells) for number, cells in rows if len(cells) > 1]
    if not rows:
        return None
    place = _heading(rows[0][1])
    name, time, unit = place or (0, 1, "us")
    events = [
        Event(number, cells[name], ticks)
        for number, cells in rows[bool(place) :]
        if len(cells) > max(name, time)
        and _OPERATOR.match(cells[name])
        and (ticks := _number(cells[time])) is not None
    ]
    if not events:
        return None
    return Log(
        source,
        "table of operators",
        events=events,
        unit=unit,
        notes=() if place else (_UNHEADED,),
        may_be_sums=True,
    )


def _cells(text: str) -> list[str]:
    delimiter = next((mark for mark in ("\t", ";", ",") if mark in text), ",")
    try:
        (row,) = csv.reader([text], delimiter=delimiter)
    except (csv.Error, ValueError):
        return []
    return [cell.strip() for cell in row]


def _heading(cells: Sequence[str]) -> tuple[int, int, str | None] | None:
    """The places of operator and time, and the unit of the times; None where it is no heading."""
    plain = [re.sub(r"[^a-zµ]", "", cell.lower()) for cell in cells]
    name = next((place for word in _NAMES for place, cell in enumerate(plain) if cell == word), -1)
    time = next((place for word in _TIMES for place, cell in enumerate(plain) if cell == word), -1)
    if name < 0 or time < 0:
        return None
    return name, time, _TIMES[plain[time]]


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if abs(value) < 1e20 else None
