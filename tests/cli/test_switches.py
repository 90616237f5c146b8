"""Build switches of kernel libraries on the command line: one syntax for every command."""

from __future__ import annotations

import pytest

from tests.cli.conftest import EXAMPLES, Tinyml

KEYWORDS = EXAMPLES / "shapes/kws_ds_cnn.tflite"
SWITCHED = "cmsis-nn:single-rounding"


def test_a_run_takes_a_switch(tinyml: Tinyml) -> None:
    outcome = tinyml("run", KEYWORDS, "--kernels", SWITCHED, "--json")
    assert outcome.report["kernels"] == SWITCHED


def test_a_plan_is_that_of_the_library(tinyml: Tinyml) -> None:
    plain, switched = (
        tinyml("plan", KEYWORDS, "--kernels", name, "--json").report
        for name in ("cmsis-nn", SWITCHED)
    )
    assert switched["runtime"]["kernels"] == SWITCHED
    assert switched["runtime"]["core"] == plain["runtime"]["core"] == "cortex-m4"
    assert switched["arena"] == plain["arena"]


def test_a_profile_is_that_of_the_library(tinyml: Tinyml) -> None:
    plain, switched = (
        tinyml("profile", KEYWORDS, "--target", "nucleo-l4r5zi", "--kernels", name, "--json").report
        for name in ("cmsis-nn", SWITCHED)
    )
    assert switched["kernels"] == SWITCHED
    assert switched["total"] == plain["total"]


def test_a_comparison_names_the_switch_as_the_cause(tinyml: Tinyml) -> None:
    arguments = ("compare", KEYWORDS, "--layers", "--samples", 2)
    outcome = tinyml(*arguments, "--against", "reference:single-rounding", "--json")
    causes = [layer["cause"] for layer in outcome.report["layers"] if layer["cause"]]
    assert causes
    assert all("rounds rescaled values once, not twice" in cause for cause in causes)


@pytest.mark.parametrize("command", ["run", "plan", "compare"])
def test_a_wrong_switch_names_those_that_there_are(tinyml: Tinyml, command: str) -> None:
    outcome = tinyml(command, KEYWORDS, "--kernels", "cmsis-nn:sngle")
    assert outcome.code == 2
    assert "has no switch 'sngle' (it has: single-rounding, float32-scales)" in outcome.err
    assert not outcome.out
