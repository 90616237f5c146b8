"""`tinyml plan`: figures as scripts rely on them, verdicts by exit code, bad input in one line."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.support.branching import random_branches
from tinyml_profiles import plan_model
from tinyml_runtime import load_model, write_model
from tinyml_runtime.memory.offline_plan import METADATA
from tinyml_runtime.model.schema import Buffer, Metadata, Model, Operator

DIGITS, KEYWORDS = EXAMPLES / "digits.tflite", EXAMPLES / "shapes/kws_ds_cnn.tflite"


@pytest.fixture
def improvable(tmp_path: Path) -> Path:
    """A model that TFLM's planner does not plan as well as can be."""
    return _saved(random_branches(10), tmp_path / "improvable.tflite")


def _saved(model: Model, path: Path) -> Path:
    path.write_bytes(write_model(model))
    return path


def test_the_report_has_what_scripts_rely_on(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", KEYWORDS, "--target", "cortex-m4", "--kernels", "cmsis-nn", "--json")
    assert outcome.code == 0
    report = outcome.report
    assert report["schema"] == 1
    assert report["runtime"]["tflm"] == "90b983c2"
    assert (report["runtime"]["abi"], report["runtime"]["core"]) == ("arm-eabi", "cortex-m4")
    plan = plan_model(load_model(str(KEYWORDS)), "cortex-m4", "cmsis-nn")
    for name in ("min_bytes", "used_bytes", "recommended_bytes", "bound_by"):
        assert report["arena"][name] == getattr(plan.arena, name)
    assert report["planner"] == "greedy"
    assert report["lower_bound_bytes"] <= report["arena"]["nonpersistent_bytes"]
    assert report["load_errors"] == []
    persistent = sum(
        one["bytes"] for one in report["allocations"] if one["section"] == "persistent"
    )
    assert persistent == report["arena"]["persistent_bytes"]
    assert {"kind", "owner", "bytes", "count", "section"} <= set(report["allocations"][0])
    buffer = report["buffers"][0]
    assert {"tensor", "scratch_of", "name", "subgraph", "bytes"} <= set(buffer)
    assert {"first_use", "last_use", "offset"} <= set(buffer)


def test_the_number_to_declare_comes_first(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", DIGITS, "--abi", "arm-eabi")
    plan = plan_model(load_model(str(DIGITS)), abi="arm-eabi")
    declared = plan.arena.recommended_bytes
    lines = outcome.out.splitlines()
    # The heading before it takes as many lines as the path of the model needs.
    first_figure = next(line for line in lines if " bytes" in line)
    assert f"declare   {declared:,} bytes" in first_figure
    assert f"alignas(16) uint8_t tensor_arena[{declared}];" in outcome.out
    assert all(len(line) <= 80 for line in lines)


@pytest.mark.parametrize("by", ["op", "tensor"])
def test_every_byte_is_listed_in_80_columns(tinyml: Tinyml, by: str) -> None:
    outcome = tinyml("plan", KEYWORDS, "--by", by)
    assert outcome.code == 0
    assert all(len(line) <= 80 for line in outcome.out.splitlines())
    assert ("DEPTHWISE_CONV_2D" if by == "op" else "tensor 0") in outcome.out


def test_an_arena_that_is_enough(tinyml: Tinyml) -> None:
    least = plan_model(load_model(str(DIGITS))).arena.min_bytes
    outcome = tinyml("plan", DIGITS, "--arena-size", least, "--json")
    assert outcome.code == 0
    assert outcome.report["size_check"]["is_enough"] is True


def test_an_arena_that_is_not(tinyml: Tinyml) -> None:
    least = plan_model(load_model(str(DIGITS))).arena.min_bytes
    outcome = tinyml("plan", DIGITS, "--arena-size", least - 1)
    assert outcome.code == 1
    assert f"{least - 1:,} bytes are too few" in outcome.out
    outcome = tinyml("plan", DIGITS, "--arena-size", least - 1, "--json")
    assert outcome.code == 1
    assert outcome.report["size_check"]["missing_bytes"] > 0


def test_several_models_share_one_arena(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", DIGITS, KEYWORDS, "--json")
    shared = outcome.report["shared_arena"]
    assert len(outcome.report["models"]) == 2
    assert shared["recommended_bytes"] < shared["separate_bytes"]
    too_small = tinyml("plan", DIGITS, KEYWORDS, "--arena-size", shared["min_bytes"] - 1)
    assert too_small.code == 1
    assert str(KEYWORDS) in too_small.out.replace("\n", "")


def test_two_arenas(tinyml: Tinyml) -> None:
    report = tinyml("plan", KEYWORDS, "--split", "--json").report
    split = report["split_arenas"]
    assert split["nonpersistent_bytes"] >= report["arena"]["nonpersistent_bytes"]
    assert split["persistent_bytes"] > report["arena"]["persistent_bytes"]


def test_a_smaller_plan_is_written(tinyml: Tinyml, improvable: Path, tmp_path: Path) -> None:
    before = tinyml("plan", improvable, "--json").report["arena"]
    out = tmp_path / "smaller.tflite"
    outcome = tinyml("plan", improvable, "--planner", "optimal", "--write", out, "--json")
    assert outcome.code == 0
    after = outcome.report["arena"]
    assert after["min_bytes"] < before["min_bytes"]
    again = tinyml("plan", out, "--json")
    assert again.report["arena"] == after
    assert "carries a memory plan" in " ".join(again.report["notes"])
    assert tinyml("plan", out, "--planner", "offline", "--json").report["arena"] == after


def test_what_would_make_it_smaller_is_shown(tinyml: Tinyml, improvable: Path) -> None:
    outcome = tinyml("plan", improvable)
    assert "a better memory plan" in outcome.out
    assert "--planner optimal" in outcome.out


def test_a_model_that_does_not_load_says_all_reasons(tinyml: Tinyml, tmp_path: Path) -> None:
    model = load_model(str(DIGITS))
    codes = tuple(
        replace(code, builtin_code=16, deprecated_builtin_code=16) for code in model.operator_codes
    )
    path = _saved(replace(model, operator_codes=codes), tmp_path / "lstm.tflite")
    outcome = tinyml("plan", path, "--json")
    assert outcome.code == 4
    assert outcome.report["arena"] is None
    operators = len(model.subgraphs[0].operators)
    assert len(outcome.report["load_errors"]) == operators
    assert all(error["remedy"] for error in outcome.report["load_errors"])
    assert "does not load" in tinyml("plan", path).out


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (("--target", "cortexm4"), "near: cortex-m4", 4),
        (("--abi", "x86"), "there are: arm-eabi, ilp32, lp64", 4),
        (("--tflm", "2019"), "there are: 90b983c2", 4),
        (("--kernels", "mine"), "no kernel library 'mine'", 2),
        (("--planner", "best"), "--planner takes greedy, linear, offline, optimal", 2),
        (("--planner", "offline"), "carries no memory plan", 2),
        (("--time-limit", "0"), "--time-limit takes a number of seconds above 0", 2),
        (("--arena-size", "0"), "--arena-size takes a whole number from 1 on", 2),
        (("--by", "name"), "--by takes op, tensor", 2),
    ],
)
def test_wrong_options_are_one_line(
    tinyml: Tinyml, arguments: tuple[str, ...], message: str, code: int
) -> None:
    outcome = tinyml("plan", DIGITS, *arguments)
    assert outcome.code == code
    assert outcome.err.startswith("error: ")
    assert message in outcome.err
    assert not outcome.out


def test_operators_out_of_order_are_told(tinyml: Tinyml, tmp_path: Path) -> None:
    model = load_model(str(DIGITS))
    graph = model.subgraphs[0]
    turned = replace(graph, operators=tuple(reversed(graph.operators)))
    path = _saved(replace(model, subgraphs=(turned,)), tmp_path / "turned.tflite")
    outcome = tinyml("plan", path)
    assert outcome.code == 3
    assert "out of order" in outcome.err


def _with_plan(numbers: list[int]) -> Model:
    model = load_model(str(DIGITS))
    buffers = (*model.buffers, Buffer(struct.pack(f"<{len(numbers)}i", *numbers)))
    entry = Metadata(METADATA, len(model.buffers))
    return replace(model, buffers=buffers, metadata=(*model.metadata, entry))


@pytest.mark.parametrize(
    ("offset", "message"),
    [(0, "overlap"), (2**31 - 16, "outside memory"), (-7, "offset -7 of tensor 0 is negative")],
)
def test_a_plan_in_the_model_that_cannot_be_is_told(
    tinyml: Tinyml, tmp_path: Path, offset: int, message: str
) -> None:
    tensors = len(load_model(str(DIGITS)).subgraphs[0].tensors)
    path = _saved(_with_plan([1, 0, tensors, *[offset] * tensors]), tmp_path / "bad.tflite")
    outcome = tinyml("plan", path)
    assert outcome.code in (2, 3)
    assert outcome.err.startswith(f"error: {path}: ")
    assert message in outcome.err


def test_a_truncated_file(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(DIGITS.read_bytes()[:500])
    outcome = tinyml("plan", path)
    assert outcome.code == 3
    assert outcome.err.count("\n") == 1


def test_a_model_on_standard_input(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", "-", "--json", stdin=DIGITS.read_bytes())
    assert outcome.report["arena"]["min_bytes"] > 0


def test_a_graph_without_nodes(tinyml: Tinyml, tmp_path: Path) -> None:
    model = load_model(str(DIGITS))
    graph = model.subgraphs[0]
    no_operators: tuple[Operator, ...] = ()
    empty = replace(graph, operators=no_operators, outputs=graph.inputs)
    path = _saved(replace(model, subgraphs=(empty,)), tmp_path / "empty.tflite")
    outcome = tinyml("plan", path)
    assert outcome.code == 0
    assert "most in use at once" in outcome.out
