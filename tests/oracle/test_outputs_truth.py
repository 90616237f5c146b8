"""Integer outputs that were measured on emulated cores, of every kernel library that was built."""

from __future__ import annotations

import csv
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from math import prod
from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import CORPUS, corpus_models
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model
from tinyml_runtime.tensor import Array, Tensor

TRUTH = CORPUS / "truth"
# What a build is called there, and here.
LIBRARIES = {
    "reference": "reference",
    "cmsis-nn": "cmsis-nn",
    "esp_nn_generic_opt": "esp-nn",
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


def _feed_riscv(tensor: Tensor, _: int) -> Array:
    """Bytes count up in steps of 37; floats are such bytes in parts of 128."""
    is_float = tensor.dtype.kind == "f"
    count = tensor.size if is_float else tensor.size * tensor.dtype.itemsize
    pattern = (np.arange(count, dtype=np.int64) * 37 + 11) & 0xFF
    if is_float:
        return ((pattern - 128) / 128).astype(np.float32).reshape(tensor.shape)
    stored = pattern.astype(np.uint8)
    if tensor.dtype.kind == "b":
        return (stored != 0).reshape(tensor.shape)
    return stored.view(tensor.dtype).reshape(tensor.shape)


def _feed_arm(tensor: Tensor, position: int) -> Array:
    """As above, element by element, another offset for every input."""
    pattern = (np.arange(prod(tensor.shape), dtype=np.int64) * 37 + 11 + 101 * position) & 0xFF
    kinds: dict[str, Callable[[], Array]] = {
        "float32": lambda: ((pattern - 128) / 128).astype(np.float32),
        "int8": lambda: pattern.astype(np.uint8).view(np.int8),
        "uint8": lambda: pattern.astype(np.uint8),
        "int16": lambda: ((pattern - 128) * 256).astype(np.int16),
        "int32": lambda: (pattern & 3).astype(np.int32),
        "bool": lambda: (pattern & 1).astype(bool),
    }
    return kinds[tensor.dtype.name]().reshape(tensor.shape)


def _outputs(path: Path, library: str, feed: Callable[[Tensor, int], Array]) -> Sequence[Array]:
    interpreter = Interpreter(load_model(path), library + AS_MEASURED)
    interpreter.allocate_tensors()
    for position, tensor in enumerate(interpreter.inputs):
        if not tensor.is_constant:
            interpreter.set_input(feed(tensor, position), position)
    interpreter.invoke()
    return [interpreter.output(index) for index in range(len(interpreter.outputs))]


def _differences(
    rows: Sequence[Row],
    columns: tuple[str, str],
    models: Mapping[str, Path],
    feed: Callable[[Tensor, int], Array],
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
        found = _outputs(models[model], library, feed)
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
    assert not list(_differences(rows, ("output_index", "type"), models, _feed_riscv))


@pytest.mark.slow
def test_outputs_are_those_of_the_arm_builds() -> None:
    models = _by_name(_rows("arena_arm.csv"))
    rows = [row for row in _rows("outputs_arm.csv") if row["invoke_status"] == "0"]
    assert not list(_differences(rows, ("output", "tflite_type"), models, _feed_arm))
