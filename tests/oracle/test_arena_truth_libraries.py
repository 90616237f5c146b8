"""Arenas of CMSIS-NN and ESP-NN: every measured row, all four figures, to the byte."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from tests.support.corpus import CORPUS, corpus_models
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.load import load_model
from tinyml_runtime.planning.arena_plan import plan_arena

TRUTH = CORPUS / "truth"
EXTENSIONS = {
    "cortex-m4": frozenset({"dsp"}),
    "cortex-m7": frozenset({"dsp"}),
    "cortex-m33": frozenset({"dsp"}),
    "cortex-m55": frozenset({"dsp", "mve"}),
}
FIGURES = {
    "used_bytes": "arena_used_bytes",
    "min_bytes": "min_arena_bytes",
    "persistent_bytes": "persistent_bytes",
    "nonpersistent_bytes": "nonpersistent_bytes",
}

Row = Mapping[str, str]

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.skipif(not TRUTH.is_dir(), reason=f"no measured arenas at {TRUTH}"),
]


@pytest.fixture(scope="module")
def models() -> dict[str, Path]:
    return {sha256(path.read_bytes()).hexdigest(): path for path in corpus_models()}


def _rows(name: str, library: str) -> list[Row]:
    with (TRUTH / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [row for row in rows if row["kernels"] == library and row["status"] == "ok"]


def _differences(
    rows: list[Row], models: dict[str, Path], profile: RuntimeProfile, library: str
) -> list[str]:
    """One line a row that is not exact; the test would be empty without rows."""
    known = [row for row in rows if row["sha256"] in models]
    assert known, f"no measured model is in {CORPUS}"
    differences: list[str] = []
    for row in known:
        model = load_model(models[row["sha256"]])
        figures = plan_arena(model, profile, GreedyPlanner(), library).arena
        for figure, column in FIGURES.items():
            ours, measured = getattr(figures, figure), row[column]
            if measured and ours != int(measured):
                differences.append(f"{row['model']}: {figure} is {ours}, measured {measured}")
    return differences


@pytest.mark.parametrize("core", EXTENSIONS)
def test_arenas_with_cmsis_nn_are_as_measured(core: str, models: dict[str, Path]) -> None:
    profile = RuntimeProfile(load_abi("arm-eabi"), EXTENSIONS[core], core)
    rows = [row for row in _rows("arena_arm.csv", "cmsis-nn") if row["cpu"] == core]
    assert not _differences(rows, models, profile, "cmsis-nn")


@pytest.mark.parametrize(
    ("library", "build"), [("esp-nn", "esp_nn_generic_opt"), ("muriscv-nn", "muriscv_nn")]
)
def test_arenas_with_libraries_for_riscv_are_as_measured(
    library: str, build: str, models: dict[str, Path]
) -> None:
    rows = _rows("arena_riscv.csv", build)
    assert not _differences(rows, models, RuntimeProfile(load_abi("ilp32")), library)
