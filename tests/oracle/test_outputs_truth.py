"""Integer outputs that were measured on emulated cores, of every kernel library that was built."""

from __future__ import annotations

import csv
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import CORPUS, corpus_models
from tests.support.measured_inputs import fed
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model
from tinyml_runtime.tensor import Array

TRUTH = CORPUS / "truth"
# What a build is called there, and here.
LIBRARIES = {
    "reference": "reference",
    "cmsis-nn": "cmsis-nn",
    "esp_nn_generic_opt": "esp-nn",
    "muriscv_nn": "muriscv-nn",
    "reference_Os": "reference",
}
INTEGERS = {"2", "3", "6", "7", "9", "BOOL", "INT16", "INT32", "INT8", "UINT8"}

# The measured commit divides some scales in float32, later builds in float64, and so do we without
# this switch: docs/compatibility.md. One model shows it, by one step, fed as on RISC-V.
AS_MEASURED = ":float32-scales"

Row = Mapping[str, str]

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not TRUTH.is_dir(), reason=f"no measured outputs at {TRUTH}"),
]


def _rows(name: str) -> list[Row]:
    with (TRUTH / name).open(newline="") as file:
        return list(csv.DictReader(file))


def _outputs(path: Path, library: str, core: str) -> Sequence[Array]:
    interpreter = Interpreter(load_model(path), library + AS_MEASURED)
    interpreter.allocate_tensors()
    for position, sample in enumerate(fed(core, interpreter.inputs)):
        if not interpreter.inputs[position].is_constant:
            interpreter.set_input(sample[0], position)
    interpreter.invoke()
    return [interpreter.output(index) for index in range(len(interpreter.outputs))]


def _differences(
    rows: Sequence[Row],
    columns: tuple[str, str],
    models: Mapping[str, Path],
    core: str,
) -> Iterator[str]:
    """One line for each output with another checksum; the same build of several cores runs once."""
    output, kind = columns
    wanted: dict[tuple[str, str], dict[int, set[int]]] = defaultdict(dict)
    for row in rows:
        if row["kernels"] in LIBRARIES and row[kind] in INTEGERS and row["model"] in models:
            key = row["model"], LIBRARIES[row["kernels"]]
            wanted[key].setdefault(int(row[output]), set()).add(int(row["crc32"], 16))
    assert wanted, f"no measured model is in {CORPUS}"
    for (model, library), checksums in wanted.items():
        found = _outputs(models[model], library, core)
        for index, expected in checksums.items():
            if {zlib.crc32(np.ascontiguousarray(found[index]).tobytes())} != expected:
                yield f"{model}, {library}: output {index}"


def _by_name(names: Sequence[Row]) -> dict[str, Path]:
    by_checksum = {sha256(path.read_bytes()).hexdigest(): path for path in corpus_models()}
    return {
        row["model"]: by_checksum[row["sha256"]] for row in names if row["sha256"] in by_checksum
    }


def test_outputs_are_those_of_the_riscv_builds() -> None:
    models = _by_name(_rows("models_riscv.csv"))
    rows = _rows("outputs_riscv.csv")
    assert not list(_differences(rows, ("output_index", "type"), models, "rv32imc"))


@pytest.mark.slow
def test_outputs_are_those_of_the_arm_builds() -> None:
    models = _by_name(_rows("arena_arm.csv"))
    rows = [row for row in _rows("outputs_arm.csv") if row["invoke_status"] == "0"]
    assert not list(_differences(rows, ("output", "tflite_type"), models, "cortex-m4"))
