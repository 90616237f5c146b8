"""Link TFLM operator by operator, hold the parts against linked images, and write both.

    python profiles/fit/fit_flash.py SOURCES OBJECTS TRUTH              errors, image by image
    python profiles/fit/fit_flash.py SOURCES OBJECTS TRUTH --write      write data/code/*.csv too
    ... --core cortex-m4 --library cmsis-nn --stripped                  only these

SOURCES has the folders tflm, cmsis, espnn and esptf at the commits in `code_objects.py`, OBJECTS is
where to compile (what is there stays), TRUTH has image_size_*.csv. Needs arm-none-eabi-g++ with
newlib and riscv64-unknown-elf-g++ with picolibc.

Start-up code and `main` of those images are not ours: they are smaller by some bytes, the same for
all images of a core. That is the only figure that is taken from the images; the error that is
printed and written is that of an image whose own difference did not enter.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "profiles" / "fit")]

from code_derived import derive, scale  # noqa: E402
from code_links import INTERPRETER, LIBCS, LOGGING, Linker, calls  # noqa: E402
from code_objects import (  # noqa: E402
    CHIPS,
    COMMITS,
    STRIP,
    Build,
    compile_all,
    compile_library,
    object_kind,
    run,
)
from code_parts import Part, image_bytes, measure, together  # noqa: E402
from flash_images import PICOLIBC, LinkedImage, read_images  # noqa: E402

DATA = ROOT / "profiles" / "tinyml_profiles" / "data"
CODE = DATA / "code"
IMAGES = DATA / "measurements" / "flash.csv"
START = "start-up code and what the linker merges"
# Of a library that no image was linked with, on a core with images.
OTHER_LIBRARY_ERROR = 0.015
OTHER_CORE_ERROR = 0.03
BUILDS = (
    ("cortex-m0", "reference"),
    ("cortex-m4", "reference"),
    ("cortex-m4", "cmsis-nn"),
    ("rv32imc", "reference"),
    ("rv32imc", "esp-nn"),
)
# Builds that nobody linked operator by operator, and the core whose parts are scaled for them.
DERIVED = {
    ("cortex-m3", "reference"): "cortex-m0",
    ("cortex-m7", "reference"): "cortex-m4",
    ("cortex-m7", "cmsis-nn"): "cortex-m4",
    ("cortex-m33", "reference"): "cortex-m4",
    ("cortex-m33", "cmsis-nn"): "cortex-m4",
    ("cortex-m55", "reference"): "cortex-m4",
    ("cortex-m55", "cmsis-nn"): "cortex-m4",
    ("rv32imafc", "reference"): "rv32imc",
    ("xtensa-lx106", "reference"): "rv32imc",
    ("xtensa-lx106", "esp-nn"): "rv32imc",
}
# Whose images tell how large the start-up code is, where a core has none.
NEAR = {"cortex-m3": "cortex-m0", "cortex-m33": "cortex-m4"}
HEAD = """# made by: profiles/fit/fit_flash.py
# from: {evidence}
# ref: {ref}
# error: {error:.4f}
# logging: {logging}
# operators: {operators}
"""
COLUMNS = (
    "model,core,library,libc,is_stripped,is_logging,operators,model_bytes,code_bytes,ram_bytes,"
    "predicted_bytes,left_out_bytes,source"
)


class Linked(NamedTuple):
    """A build, cut into parts, and by how much each measured image of its core is larger."""

    core: str
    library: str
    evidence: str
    ref: str
    parts: Sequence[Part]
    differences: Mapping[LinkedImage, int]


def main() -> None:
    """Link, compare and perhaps write, as the command line says."""
    options = _options()
    images = read_images(options.truth, dict(calls(options.sources)))
    images = [one for one in images if one.is_stripped == options.stripped]
    every = (*BUILDS, *DERIVED)
    chosen = [
        (core, library)
        for core, library in every
        if options.core in (None, core) and options.library in (None, library)
    ]
    # Those whose images tell how large the start-up code of the chosen ones is.
    cores = {NEAR.get(core, core) for core, _ in chosen}
    beside = [build for build in every if build[0] in cores and build not in chosen]
    found = [_link(core, library, images, options) for core, library in (*chosen, *beside)]
    wanted = found[: len(chosen)]
    rows = [row for linked in wanted for row in _compare(linked, found)]
    if options.write:
        for linked in wanted:
            _write(linked, found, options)
        _write_images(rows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("sources", "objects", "truth"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--core")
    parser.add_argument("--library")
    parser.add_argument("--stripped", action="store_true")
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def _link(
    core: str, library: str, images: Sequence[LinkedImage], options: argparse.Namespace
) -> Linked:
    base = DERIVED.get((core, library))
    build = _build(base or core, options)
    ref, evidence = _reference(build), "measured"
    if base is None:
        parts = _parts(build, library, lambda: compile_all(build, library))
    else:
        parts = _derived(build, core, library, options)
        ref = f"{ref}; scaled from {base} to {core} by the sizes of objects"
        if _has_own_library(core, library):
            ref += f"; {library} and the C library of {core} itself"
        evidence = "derived"
    own = [one for one in images if (one.core, one.library) == (core, library)]
    differences = {one: one.code_bytes - image_bytes(parts, one.roots, one.libc) for one in own}
    return Linked(core, library, evidence, ref, parts, differences)


def _build(core: str, options: argparse.Namespace) -> Build:
    folder = options.objects / f"{core}{_ending(options)}"
    return Build(options.sources, folder, CHIPS[core], STRIP if options.stripped else ())


def _derived(base: Build, core: str, library: str, options: argparse.Namespace) -> Sequence[Part]:
    """Parts with the objects of another core, scaled.

    A kernel library, and with it that of C, are the core's own where its code can be linked with
    the other's.
    """
    chip = CHIPS.get(core)
    if not _has_own_library(core, library):
        parts = _parts(base, library, lambda: compile_all(base, library))
        return derive(parts, base.chip, core, chip, options.truth)
    own = _build(core, options)

    def objects() -> list[Path]:
        all_of_base = compile_all(base, library)
        of_library = compile_library(own, library)
        replaced = {path.name for path in of_library}
        return [*of_library, *(path for path in all_of_base if path.name not in replaced)]

    parts = _parts(own, library, objects)
    return scale(parts, base.chip, core, options.truth)


def _ending(options: argparse.Namespace) -> str:
    return "-stripped" if options.stripped else ""


def _has_own_library(core: str, library: str) -> bool:
    """Whether a library compiled for `core` can be linked with objects for another one."""
    return core.startswith("cortex") and library != "reference"


def _parts(build: Build, library: str, compiled: Callable[[], list[Path]]) -> Sequence[Part]:
    """The parts of a build; those of a build that was cut before are read."""
    kept = build.out / f"{library}.json"
    if not kept.exists():
        build.out.mkdir(parents=True, exist_ok=True)
        objects = compiled()
        kinds = {path.name: object_kind(path) for path in objects}
        libcs = LIBCS if build.chip.is_arm else (PICOLIBC,)
        linkers = {libc: Linker(build, library, objects, libc) for libc in libcs}
        parts = measure(linkers, kinds)
        kept.write_text(
            json.dumps([{**asdict(part), "operators": sorted(part.operators)} for part in parts])
        )
    rows: list[dict[str, Any]] = json.loads(kept.read_text())
    return [
        Part(row["kind"], row["source"], frozenset(row["operators"]), row["flash"], row["ram"])
        for row in rows
    ]


def _start_up(linked: Linked, found: Iterable[Linked], without: LinkedImage | None = None) -> int:
    """By how much images of that core differ, whatever is in them: the median, `without` one."""
    near = NEAR.get(linked.core, linked.core)
    known = [
        difference
        for other in found
        if other.core == near
        for image, difference in other.differences.items()
        if without is None or image.model != without.model
    ]
    return round(statistics.median(known)) if known else 0


def _compare(linked: Linked, found: Sequence[Linked]) -> list[str]:
    """A line for each image: what was predicted for it, with and without itself."""
    rows: list[str] = []
    for image, difference in linked.differences.items():
        sum_of_parts = image.code_bytes - difference
        predicted = sum_of_parts + _start_up(linked, found)
        left_out = sum_of_parts + _start_up(linked, found, image)
        error = left_out / image.code_bytes - 1
        print(
            f"{image.model:28.28} {image.core:10} {image.library:9} {image.libc:12} "
            f"{'log' if image.is_logging else '':4} {image.code_bytes:7} {left_out:7} {error:+.2%}"
        )
        fields = [
            image.model,
            image.core,
            image.library,
            image.libc,
            image.is_stripped,
            image.is_logging,
            " ".join(image.operators),
            image.model_bytes,
            image.code_bytes,
            image.ram_bytes,
            predicted,
            left_out,
            image.source,
        ]
        rows.append(",".join(map(str, fields)))
    return rows


def _error(linked: Linked, found: Sequence[Linked]) -> float:
    """The largest error of an image of that core that did not enter; more where it has none."""
    errors = [
        abs(difference - _start_up(linked, found, image)) / image.code_bytes
        for image, difference in linked.differences.items()
    ]
    unknown = OTHER_CORE_ERROR if linked.core in NEAR else OTHER_LIBRARY_ERROR
    return max(errors, default=unknown)


def _write(linked: Linked, found: Sequence[Linked], options: argparse.Namespace) -> None:
    libcs = sorted({libc for part in linked.parts for libc in part.flash}, reverse=True)
    libcs.sort(key=lambda name: name != LIBCS[0])
    operators = {name for part in linked.parts for name in part.operators}
    operators -= {INTERPRETER}
    head = HEAD.format(
        evidence=linked.evidence,
        ref=linked.ref,
        error=_error(linked, found),
        logging="yes" if LOGGING in operators else "no",
        operators=" ".join(sorted(operators - {LOGGING})),
    )
    columns = ["kind", "part", *libcs, *(f"{libc} ram" for libc in libcs), "operators"]
    lines = [",".join(columns)]
    start = Part(
        "core", START, frozenset({INTERPRETER}), dict.fromkeys(libcs, _start_up(linked, found)), {}
    )
    for part in [*together(linked.parts), start]:
        sizes = [part.flash.get(libc, 0) for libc in libcs]
        sizes += [part.ram.get(libc, 0) for libc in libcs]
        if any(sizes):
            named = _named(part.operators, operators)
            lines.append(",".join([part.kind, part.source, *map(str, sizes), named]))
    path = CODE / f"{linked.library}-{linked.core}{_ending(options)}.csv"
    path.write_text(head + "\n".join(lines) + "\n", newline="\n")
    print(f"{path.name}: {len(lines) - 1} parts")


def _named(needed_by: frozenset[str], operators: set[str]) -> str:
    """Names of operators, or of those that are not among them where these are fewer."""
    if INTERPRETER in needed_by:
        return "*"
    others = operators - needed_by
    if len(others) < len(needed_by):
        return "!" + " ".join(sorted(others))
    return " ".join(sorted(needed_by))


def _reference(build: Build) -> str:
    version = run([f"{build.chip.compiler}g++", "--version"]).splitlines()[0]
    commits = "; ".join(f"{name} {commit[:8]}" for name, commit in COMMITS.items())
    level = f"kernels {build.chip.level}; all else {build.chip.core_level}"
    return (
        f"{version.replace(',', ';')} {' '.join(build.chip.flags[:3])}; {level}; {commits}".replace(
            ",", ";"
        )
    )


def _write_images(rows: Sequence[str]) -> None:
    """The images that were compared; those of cores and builds that were not stay as they are."""
    kept: dict[tuple[str, ...], str] = {}
    old = IMAGES.read_text().splitlines()[1:] if IMAGES.exists() else []
    for row in (*old, *rows):
        kept[tuple(row.split(",")[:7])] = row
    IMAGES.write_text("\n".join([COLUMNS, *kept.values()]) + "\n", newline="\n")


if __name__ == "__main__":
    main()
