"""Tables of a page that are made from a file of figures: between two marks, the rest stays."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

Row = Mapping[str, str]
_START, _END = "make_docs.py -->\n", "<!-- end -->"


def read_rows(measurements: Path) -> Sequence[Row]:
    """The rows of a CSV file by the names of its columns."""
    with measurements.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def with_tables(page: Path, lines: Sequence[str]) -> str:
    """The page with other lines between its marks."""
    before, start, rest = page.read_text(encoding="utf-8").partition(_START)
    _, end, after = rest.partition(_END)
    return "".join((before, start, "\n", "\n".join(lines), end, after))
