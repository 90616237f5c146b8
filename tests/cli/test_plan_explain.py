"""`tinyml plan --explain`: what lines of a log mean for a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.cli.models import countdown, unsupported
from tinyml_profiles import plan_model
from tinyml_runtime import load_model

DIGITS = EXAMPLES / "digits.tflite"
ARM = ("--abi", "arm-eabi")
NOT_FOUND = "Didn't find op for builtin opcode '{}'\nFailed to get registration from op code {}\n"


def line_of(size: int, library: str = "reference", abi: str = "arm-eabi") -> str:
    """What TFLM prints in an arena of that size."""
    plan = plan_model(load_model(DIGITS), abi=abi, library=library)
    shortage = plan.in_arena(size).shortage
    assert shortage is not None
    return plan.message(shortage)


def explained(tinyml: Tinyml, *arguments: object, stdin: bytes = b"") -> list[dict[str, Any]]:
    outcome = tinyml("plan", *arguments, "--json", stdin=stdin)
    return outcome.report["explanations"]


@pytest.mark.parametrize("size", [1500, 3000, 4000, 5500, 5863])
def test_the_arena_that_printed_a_line_is_told(tinyml: Tinyml, size: int) -> None:
    line = line_of(size)
    (one,) = explained(tinyml, DIGITS, *ARM, "--arena-size", size, "--explain", line)
    assert one["line"] == line
    assert one["other_runtime"] is None
    assert one["remedy"] == "Declare 5,872 bytes."
    for case in one["cases"]:
        assert any(part["from"] <= size <= part["to"] for part in case["arena_bytes"])


def test_the_report_says_what_the_figures_leave_out(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", DIGITS, *ARM, "--explain", line_of(4000))
    assert outcome.code == 0
    assert "an arena of 3,992 to 4,007 bytes" in " ".join(outcome.out.split())
    assert "they do not add up to what is missing" in " ".join(outcome.out.split())
    assert "Declare 5,872 bytes." in outcome.out


@pytest.mark.parametrize(
    ("library", "abi", "name"),
    [
        ("cmsis-nn", "arm-eabi", "cmsis-nn kernels, ABI arm-eabi, cortex-m4"),
        ("reference", "lp64", "reference kernels, ABI lp64"),
    ],
)
def test_the_runtime_that_printed_a_line_is_found(
    tinyml: Tinyml, library: str, abi: str, name: str
) -> None:
    line = line_of(5200, library, abi)
    (one,) = explained(tinyml, DIGITS, *ARM, "--arena-size", 5200, "--explain", line)
    assert one["other_runtime"] == name
    assert "here" in one["remedy"]


def test_a_recording_interpreter_is_found_too(tinyml: Tinyml) -> None:
    # Its allocators take 124 + 52 bytes instead of 36 + 36, which is 96 more with the alignment.
    line = line_of(5200 - 96)
    (one,) = explained(tinyml, DIGITS, *ARM, "--arena-size", 5200, "--explain", line)
    assert one["other_runtime"] == "a RecordingMicroInterpreter"
    assert "There, declare 5,968 bytes" in one["remedy"]


def test_figures_that_no_arena_gives_are_told(tinyml: Tinyml) -> None:
    line = "Failed to resize buffer. Requested: 123456, available 16, missing: 123440"
    (one,) = explained(tinyml, DIGITS, *ARM, "--explain", line)
    assert one["cases"] == []
    assert "from another model" in one["remedy"]


def test_a_node_that_the_log_names_decides_between_calls(tinyml: Tinyml) -> None:
    lines = {size: line_of(size) for size in range(1500, 3000, 16)}
    temporary = {size: line for size, line in lines.items() if "temp" in line}
    size, line = next(iter(temporary.items()))
    plan = plan_model(load_model(DIGITS), abi="arm-eabi")
    shortage = plan.in_arena(size).shortage
    assert shortage is not None
    node = plan.nodes[0][shortage.call.owner.node or 0]
    log = f"{line}\nNode {node.operator} (number {node.index}) failed to prepare with status 1\n"
    first, second = explained(tinyml, DIGITS, *ARM, "--explain", "-", stdin=log.encode())
    assert {case["owner"] for case in first["cases"]} == {node.index}
    assert "a line before this one says" in second["meaning"]


def test_of_several_shortages_only_the_first_counts(tinyml: Tinyml) -> None:
    log = f"I (320) app: start\n{line_of(4000)}\n{line_of(5000)}\nAllocateTensors() failed\n"
    first, second, third = explained(tinyml, DIGITS, *ARM, "--explain", "-", stdin=log.encode())
    assert first["cases"]
    assert second["meaning"] == "This follows from the shortage before it."
    assert "only follows" in third["meaning"]


@pytest.mark.parametrize(
    ("operator", "meaning", "remedy"),
    [
        ("CONV_2D", "the program's resolver was not given it", "resolver.AddConv2D()"),
        ("SVDF", "This model has no SVDF", None),
        ("TOPK_V2", "TFLM has no kernel for TOPK_V2", "Replace the operator"),
    ],
)
def test_a_missing_operator_is_missing_in_the_resolver_or_in_tflm(
    tinyml: Tinyml, operator: str, meaning: str, remedy: str | None
) -> None:
    log = NOT_FOUND.format(operator, operator)
    lines = explained(tinyml, DIGITS, *ARM, "--explain", log)
    assert len(lines) == 2
    for one in lines:
        assert meaning in one["meaning"]
        assert one["remedy"] is None if remedy is None else remedy in one["remedy"]


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("Failed starting model allocation.", "before any operator"),
        (
            "Arena size is too small for all buffers. Needed 3072 but only 2000 was available.",
            "An older TFLM: the planned buffers need 3,072 bytes",
        ),
        ("Failed to allocate memory for memory planning, 680 bytes required", "680 bytes"),
        ("Failed to populate a persistent TfLiteTensor struct from flatbuffer data!", "come last"),
        ("Couldn't register builtin op #3, resolver size is too small (4).", "the model has 7"),
        ("Maximum resource variable count (1) reached.", "the model has 0"),
        ("All temp buffers must be freed before calling ResetTempAllocations()", "far too small"),
        ("Node SVDF (number 1) failed to prepare with status 1", "from another model"),
        ("[RecordingMicroAllocator] Arena allocation total 5956 bytes", "(the same here)"),
        ("[RecordingMicroAllocator] Arena allocation head 3072 bytes", "(the same here)"),
        ("[RecordingMicroAllocator] Arena allocation tail 1 bytes", "(here it is 2,884 bytes)"),
        ("Failed to get registration from op code CUSTOM", "no custom operator"),
        ("hello", "No line here is one that TFLM prints"),
    ],
)
def test_other_lines_of_tflm_are_explained(tinyml: Tinyml, line: str, meaning: str) -> None:
    (one,) = explained(tinyml, DIGITS, *ARM, "--explain", line)
    assert meaning in one["meaning"]
    assert one["cases"] is None


def test_a_node_that_is_refused_is_explained_by_its_problem(tinyml: Tinyml, tmp_path: Path) -> None:
    line = "Node Nonesuch (number 0) failed to prepare with status 1"
    outcome = tinyml("plan", unsupported(tmp_path), "--explain", line, "--json")
    assert outcome.code == 4
    (one,) = outcome.report["explanations"]
    assert "The kernel refuses this node" in one["meaning"]


def test_operators_of_called_subgraphs_count(tinyml: Tinyml, tmp_path: Path) -> None:
    line = "Didn't find op for builtin opcode 'GREATER_EQUAL'"
    (one,) = explained(tinyml, countdown(tmp_path), "--explain", line)
    assert "MicroMutableOpResolver<3>" in one["remedy"]


def test_standard_input_is_read_once(tinyml: Tinyml) -> None:
    outcome = tinyml("plan", "-", "--explain", "-", stdin=DIGITS.read_bytes())
    assert (outcome.code, outcome.out) == (2, "")
    assert "standard input can be read once" in outcome.err
