"""Linked images, as measured: rows of CSV files in words of our own."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from measured import checksum

from tinyml_cli.cpp.add_methods import add_method
from tinyml_profiles.code_table import LOGGING
from tinyml_runtime.kernels import REFERENCE

LIBRARIES = {"reference": "reference", "cmsis-nn": "cmsis-nn", "esp_nn_generic_opt": "esp-nn"}
# Builds with the texts of errors, and without.
BUILDS = {
    "release_with_logs": False,
    "release": True,
    "release_with_logs: all -O2, NDEBUG": False,
    "all -O2 -mlongcalls, NDEBUG, with log strings": False,
    "release: core -Os, kernels -O2, NDEBUG, TF_LITE_STRIP_ERROR_STRINGS": True,
}
SHORT_BUILD = "release_with_logs_int8_registrations"
SHORT = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "AVERAGE_POOL_2D", "SOFTMAX", "ADD")
NO_MODEL = {"(empty baseline)", "baseline_empty_main", "all_118_ops"}
PICOLIBC = "picolibc"


@dataclass(frozen=True, slots=True)
class LinkedImage:
    """An image: what is in it, and its bytes without the model. `source` has a checksum."""

    model: str
    core: str
    library: str
    libc: str
    is_stripped: bool
    is_logging: bool
    operators: tuple[str, ...]
    model_bytes: int
    code_bytes: int
    ram_bytes: int
    source: str

    @property
    def roots(self) -> tuple[str, ...]:
        """The operators that were linked, and logging where it was."""
        return (*self.operators, LOGGING) if self.is_logging else self.operators


def read_images(truth: Path) -> list[LinkedImage]:
    """All images in `truth`."""
    calls = {method: name for name in REFERENCE.kernels if (method := add_method(name))}
    return [
        *_arm(truth / "image_size_arm.csv", calls),
        *_riscv(truth / "image_size_riscv.csv"),
        *_riscv(truth / "image_size_xtensa.csv"),
    ]


def _arm(path: Path, calls: Mapping[str, str]) -> Iterator[LinkedImage]:
    for row in _rows(path):
        is_short = row["build"] == SHORT_BUILD
        if row["model"] in NO_MODEL or not (is_short or row["build"] in BUILDS):
            continue
        operators = [calls[f"Add{name}"] for name in row["ops_registered"].split()]
        if is_short:
            operators = [f"{name}/INT8" if name in SHORT else name for name in operators]
        yield LinkedImage(
            row["model"],
            row["cpu"],
            LIBRARIES[row["kernels"]],
            row["libc"],
            BUILDS.get(row["build"], False),
            row["debuglog"] == "vfprintf",
            tuple(operators),
            int(row["model_bytes"]),
            int(row["flash_excl_model"]),
            int(row["bss_bytes_excl_arena"]) + int(row["data_bytes"]),
            f"{path.name} ({checksum(path)})",
        )


def _riscv(path: Path) -> Iterator[LinkedImage]:
    for row in _rows(path):
        known = row["build"] in BUILDS and row["kernels"] in LIBRARIES
        if row["image"] in NO_MODEL or not known:
            continue
        yield LinkedImage(
            row["image"],
            row["isa"].replace("_", "-"),
            LIBRARIES[row["kernels"]],
            PICOLIBC,
            BUILDS[row["build"]],
            False,
            tuple(row["ops_registered"].split()),
            int(row["model_bytes"] or 0),
            int(row.get("flash_bytes_text_plus_data") or row["flash_bytes_text_rodata_data"]),
            int(row["bss_bytes"]) + int(row["data_bytes"]),
            f"{path.name} ({checksum(path)})",
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
