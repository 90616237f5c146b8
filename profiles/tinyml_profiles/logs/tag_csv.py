"""`MicroProfiler::LogTicksPerTagCsv()` of TFLM: the sum of each tag, `CONV_2D, 1234`.

Source  tflite-micro micro_profiler.cc. generic_benchmark prints one of what happens before the
        model runs as well, whose tags are no operators.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyml_profiles.logs.lines import Line
from tinyml_profiles.logs.records import Log, TagTotal

_HEADING = re.compile(r'"?Unique Tag"?\s*,', re.IGNORECASE)
_ROW = re.compile(r'(?P<tag>[^",]+?)"?\s*,\s*(?P<ticks>-?\d{1,20})$')
_LAST = re.compile(r'"?total number of ticks"?\s*,', re.IGNORECASE)


def read(lines: Sequence[Line], source: str) -> Log | None:
    """The log, or None if nothing of it is in this format."""
    tables: list[list[TagTotal]] = []
    is_inside = False
    for line in lines:
        if _HEADING.search(line.text):
            is_inside = True
            tables.append([])
        elif _LAST.search(line.text):
            is_inside = False
        elif is_inside and (row := _ROW.search(line.text)) is not None:
            tables[-1].append(TagTotal(line.number, row["tag"].strip(), float(row["ticks"])))
    return _sum(tables, source)


def _sum(tables: Sequence[Sequence[TagTotal]], source: str) -> Log | None:
    """Tables of the model's operators, each of an invocation: the mean of each tag."""
    tables = [table for table in tables if any(_is_operator(total.tag) for total in table)]
    if not tables:
        return None
    sums: dict[str, TagTotal] = {}
    for table in tables:
        for total in table:
            before = sums.get(total.tag)
            ticks = total.ticks / len(tables) + (before.ticks if before else 0.0)
            sums[total.tag] = TagTotal(before.line if before else total.line, total.tag, ticks)
    return Log(source, "MicroProfiler sums by tag", totals=list(sums.values()))


def _is_operator(tag: str) -> bool:
    """What TFLM's own code measures beside operators has the name of a function."""
    return "::" not in tag
