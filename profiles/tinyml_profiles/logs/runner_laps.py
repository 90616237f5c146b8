"""Laps of the runner of MLPerf Tiny and EEMBC: two lines `m-lap-us-<n>` around some invocations."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyml_profiles.logs.lines import Line
from tinyml_profiles.logs.records import Lap, Log
from tinyml_runtime.errors import InputError

_MARK = re.compile(
    r"(?:m-infer-start-(?P<count>\d{1,9}))|(?:m-lap-(?P<unit>us|cycles)-(?P<ticks>\d{1,20}))"
    r"|(?P<error>e-\[.*\])"
)
_WRAP = 2.0**32


def read(lines: Sequence[Line], source: str) -> Log | None:
    """The log, or None if nothing of it is in this format."""
    marks = [(line, match) for line in lines if (match := _MARK.search(line.text))]
    if not any(match["ticks"] for _, match in marks):
        return None
    laps = _started(marks) if any(match["count"] for _, match in marks) else _paired(marks)
    if not laps:
        errors = [match["error"] for _, match in marks if match["error"]]
        said = f" (the board says {errors[0]})" if errors else ""
        last = marks[-1][0].number
        raise InputError(f"{source}: line {last}: the log ends before the lap does{said}")
    unit = next(match["unit"] for _, match in marks if match["unit"])
    return Log(source, "runner laps", laps=laps, unit=unit)


def _started(marks: Sequence[tuple[Line, re.Match[str]]]) -> list[Lap]:
    """The two marks after each start, which says how many invocations lie between."""
    laps: list[Lap] = []
    count, start = 0, None
    for line, match in marks:
        if match["count"] is not None:
            count, start = int(match["count"]), None
        elif match["ticks"] is not None and count:
            ticks = float(match["ticks"])
            if start is None:
                start = ticks
            else:
                laps.append(_lap(line, start, ticks, count))
                count = 0
    return laps


def _paired(marks: Sequence[tuple[Line, re.Match[str]]]) -> list[Lap]:
    timed = [(line, float(match["ticks"])) for line, match in marks if match["ticks"]]
    return [
        _lap(line, start, end, 1)
        for (_, start), (line, end) in zip(timed[::2], timed[1::2], strict=False)
    ]


def _lap(line: Line, start: float, end: float, count: int) -> Lap:
    return Lap(line.number, end - start if end >= start else end - start + _WRAP, count)
