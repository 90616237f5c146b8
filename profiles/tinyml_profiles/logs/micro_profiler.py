"""`MicroProfiler::Log()` of TFLM: `CONV_2D took 1234 ticks (1 ms).`, one line for each operator.

Source  tflite-micro micro_profiler.cc; older ports print no full stop, no milliseconds, or a unit
        where it says ticks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyml_profiles.logs.lines import Line
from tinyml_profiles.logs.records import Event, Log

_TOOK = re.compile(
    r"(?P<tag>\S+) took (?P<ticks>-?\d{1,20}) (?P<unit>ticks|cycles|us|ms)\b"
    r"(?: \((?P<ms>-?\d{1,20}) ?ms\))?"
)


def read(lines: Sequence[Line], source: str) -> Log | None:
    """The log, or None if nothing of it is in this format."""
    found = [(line, match) for line in lines if (match := _TOOK.search(line.text))]
    if not found:
        return None
    units = {match["unit"] for _, match in found}
    events = [
        Event(
            line.number,
            match["tag"].strip('"'),
            float(match["ticks"]),
            None if match["ms"] is None else int(match["ms"]),
        )
        for line, match in found
    ]
    unit = units.pop() if len(units) == 1 else "ticks"
    return Log(source, "MicroProfiler lines", events=events, unit=None if unit == "ticks" else unit)
