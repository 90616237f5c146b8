"""Hold the parts of linked images against whole images, and write what is left over.

    python profiles/fit/fit_flash.py TRUTH              errors, image by image
    python profiles/fit/fit_flash.py TRUTH --write      write data/code/*.csv and flash.csv too

TRUTH is a folder with image_size_*.csv. The parts in `data/code/*.csv` were measured: TFLM was
linked for every operator alone, with the compilers, flags and revisions that the tables name, and
what linkers' maps list was cut where operators share it. Tables that are `derived` have parts of a
core like theirs, scaled by the sizes of objects that were compiled for both.

Start-up code and `main` of the images are not those that the parts were linked with: they differ
by some bytes, the same for all images of a core. That is the only figure that is taken from the
images; the error that is printed and written is that of an image whose own difference did not
enter.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "profiles" / "fit")]

from flash_images import LinkedImage, read_images  # noqa: E402

from tinyml_profiles.code_table import CodeTable, code_builds, load_code  # noqa: E402

DATA = ROOT / "profiles" / "tinyml_profiles" / "data"
IMAGES = DATA / "measurements" / "flash.csv"
START = "start-up code and what the linker merges"
# Of a library that no image was linked with, on a core with images, and on one without.
OTHER_LIBRARY_ERROR = 0.015
OTHER_CORE_ERROR = 0.03
# Whose images tell how large the start-up code is, where a core has none.
NEAR = {"cortex-m3": "cortex-m0", "cortex-m33": "cortex-m4"}
COLUMNS = (
    "model,core,library,libc,is_stripped,is_logging,operators,model_bytes,code_bytes,ram_bytes,"
    "predicted_bytes,left_out_bytes,source"
)


class Compared(NamedTuple):
    """A table, and by how much each measured image of its core is larger than its parts.

    `is_stripped` is for builds without the texts of errors.
    """

    table: CodeTable
    is_stripped: bool
    differences: Mapping[LinkedImage, int]


def main() -> None:
    """Compare, and perhaps write, as the command line says."""
    parser = argparse.ArgumentParser(description="Hold parts of images against whole ones.")
    parser.add_argument("truth", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    images = [image for image in read_images(options.truth) if _is_alike(image)]
    found = [_compared(table, is_stripped, images) for table, is_stripped in _tables()]
    rows = [row for each in found for row in _rows(each, found)]
    if options.write:
        for each in found:
            _write(each, found)
        IMAGES.write_text("\n".join([COLUMNS, *rows]) + "\n", newline="\n")


def _is_alike(image: LinkedImage) -> bool:
    """Whether an image is built as the tables are: for RISC-V all of it with -O2."""
    return not (image.is_stripped and image.core.startswith("rv32"))


def _tables() -> list[tuple[CodeTable, bool]]:
    builds = sorted(code_builds(), key=lambda build: (build[1], build[0], build[2]))
    found = ((load_code(*build), build[2]) for build in builds)
    return [(table, is_stripped) for table, is_stripped in found if table is not None]


def _compared(table: CodeTable, is_stripped: bool, images: Iterable[LinkedImage]) -> Compared:
    build = table.core, table.library, is_stripped
    own = [one for one in images if (one.core, one.library, one.is_stripped) == build]
    differences = {one: one.code_bytes - _sum_of_parts(table, one) for one in own}
    return Compared(table, is_stripped, differences)


def _sum_of_parts(table: CodeTable, image: LinkedImage) -> int:
    parts = (part for part in table.linked(image.roots) if part.name != START)
    return sum(part.flash_bytes[image.libc] for part in parts)


def _start_up(each: Compared, found: Sequence[Compared], without: LinkedImage | None = None) -> int:
    """By how much images of a core differ, whatever is in them: the median, `without` one.

    Those of a build without texts of errors, where such images are known.
    """
    core = NEAR.get(each.table.core, each.table.core)
    for is_stripped in (each.is_stripped, False):
        known = [
            difference
            for other in found
            if (other.table.core, other.is_stripped) == (core, is_stripped)
            for image, difference in other.differences.items()
            if without is None or image.model != without.model
        ]
        if known:
            return round(statistics.median(known))
    return 0


def _rows(each: Compared, found: Sequence[Compared]) -> list[str]:
    """A line for each image: what is predicted for it, with and without itself."""
    rows: list[str] = []
    for image, difference in each.differences.items():
        sum_of_parts = image.code_bytes - difference
        predicted = sum_of_parts + _start_up(each, found)
        left_out = sum_of_parts + _start_up(each, found, image)
        print(
            f"{image.model:28.28} {image.core:12} {image.library:9} {image.libc:12} "
            f"{'log' if image.is_logging else '':4} {image.code_bytes:7} {left_out:7} "
            f"{left_out / image.code_bytes - 1:+.2%}"
        )
        what = image.model, image.core, image.library, image.libc
        built = image.is_stripped, image.is_logging, " ".join(image.operators)
        measured = image.model_bytes, image.code_bytes, image.ram_bytes
        fields = (*what, *built, *measured, predicted, left_out, image.source)
        rows.append(",".join(map(str, fields)))
    return rows


def _error(each: Compared, found: Sequence[Compared]) -> float:
    """The largest error of an image of that core that did not enter; more where it has none."""
    core = each.table.core
    errors = [
        abs(difference - _start_up(each, found, image)) / image.code_bytes
        for image, difference in each.differences.items()
    ]
    return max(errors, default=OTHER_CORE_ERROR if core in NEAR else OTHER_LIBRARY_ERROR)


def _write(each: Compared, found: Sequence[Compared]) -> None:
    table = each.table
    ending = "-stripped" if each.is_stripped else ""
    path = DATA / "code" / f"{table.library}-{table.core}{ending}.csv"
    text = path.read_text("utf-8")
    start = _start_up(each, found)
    figures = [*[start] * len(table.libcs), *[0] * len(table.libcs)]
    line = f"core,{START},{','.join(map(str, figures))},*"
    text = re.sub(rf"^core,{START},.*$", line, text, flags=re.M)
    text = re.sub(r"^# error: .*$", f"# error: {_error(each, found):.4f}", text, flags=re.M)
    path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
