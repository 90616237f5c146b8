"""Whose loops a core runs: its own, the nearest core's, and from the next what those lack."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tinyml_profiles import load_target
from tinyml_profiles import loops as module
from tinyml_profiles.instructions import CLASSES, NOTHING, LoopCost, LoopTable
from tinyml_profiles.loops import find_loops
from tinyml_profiles.target import Core

MEASURED = {
    ("reference", "near"): ("a", "b"),
    ("reference", "far"): ("b", "c"),
    ("cmsis-nn", "far"): ("d",),
    ("vendor", "near"): ("a", "v"),
    ("reference", "floating"): ("add_float32.element", "not_of_floats"),
}


def table(library: str, core: str) -> LoopTable | None:
    names = MEASURED.get((library, core))
    if names is None:
        return None
    costs: Mapping[str, LoopCost] = {name: LoopCost(NOTHING, NOTHING, "measured") for name in names}
    return LoopTable(library, core, "made up", costs)


@pytest.fixture
def core(monkeypatch: pytest.MonkeyPatch) -> Core:
    monkeypatch.setattr(module, "load_loops", table)
    own = load_target("cortex-m4").core
    return replace(own, name="here", loops_cores=("near", "far"))


def test_a_core_that_was_measured_runs_its_own_loops(core: Core) -> None:
    found = find_loops(replace(core, name="near"), "reference")
    assert found is not None
    assert (found.core, found.evidence) == ("near", "measured")


def test_the_nearest_core_stands_for_one_that_was_not(core: Core) -> None:
    found = find_loops(core, "reference")
    assert found is not None
    assert (found.core, found.evidence) == ("near", "derived")


def test_what_the_nearest_lacks_is_taken_from_the_next(core: Core) -> None:
    found = find_loops(core, "reference")
    assert found is not None
    evidence = {name: cost.evidence for name, cost in found.table.loops.items()}
    assert evidence == {"a": "measured", "b": "measured", "c": "derived"}


def test_a_library_that_only_a_farther_core_has_is_assumed(core: Core) -> None:
    found = find_loops(core, "cmsis-nn")
    assert found is not None
    assert (found.core, found.evidence) == ("far", "assumed")


def test_a_library_that_no_core_has_is_not_found(core: Core) -> None:
    assert find_loops(core, "esp-nn") is None


def test_loops_that_the_reference_has_too_are_not_the_librarys_own(core: Core) -> None:
    found = find_loops(core, "vendor")
    assert found is not None
    owned = {name: cost.is_own for name, cost in found.table.loops.items()}
    assert owned == {"a": False, "v": True, "b": False, "c": False}


def test_kernels_that_were_not_measured_with_the_library_cost_what_the_references_do(
    core: Core,
) -> None:
    found = find_loops(core, "vendor")
    assert found is not None
    evidence = {name: cost.evidence for name, cost in found.table.loops.items()}
    assert evidence == {"a": "measured", "v": "measured", "b": "measured", "c": "derived"}
    assert "c" in found.table.loops
    assert "d" not in found.table.loops


def test_float_loops_are_those_of_a_core_that_computes_with_them(core: Core) -> None:
    for library in ("reference", "vendor"):
        found = find_loops(replace(core, float_loops=("floating",)), library)
        assert found is not None
        assert found.table.loops["add_float32.element"].evidence == "derived"
        assert "not_of_floats" not in found.table.loops


@pytest.mark.parametrize("name", ["cortex-m0", "cortex-m0plus", "cortex-m3"])
def test_code_for_dsp_instructions_says_nothing_about_a_core_without_them(name: str) -> None:
    assert find_loops(load_target(name).core, "cmsis-nn") is None


@pytest.mark.parametrize("library", ["reference", "esp-nn"])
@pytest.mark.parametrize("name", ["xtensa-lx6", "esp32s3", "esp32p4", "rv32imafc"])
def test_cores_with_a_float_unit_run_loops_that_use_one(name: str, library: str) -> None:
    found = find_loops(load_target(name).core, library)
    assert found is not None
    products = found.table.loops["conv_float32.depth"].trip
    assert sum(products[CLASSES.index(kind)] for kind in ("fp_alu", "fp_mul", "fp_mac")) > 0
