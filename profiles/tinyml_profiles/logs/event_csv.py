"""`MicroProfiler::LogCsv()` of TFLM: a heading, then `0,CONV_2D,1234` for each operator.

Source  tflite-micro micro_profiler.cc; older ones have a column of milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyml_profiles.logs.lines import Line
from tinyml_profiles.logs.records import Event, Log

_HEADING = re.compile(r'"?Event"?\s*,\s*"?Tag"?\s*,(?P<columns>.*)$', re.IGNORECASE)
_ROW = re.compile(
    r'(?P<index>\d{1,9})\s*,\s*"?(?P<tag>[^",]+)"?\s*,\s*(?P<first>-?\d{1,20})'
    r"(?:\s*,\s*(?P<second>-?\d{1,20}))?$"
)
_DEFAULT = ("ticks", "ms")


def read(lines: Sequence[Line], source: str) -> Log | None:
    """The log, or None if nothing of it is in this format."""
    columns: tuple[str, ...] = _DEFAULT
    events: list[Event] = []
    for line in lines:
        if (heading := _HEADING.search(line.text)) is not None:
            columns = _columns(heading["columns"])
        elif (row := _ROW.search(line.text)) is not None:
            events.append(_event(line, row, columns))
    return Log(source, "MicroProfiler CSV", events=events) if events else None


def _columns(text: str) -> tuple[str, ...]:
    return tuple(name.strip().strip('"').lower() for name in text.split(","))


def _event(line: Line, row: re.Match[str], columns: tuple[str, ...]) -> Event:
    numbers = [int(row[name]) for name in ("first", "second") if row[name] is not None]
    named = dict(zip(columns, numbers, strict=False))
    ticks = named.get("ticks", numbers[0])
    return Event(line.number, row["tag"].strip(), float(ticks), named.get("ms"))
