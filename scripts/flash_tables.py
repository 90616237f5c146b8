"""The tables of docs/explain/flash.md: linked images beside what is predicted for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from scripts.page_tables import Row, read_rows, with_tables
from tinyml_profiles.code_table import load_code

SHOWN = ("cortex-m4", "cmsis-nn", "newlib-nano")


def flash(page: Path, measurements: Path) -> str:
    """The page with its tables made anew."""
    rows = read_rows(measurements)
    return with_tables(page, [*_by_build(rows), "", *_images(rows), ""])


def _by_build(rows: Sequence[Row]) -> Iterator[str]:
    """Every core and library with images: how many, and how wrong."""
    yield "| core | kernels | texts of errors | code | images | median error | at most |"
    yield "|---|---|---|---|---|---|---|"
    builds = dict.fromkeys((row["core"], row["library"], row["is_stripped"]) for row in rows)
    for core, library, stripped in sorted(builds):
        table = load_code(library, core, stripped == "True")
        assert table is not None
        own = [
            row
            for row in rows
            if (row["core"], row["library"], row["is_stripped"]) == (core, library, stripped)
        ]
        errors = [abs(_error(row)) for row in own]
        linked = "linked" if table.evidence == "measured" else "scaled"
        yield (
            f"| {core} | {library} | {'no' if stripped == 'True' else 'yes'} | {linked} | "
            f"{len(own)} | {median(errors):.2%} | {max(errors):.2%} |"
        )


def _images(rows: Sequence[Row]) -> Iterator[str]:
    """The images of one build, one by one."""
    core, library, libc = SHOWN
    yield f"On {core} with {library} and {libc}, without the model:"
    yield ""
    yield "| image | operators | logging | linked bytes | predicted | error |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        if (row["core"], row["library"], row["libc"]) != SHOWN or row["is_stripped"] == "True":
            continue
        names = row["operators"].split()
        kind = "int8 kernels alone" if any("/" in name for name in names) else ""
        yield (
            f"| {row['model']} {kind}".rstrip()
            + f" | {len(names)} | {'yes' if row['is_logging'] == 'True' else 'no'} | "
            f"{int(row['code_bytes']):,} | {int(row['left_out_bytes']):,} | {_error(row):+.2%} |"
        )


def _error(row: Row) -> float:
    return int(row["left_out_bytes"]) / int(row["code_bytes"]) - 1
