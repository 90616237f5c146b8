"""Executed instructions of operators, as measured: rows of CSV files in classes of our own."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# Our class -> the columns of the files that belong to it.
ARM = {
    "load": ("load",),
    "store": ("store",),
    "mul": ("mul",),
    "mac": ("mac",),
    "div": ("div",),
    "alu": ("alu", "it", "other"),
    "branch": ("branch", "lob"),
    "fp_load": ("fp_load",),
    "fp_store": ("fp_store",),
    "fp_alu": ("fp_alu", "fp_cvt_mov"),
    "fp_mul": ("fp_mul",),
    "fp_mac": ("fp_mac",),
    "fp_div": ("fp_div_sqrt",),
    "simd_load": ("mve_load",),
    "simd_store": ("mve_store",),
    "simd_mac": ("mve_mac",),
    "simd_other": ("mve_other",),
    "branch_taken": ("branch_taken",),
}
RISCV = {
    "load": ("load_byte", "load_half", "load_word"),
    "store": ("store_byte", "store_half", "store_word"),
    "mul": ("mul", "mulh"),
    "div": ("div_rem",),
    "alu": ("alu", "shift", "lui_auipc", "system_other"),
    "branch": ("branch", "jal_j", "jalr_ret_indirect"),
    "fp_load": ("fload",),
    "fp_store": ("fstore",),
    "fp_alu": ("fadd_fsub", "fcvt", "fcmp_minmax_sgnj", "fmv_fclass"),
    "fp_mul": ("fmul",),
    "fp_mac": ("fmadd",),
    "fp_div": ("fdiv_fsqrt",),
    "branch_taken": ("branch_taken", "jal_j", "jalr_ret_indirect"),
}
XTENSA = {
    "load": ("load_byte", "load_half", "load_word", "l32r_literal"),
    "store": ("store_byte", "store_half", "store_word"),
    "mul": ("mull", "mulsh_muluh", "mul16"),
    "mac": ("mac16",),
    "div": ("quo_rem",),
    "alu": (
        "alu_logic_mov",
        "addx_subx",
        "shift",
        "extui",
        "movi",
        "cond_move",
        "minmax_clamp_sext_nsa",
        "system_other",
    ),
    "branch": ("branch", "jump", "call", "ret_jx"),
    "branch_taken": ("branch_taken", "jump", "call", "ret_jx"),
}


@dataclass(frozen=True, slots=True)
class Source:
    """A file of measured operators, the one that names their models, and what its columns mean."""

    file: str
    models: str
    core: str
    classes: Mapping[str, tuple[str, ...]]


SOURCES = (
    Source("ops_arm.csv", "arena_arm.csv", "cpu", ARM),
    Source("ops_riscv.csv", "arena_riscv.csv", "isa", RISCV),
    Source("ops_xtensa.csv", "arena_xtensa.csv", "isa", XTENSA),
)
# Rows of models that `bench_cases` makes: <library>-<core>.csv, in our own classes.
HERE = Path(__file__).parent
BENCH = HERE / "bench"
LIBRARIES = {
    "reference": "reference",
    "cmsis-nn": "cmsis-nn",
    "esp_nn_generic_opt": "esp-nn",
    "muriscv_nn": "muriscv-nn",
}
# The libraries as GCC's optimisation level makes them, by the column `kernels`.
LEVELS = {"O2": LIBRARIES, "Os": {"reference_Os": "reference"}}


@dataclass(frozen=True, slots=True)
class MeasuredNode:
    """What a node of a model executed, by class; `instructions` is the sum."""

    model: str
    sha256: str
    core: str
    library: str
    index: int
    operator: str
    instructions: int
    mix: Mapping[str, int]
    level: str = "O2"


def read_nodes(truth: Path, level: str = "O2") -> Iterator[MeasuredNode]:
    """All measured nodes of models with one subgraph, with kernels of an optimisation level."""
    for source in SOURCES:
        checksums = {
            row["model"]: row["sha256"]
            for row in read_rows(truth / source.models)
            if row.get("subgraphs", "1") == "1"
        }
        for row in read_rows(truth / source.file):
            library = LEVELS[level].get(row["kernels"])
            if library is None or row["model"] not in checksums or int(row["op_index"]) < 0:
                continue
            mix = {
                name: sum(int(row[column]) for column in columns)
                for name, columns in source.classes.items()
            }
            yield MeasuredNode(
                row["model"],
                checksums[row["model"]],
                row[source.core].replace("_", "-"),
                library,
                int(row["op_index"]),
                row["op_name"],
                int(row["instructions"]),
                mix,
                level,
            )


def read_bench() -> Iterator[MeasuredNode]:
    """The nodes of the models of `bench_cases`, whose names stand for their checksums."""
    for path in sorted(BENCH.glob("*.csv")):
        library, core = next(
            (name, path.stem.removeprefix(f"{name}-"))
            for name in LIBRARIES.values()
            if path.stem.startswith(f"{name}-")
        )
        for row in read_rows(path):
            mix = {
                name: int(count)
                for name, count in row.items()
                if name not in ("case", "operator") and int(count)
            }
            total = sum(mix.values()) - mix.get("branch_taken", 0)
            case, operator = row["case"], row["operator"]
            yield MeasuredNode(case, case, core, library, 0, operator, total, mix)


def read_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of a CSV file by the names of its columns."""
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def find_models(folder: Path) -> dict[str, Path]:
    """Models below a folder by checksum."""
    return {
        hashlib.sha256(path.read_bytes()).hexdigest(): path
        for path in sorted(folder.rglob("*.tflite"))
    }


def checksum(path: Path) -> str:
    """The first 16 digits of a file's SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
