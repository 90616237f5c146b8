"""CSV: a row for each sample, or the rows of one sample."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tinyml_cli.inputs.paths import read_text
from tinyml_runtime import Array, InputError

_SEPARATORS = (",", ";", "\t")
Row = tuple[int, list[str]]


def read_csv(path: Path) -> tuple[Array, str | None]:
    """The numbers of a CSV file as [rows, columns], and a note where a header was left out.

    Values may be separated by commas, semicolons, tabs or blanks; '#' starts a comment. Where all
    are written as whole numbers, the array is int64, else float64.
    """
    rows = _rows(read_text(path))
    note = None
    if len(rows) > 1 and not any(_is_number(field) for field in rows[0][1]):
        note = f"{path}: line {rows[0][0]} is taken for a header"
        rows = rows[1:]
    if not rows:
        raise InputError(f"{path}: there are no numbers in it")
    _check_lengths(path, rows)
    return _numbers(path, rows), note


def _rows(text: str) -> list[Row]:
    lines = [
        (number, line.split("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1)
    ]
    lines = [(number, line) for number, line in lines if line]
    separator = next((s for s in _SEPARATORS if any(s in line for _, line in lines)), None)
    if separator is None:
        return [(number, line.split()) for number, line in lines]
    fields = csv.reader((line for _, line in lines), delimiter=separator)
    return [
        (number, [field.strip() for field in row])
        for (number, _), row in zip(lines, fields, strict=False)
    ]


def _check_lengths(path: Path, rows: Sequence[Row]) -> None:
    first, fields = rows[0]
    for number, row in rows:
        if len(row) != len(fields):
            raise InputError(
                f"{path}: line {number} has {len(row)} values, line {first} has {len(fields)}"
            )


def _numbers(path: Path, rows: Sequence[Row]) -> Array:
    try:
        return np.array([[int(field) for field in row] for _, row in rows], np.int64)
    except (ValueError, OverflowError):
        return np.array([_floats(path, row) for row in rows])


def _floats(path: Path, row: Row) -> list[float]:
    number, fields = row
    for position, field in enumerate(fields, 1):
        if not _is_number(field):
            raise InputError(f"{path}: line {number}, value {position}: '{field}' is no number")
    return [float(field) for field in fields]


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True
