"""Shipped mixes of the reference's and ESP-NN's loops beside measured instructions."""

from __future__ import annotations

import csv
import hashlib
import statistics
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from tests.support.corpus import CORPUS, needs_corpus
from tests.support.measured_inputs import fed
from tinyml_profiles.fed_work import fed_work
from tinyml_profiles.instructions import Instructions, count_instructions, load_loops
from tinyml_profiles.load import load_target
from tinyml_profiles.loops import find_loops
from tinyml_profiles.target import Core
from tinyml_profiles.usual_work import usual_work
from tinyml_profiles.work import NodeWork, node_workloads
from tinyml_runtime import Interpreter, load_model
from tinyml_runtime.model.schema import Model

ARM, RISCV, XTENSA = ("arm", "cpu"), ("riscv", "isa"), ("xtensa", "isa")
TABLES = [
    ("reference", "cortex-m0", ARM),
    ("reference", "cortex-m3", ARM),
    ("reference", "cortex-m4", ARM),
    ("reference", "cortex-m7", ARM),
    ("reference", "rv32imc", RISCV),
    ("reference", "rv32imafc", RISCV),
    ("reference", "xtensa-lx106", XTENSA),
    ("esp-nn", "rv32imc", RISCV),
    ("muriscv-nn", "rv32imc", RISCV),
    ("esp-nn", "xtensa-lx106", XTENSA),
]
WITHOUT_FPU = [each for each in TABLES if each[1] in ("cortex-m0", "cortex-m3", "rv32imc")]
# Models of more nodes are an audio front end: signal processing that no other model has.
LONG = 20
KERNELS = {
    "reference": "reference",
    "esp-nn": "esp_nn_generic_opt",
    "cmsis-nn": "cmsis-nn",
    "muriscv-nn": "muriscv_nn",
}
CMSIS = ("cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55")
MEASURED = [
    *(each for each in TABLES if each[1] != "xtensa-lx106"),
    *(("cmsis-nn", core, ARM) for core in CMSIS),
]
# More instructions than anything that runs once.
MOST = 1e6
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
_TABLES = Path(str(files("tinyml_profiles"))) / "data" / "loops"
# How many exponentials are taken depends on values.
EXCEPT = "SOFTMAX"
# What an element costs depends on values, in few models each; Cortex-M0 divides in software.
LIMITS = {"ADD": 0.02, "LOGISTIC": 0.025, "AVERAGE_POOL_2D": 0.02, "QUANTIZE": 0.02}


@needs_corpus
@pytest.mark.parametrize(("library", "core", "file"), TABLES)
def test_shipped_mixes_give_the_measured_instructions(
    library: str, core: str, file: tuple[str, str]
) -> None:
    errors: dict[str, list[float]] = defaultdict(list)
    wholes: list[float] = []
    for works, predicted, measured in _beside_measured(library, core, file):
        if not _is_priced_by_shapes(works):
            continue
        for work, here, there in zip(works, predicted, measured, strict=True):
            errors[work.node.operator].append(abs(here.total / there - 1))
        if len(works) > 1:
            wholes.append(abs(sum(here.total for here in predicted) / sum(measured) - 1))
    assert wholes
    for operator, found in errors.items():
        if operator != EXCEPT:
            assert statistics.median(found) < LIMITS.get(operator, 0.01), operator
            if operator != "QUANTIZE":
                assert sorted(found)[int(0.95 * len(found))] < 0.05, operator
    assert statistics.median(wholes) < 0.005
    assert max(wholes) < 0.03


@needs_corpus
@pytest.mark.parametrize(("library", "core", "file"), WITHOUT_FPU)
def test_floats_without_an_fpu_lie_within_the_spreads_of_their_kernels(
    library: str, core: str, file: tuple[str, str]
) -> None:
    inside: list[bool] = []
    for works, predicted, measured in _beside_measured(library, core, file):
        if _is_priced_by_shapes(works) or len(works) > LONG:
            continue
        nodes = list(zip(predicted, measured, strict=True))
        inside += [abs(here.total / there - 1) <= max(here.spread, 0.01) for here, there in nodes]
        whole = sum(here.total for here in predicted) / sum(measured) - 1
        spread = sum(here.total * here.spread for here in predicted) / sum(measured)
        assert abs(whole) < max(0.03, spread)
    assert inside.count(True) > 0.8 * len(inside)


@needs_corpus
@pytest.mark.parametrize(("library", "core", "file"), WITHOUT_FPU)
def test_without_samples_no_model_is_off_by_more_than_three_hundredths(
    library: str, core: str, file: tuple[str, str]
) -> None:
    beside = _beside_measured(library, core, file, work_of=_usual_work)
    for _, predicted, measured in beside:
        assert abs(sum(here.total for here in predicted) / sum(measured) - 1) < 0.03


@needs_corpus
@pytest.mark.parametrize(("library", "core", "file"), MEASURED)
def test_models_that_run_on_the_measured_inputs_execute_the_measured_instructions(
    library: str, core: str, file: tuple[str, str]
) -> None:
    softmax: list[float] = []
    for works, predicted, measured in _beside_measured(library, core, file, work_of=_fed_work):
        whole = sum(here.total for here in predicted) / sum(measured) - 1
        assert abs(whole) < 0.02
        softmax += [
            abs(here.total / there - 1)
            for work, here, there in zip(works, predicted, measured, strict=True)
            if work.node.operator == "SOFTMAX"
        ]
    assert sorted(softmax)[int(0.9 * (len(softmax) - 1))] < 0.05


@pytest.mark.parametrize(("library", "core"), [pair[:2] for pair in MEASURED])
def test_every_loop_of_the_examples_has_a_price(library: str, core: str) -> None:
    loops = find_loops(load_target(core).core, library)
    assert loops is not None
    for path in sorted(EXAMPLES.rglob("*.tflite")):
        for work in _usual_work(load_model(path), load_target(core).core, library):
            counted = count_instructions(work.loops, loops.table)
            assert (path.name, work.node.operator, counted.unpriced) == (
                path.name,
                work.node.operator,
                (),
            )


@pytest.mark.parametrize("name", sorted(each.name for each in _TABLES.iterdir()))
def test_no_price_and_no_spread_is_out_of_bounds(name: str) -> None:
    """A loop that never ran when it was measured could get any price."""
    data = tomllib.loads((_TABLES / name).read_text("utf-8"))
    for loop, parts in data["loop"].items():
        for part in ("entry", "trip"):
            assert sum(parts.get(part, {}).values()) < MOST, loop
    for section in ("spread", "fed_spread"):
        assert all(0.01 <= share < 2 for share in data[section].values())


def _mean_work(model: Model, core: Core, library: str) -> Sequence[NodeWork]:
    return node_workloads(model, core.name, library)


def _fed_work(model: Model, core: Core, library: str) -> Sequence[NodeWork]:
    samples = fed(core.name, Interpreter(model).inputs)
    return fed_work(model, core, library, samples).nodes


def _usual_work(model: Model, core: Core, library: str) -> Sequence[NodeWork]:
    return usual_work(model, core, library).nodes


def _beside_measured(
    library: str,
    core: str,
    file: tuple[str, str],
    work_of: Callable[[Model, Core, str], Sequence[NodeWork]] = _mean_work,
) -> Iterator[tuple[list[NodeWork], list[Instructions], list[int]]]:
    """Work, predicted and measured instructions of the nodes of each model."""
    table = load_loops(library, core)
    assert table is not None
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    name, column = file
    for row in _rows(f"ops_{name}.csv"):
        is_core = row[column].replace("_", "-") == core
        if is_core and row["kernels"] == KERNELS[library] and int(row["op_index"]) >= 0:
            rows[row["model"]].append(row)
    for model, path in _models(name).items():
        if model not in rows:
            continue
        works = work_of(load_model(str(path)), load_target(core).core, library)
        nodes = [(row, works[int(row["op_index"])]) for row in rows[model]]
        yield (
            [work for _, work in nodes],
            [count_instructions(work.loops, table, work.values) for _, work in nodes],
            [int(row["instructions"]) for row, _ in nodes],
        )


def _is_priced_by_shapes(works: list[NodeWork]) -> bool:
    """Whether no node works on floats, whose instructions depend on values, or on few elements."""
    names = [loop.loop for work in works for loop in work.loops]
    return not any("float" in name or name.startswith("signal") for name in names)


def _rows(file: str) -> Iterator[dict[str, str]]:
    with (CORPUS / "truth" / file).open(newline="") as lines:
        yield from csv.DictReader(lines)


@cache
def _models(file: str) -> dict[str, Path]:
    """Models of the corpus with one subgraph, by the names that the measurements give them."""
    names = {
        row["sha256"]: row["model"]
        for row in _rows(f"arena_{file}.csv")
        if row.get("subgraphs", "1") == "1"
    }
    found: dict[str, Path] = {}
    for path in sorted((CORPUS / "models").rglob("*.tflite")):
        name = names.get(hashlib.sha256(path.read_bytes()).hexdigest())
        if name is not None:
            found[name] = path
    return found
