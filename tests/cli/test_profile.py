"""`tinyml profile`: reports as scripts and people read them, conditions, bad input in one line."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tinyml_profiles import load_target

DIGITS, KEYWORDS = EXAMPLES / "digits.tflite", EXAMPLES / "shapes/kws_ds_cnn.tflite"
BOARD = "nucleo-l4r5zi"
CLASSES = {"load", "store", "mul", "mac", "div", "alu", "branch", "fp", "simd"}


def test_the_report_has_what_scripts_rely_on(tinyml: Tinyml) -> None:
    report = tinyml("profile", KEYWORDS, "--target", BOARD, "--json").report
    assert report["schema"] == 1
    assert (report["target"], report["core"]) == (BOARD, "cortex-m4")
    assert report["kernels"] == "cmsis-nn"
    assert report["clock_hz"] == 120_000_000
    total, ops = report["total"], report["ops"]
    assert total["latency_low_ms"] < total["latency_ms"] < total["latency_high_ms"]
    assert total["latency_ms"] == pytest.approx(total["cycles"] / report["clock_hz"] * 1e3)
    assert total["macs"] == sum(op["macs"] for op in ops) > 0
    assert report["evidence"] in ("measured", "derived", "datasheet", "assumed")
    for op in ops:
        assert set(op["mix"]) == CLASSES
        assert sum(op["mix"].values()) == pytest.approx(op["instructions"], abs=len(CLASSES))
    shares = sum(op["share"] for op in ops)
    overhead = report["interpreter_ms"] / total["latency_ms"]
    assert shares + overhead == pytest.approx(1.0, abs=0.01)


def test_the_latency_comes_first_in_80_columns(tinyml: Tinyml) -> None:
    outcome = tinyml("profile", KEYWORDS, "--target", BOARD)
    assert outcome.code == 0
    assert "latency" in outcome.out
    assert "cycles per MAC" in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


def test_what_dominates_is_said_with_pointwise_convolutions_apart(tinyml: Tinyml) -> None:
    report = tinyml("profile", KEYWORDS, "--target", BOARD, "--json").report
    depthwise, all_others = report["by_type"][1], report["by_type"][0]
    assert (all_others["op"], depthwise["op"]) == ("CONV_2D", "DEPTHWISE_CONV_2D")
    first = report["ops"][0]
    macs, cycles = all_others["macs"] - first["macs"], all_others["cycles"] - first["cycles"]
    share = cycles / report["total"]["cycles"]
    ratio = depthwise["cycles_per_mac"] / (cycles / macs)
    shown = " ".join(tinyml("profile", KEYWORDS, "--target", BOARD).out.split())
    assert (
        f"pointwise convolutions take {share:.1%} of the time at {cycles / macs:.1f} cycles per "
        f"MAC; depthwise convolutions take {ratio:.1f} times as many"
    ) in shown.replace(" %", "%")


def test_long_lines_go_on_below_their_first_word(tinyml: Tinyml) -> None:
    lines = tinyml("profile", KEYWORDS, "--target", BOARD).out.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("latency"))
    assert all(line.startswith(" " * 10) for line in lines[start + 1 : start + 5])
    assert lines[start + 5] == ""


def test_samples_decide_on_what_values_decide(tinyml: Tinyml, tmp_path: Path) -> None:
    # Of a digit that is sure, fewer exponentials are taken than of the reference input.
    samples = tmp_path / "samples.npy"
    np.save(samples, np.load(EXAMPLES / "digits_samples.npz")["input_0"][:3])
    arguments = ("profile", DIGITS, "--target", "cortex-m0")
    before = tinyml(*arguments, "--json").report
    report = tinyml(*arguments, "-i", samples, "--json").report
    assert (before["samples"], report["samples"]) == (None, 3)
    assert report["ops"][-1]["op"] == "SOFTMAX"
    assert report["ops"][-1]["instructions"] != before["ops"][-1]["instructions"]
    assert report["ops"][-1]["spread"] < before["ops"][-1]["spread"]
    shown = " ".join(tinyml(*arguments, "-i", samples).out.split())
    assert "values of 3 samples from " in shown


@pytest.mark.parametrize("given", ["missing.npy", "wrong.npy"])
def test_samples_that_do_not_fit_are_one_line(tinyml: Tinyml, tmp_path: Path, given: str) -> None:
    np.save(tmp_path / "wrong.npy", np.zeros((3, 5), np.float32))
    outcome = tinyml("profile", DIGITS, "--target", BOARD, "-i", tmp_path / given)
    assert outcome.code == 2
    assert outcome.err.count("\n") == 1
    assert given in outcome.err


def test_by_type_and_by_time(tinyml: Tinyml, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 80 columns names of operators are whole."""
    monkeypatch.setenv("COLUMNS", "80")
    kinds = tinyml("profile", KEYWORDS, "--target", BOARD, "--by", "type")
    assert 1 <= kinds.out.count("DEPTHWISE_CONV_2D") <= 2
    ordered = tinyml("profile", KEYWORDS, "--target", BOARD, "--sort", "time")
    assert ordered.code == 0


def test_a_core_alone_has_cycles_but_no_latency(tinyml: Tinyml) -> None:
    report = tinyml("profile", DIGITS, "--target", "cortex-m4", "--json").report
    assert report["clock_hz"] is None
    assert report["total"]["cycles"] > 0
    assert report["total"]["latency_ms"] is None
    assert report["kernels"] == "reference"
    timed = tinyml("profile", DIGITS, "--target", "cortex-m4", "--clock-mhz", 10, "--json").report
    assert timed["total"]["latency_ms"] == pytest.approx(timed["total"]["cycles"] / 1e4)


def test_half_the_clock_takes_at_least_as_many_cycles_less(tinyml: Tinyml) -> None:
    usual = tinyml("profile", KEYWORDS, "--target", BOARD, "--json").report["total"]
    half = tinyml("profile", KEYWORDS, "--target", BOARD, "--clock-mhz", 60, "--json").report[
        "total"
    ]
    assert half["cycles"] <= usual["cycles"]
    assert usual["latency_ms"] < half["latency_ms"] <= 2 * usual["latency_ms"]


def test_weights_in_ram_never_take_longer(tinyml: Tinyml) -> None:
    usual = tinyml("profile", KEYWORDS, "--target", BOARD, "--json").report["total"]
    in_ram = tinyml("profile", KEYWORDS, "--target", BOARD, "--weights-in", "sram", "--json")
    assert in_ram.report["total"]["latency_ms"] <= usual["latency_ms"]


def test_what_other_kernels_would_take_is_what_they_take(tinyml: Tinyml) -> None:
    report = tinyml("profile", KEYWORDS, "--target", BOARD, "--what-if", "--json").report
    (other,) = [one for one in report["what_if"] if one["what"] == "the kernels of reference"]
    alone = tinyml("profile", KEYWORDS, "--target", BOARD, "--kernels", "reference", "--json")
    assert other["latency_ms"] == pytest.approx(alone.report["total"]["latency_ms"])
    assert "saves ms" in tinyml("profile", KEYWORDS, "--target", BOARD, "--what-if").out


def test_kernels_optimised_for_size_take_longer_or_are_unknown(tinyml: Tinyml) -> None:
    arguments = ("profile", KEYWORDS, "--target", BOARD, "--opt", "Os")
    unknown = tinyml(*arguments, "--json").report
    assert (unknown["opt"], unknown["total"]["latency_ms"]) == ("Os", None)
    assert "latency   unknown" in tinyml(*arguments).out
    usual, small = (
        tinyml("profile", KEYWORDS, "--target", BOARD, "--kernels", "reference", "--json", *opt)
        for opt in ((), ("--opt", "Os"))
    )
    assert usual.report["opt"] == "O2"
    assert small.report["total"]["latency_ms"] > 2 * usual.report["total"]["latency_ms"]
    shown = tinyml(*arguments, "--kernels", "reference")
    assert "reference kernels at -Os" in shown.out.replace("\n", " ")
    assert "assumed" in shown.out
    assert all(len(line) <= 80 for line in shown.out.splitlines())


def test_the_report_says_what_its_range_is_of(tinyml: Tinyml) -> None:
    report = tinyml("profile", KEYWORDS, "--target", "esp32-s3-devkitc", "--json").report
    total = report["total"]
    assert "one model was measured" in report["range_of"]
    # One row of a core with kernels that nobody counted: wider than any board's.
    assert total["latency_high_ms"] > 1.5 * total["latency_ms"]
    assert "one model was measured" in tinyml(
        "profile", KEYWORDS, "--target", "esp32-s3-devkitc"
    ).out.replace("\n", " ")


def test_several_targets_stand_side_by_side(tinyml: Tinyml) -> None:
    targets = ("--target", BOARD, "--target", "esp32-devkit-v1")
    outcome = tinyml("profile", DIGITS, *targets)
    assert outcome.code == 0
    lines = outcome.out.splitlines()
    assert lines[0].endswith("on 2 targets")
    (row,) = (line for line in lines if line.startswith(BOARD))
    assert row.endswith("datasheet")
    assert len(tinyml("profile", DIGITS, *targets, "--json").report["profiles"]) == 2


def test_a_note_about_several_profiles_is_told_once(tinyml: Tinyml) -> None:
    both = ("--target", "cortex-m0plus", "--target", "cortex-m33")
    out = tinyml("profile", DIGITS, *both).out.replace("\n", " ")
    assert "note: cortex-m0plus: instructions as measured on cortex-m0" in out
    two = tinyml("profile", DIGITS, KEYWORDS, *both[:2]).out.replace("\n", " ")
    assert two.count("instructions as measured on cortex-m0") == 1
    assert "note: instructions as measured on cortex-m0" in two
    mixed = tinyml("profile", DIGITS, KEYWORDS, *both).out.replace("\n", " ")
    assert "digits.tflite on cortex-m33, " in mixed


def test_all_cores(tinyml: Tinyml) -> None:
    report = tinyml("profile", DIGITS, "--all-cores", "--json").report
    assert {"cortex-m0", "cortex-m55", "rv32imc"} <= {one["target"] for one in report["profiles"]}


def test_a_row_for_each_operator(tinyml: Tinyml) -> None:
    outcome = tinyml("profile", DIGITS, "--target", BOARD, "--csv")
    rows = list(csv.DictReader(StringIO(outcome.out)))
    ops = tinyml("profile", DIGITS, "--target", BOARD, "--json").report["ops"]
    assert [row["op"] for row in rows] == [op["op"] for op in ops]
    assert [int(row["cycles"]) for row in rows] == [op["cycles"] for op in ops]


def test_a_period_that_is_too_short_is_a_no(tinyml: Tinyml) -> None:
    assert tinyml("profile", KEYWORDS, "--target", BOARD, "--duty-cycle", "10s").code == 0
    outcome = tinyml("profile", KEYWORDS, "--target", BOARD, "--duty-cycle", "1ms")
    assert outcome.code == 1
    assert "duty" in outcome.out


def test_a_bar_for_each_operator(tinyml: Tinyml) -> None:
    assert tinyml("profile", DIGITS, "--target", BOARD, "--plot", "latency.svg").code == 0
    text = Path("latency.svg").read_text("utf-8")
    ops = tinyml("profile", DIGITS, "--target", BOARD, "--json").report["ops"]
    for op in ops:
        assert f"{op['index']} {op['op']}" in text
    assert tinyml("profile", DIGITS, "--target", BOARD, "--plot", "latency.svg").code == 0
    Path("latency.svg").write_text("mine")
    refused = tinyml("profile", DIGITS, "--target", BOARD, "--plot", "latency.svg")
    assert refused.code == 2
    assert "--force replaces it" in refused.err
    assert Path("latency.svg").read_text("utf-8") == "mine"


def test_a_picture_is_of_one_target(tinyml: Tinyml) -> None:
    targets = ("--target", BOARD, "--target", "cortex-m4")
    outcome = tinyml("profile", DIGITS, *targets, "--plot", "latency.svg")
    assert outcome.code == 2
    assert "one model on one target" in outcome.err


def test_average_power_is_that_of_computing_and_of_sleeping(tinyml: Tinyml) -> None:
    arguments = ("profile", DIGITS, "--target", BOARD, "--duty-cycle", "2s")
    report = tinyml(*arguments, "--json").report
    duty = report["total"]["latency_ms"] / 2e3
    assert report["duty_cycle"] == pytest.approx(duty)
    power = load_target(BOARD).board
    assert power is not None
    active, asleep = power.power.active_mw, power.power.sleep_mw
    assert active is not None
    assert asleep is not None
    average = duty * active.value + (1 - duty) * asleep.value
    assert report["average_mw"] == pytest.approx(average)
    assert report["average_mw_evidence"] == "assumed"
    assert "mW on average, assumed" in tinyml(*arguments).out


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("nucleo-f746zg", "no power of nucleo-f746zg asleep"),
        ("cortex-m4", "no power of a core alone"),
    ],
)
def test_average_power_without_both_is_unknown(tinyml: Tinyml, target: str, why: str) -> None:
    arguments = ("profile", DIGITS, "--duty-cycle", "1s", "--clock-mhz", "200", "--target", target)
    report = tinyml(*arguments, "--json").report
    assert report["average_mw"] is None
    assert report["average_mw_evidence"] is None
    shown = " ".join(tinyml(*arguments).out.split())
    assert f"average power unknown: {why}" in shown


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        ((), "--target NAME says where it runs", 2),
        (("--target", "nucleo-l4r"), "near: nucleo-l4r5zi", 4),
        (("--target", BOARD, "--clock-mhz", "0"), "--clock-mhz takes a number of MHz above 0", 2),
        (("--target", BOARD, "--weights-in", "tape"), "no memory 'tape' (there are: flash", 4),
        (("--target", "cortex-m4", "--weights-in", "sram"), "is a core alone", 4),
        (("--target", BOARD, "--kernels", "mine"), "no kernel library 'mine'", 2),
        (("--target", BOARD, "--duty-cycle", "2min"), "--duty-cycle takes", 2),
        (("--target", BOARD, "--by", "name"), "--by takes op, type", 2),
        (("--target", BOARD, "--opt", "O3"), "--opt takes O2, Os, not 'O3'", 2),
    ],
)
def test_wrong_options_are_one_line(
    tinyml: Tinyml, arguments: tuple[str, ...], message: str, code: int
) -> None:
    outcome = tinyml("profile", DIGITS, *arguments)
    assert outcome.code == code
    assert outcome.err.startswith("error: ")
    assert message in outcome.err


def test_a_model_that_does_not_load(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(DIGITS.read_bytes()[:400])
    outcome = tinyml("profile", path, "--target", BOARD)
    assert outcome.code == 3
    assert str(path) in outcome.err
