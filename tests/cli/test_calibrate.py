"""`tinyml calibrate` and `tinyml profile --measured`: the file, the report, and what goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.support.priced_loops import price_all_loops

DIGITS = EXAMPLES / "digits.tflite"
LOG = EXAMPLES / "digits_run.log"
BOARD = ("--target", "nucleo-l4r5zi", "--kernels", "reference")


@pytest.fixture(autouse=True)
def loops(monkeypatch: pytest.MonkeyPatch) -> None:
    price_all_loops(monkeypatch)


def test_a_log_becomes_a_target_that_commands_take(tinyml: Tinyml, tmp_path: Path) -> None:
    outcome = tinyml("calibrate", LOG, "--model", DIGITS, *BOARD, "-o", "mine.toml")
    assert outcome.code == 0
    assert "each operator left out" in outcome.out
    assert "mine.toml: written" in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())
    text = (tmp_path / "mine.toml").read_text("utf-8")
    assert text.startswith("# Made by tinyml calibrate")
    assert tinyml("profile", DIGITS, "--target", "mine.toml", "--json").report["target"] == "mine"
    shipped, mine = (
        tinyml("profile", DIGITS, "--target", name, "--kernels", "reference", "--json").report
        for name in ("nucleo-l4r5zi", "mine.toml")
    )
    assert _width(mine["total"]) != pytest.approx(_width(shipped["total"]), rel=0.01)
    assert "left out of this calibration" in mine["range_of"]
    assert tinyml("plan", DIGITS, "--target", "mine.toml").code == 0
    assert tinyml("targets", "mine.toml").code == 0


def _width(total: dict[str, float]) -> float:
    return total["latency_high_ms"] / total["latency_low_ms"]


def test_the_report_as_json(tinyml: Tinyml) -> None:
    report = tinyml("calibrate", LOG, "-m", DIGITS, *BOARD, "--json").report
    assert report["schema"] == 1
    assert report["written"] is None
    assert report["logs"][0]["invocations"] == 3
    assert report["logs"][0]["model"]["path"] == str(DIGITS)
    assert {one["name"] for one in report["parameters"]} >= {"core", "operator_cycles"}
    errors = report["errors"]
    assert errors["after"]["whole_worst"] < errors["before"]["whole_worst"]
    assert errors["left_out"] is not None
    before, after = (report["interval"][name] for name in ("before", "after"))
    assert before["high"] == pytest.approx(1.329)
    assert "left out of this calibration" in after["of"]
    assert len(report["measurements"]) == 11  # ten nodes and the whole


def test_a_target_can_be_calibrated_again(tinyml: Tinyml, tmp_path: Path) -> None:
    tinyml("calibrate", LOG, "-m", DIGITS, *BOARD, "-o", "mine.toml")
    (tmp_path / "sub").mkdir()
    again = tinyml("calibrate", LOG, "-m", DIGITS, "--target", "mine.toml", "-o", "sub/more.toml")
    assert again.code == 0
    assert 'based_on = "../mine.toml"' in (tmp_path / "sub/more.toml").read_text("utf-8")
    assert tinyml("targets", "sub/more.toml").code == 0


def test_only_a_file_of_its_own_is_replaced(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("precious = 1\n")
    call = ("calibrate", LOG, "-m", DIGITS, *BOARD, "-o", "mine.toml")
    outcome = tinyml(*call)
    assert outcome.code == 2
    assert "not from tinyml; --force replaces it" in outcome.err
    assert path.read_text() == "precious = 1\n"
    assert tinyml(*call, "--force").code == 0
    assert tinyml(*call).code == 0


def test_a_target_file_is_not_written_over_itself(tinyml: Tinyml) -> None:
    tinyml("calibrate", LOG, "-m", DIGITS, *BOARD, "-o", "mine.toml")
    call = ("calibrate", LOG, "-m", DIGITS, "--target", "mine.toml", "-o", "mine.toml")
    outcome = tinyml(*call)
    assert outcome.code == 2
    assert "this run reads that file" in outcome.err


def test_a_log_comes_from_standard_input_in_any_encoding(tinyml: Tinyml) -> None:
    content = LOG.read_text("utf-8").encode("utf-16")
    outcome = tinyml("calibrate", "-", "-m", DIGITS, *BOARD, "--json", stdin=content)
    assert outcome.report["logs"][0]["path"] == "<standard input>"


def test_several_logs_and_models_pair_in_their_order(tinyml: Tinyml, tmp_path: Path) -> None:
    sine = tmp_path / "sine.csv"
    sine.write_text("op,us\n" + "FULLY_CONNECTED,100\n" * 3)
    models = ("-m", DIGITS, "-m", EXAMPLES / "sine.tflite")
    report = tinyml("calibrate", LOG, sine, *models, *BOARD, "--json").report
    assert report["errors"]["left_out_is"] == "model"
    outcome = tinyml("calibrate", LOG, sine, LOG, *models, *BOARD)
    assert outcome.code == 2
    assert "3 logs and 2 models" in outcome.err


def test_clock_and_kernels_come_from_the_log(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "run.log"
    path.write_text(
        'MCUFIT_RESULT {"model":"digits.tflite","cpu_mhz":80,"kernels":"reference","p50_us":9000}\n'
    )
    report = tinyml("calibrate", path, "-m", DIGITS, "--target", "nucleo-l4r5zi", "--json").report
    assert report["clock_hz"] == 80e6
    assert report["kernels"] == "reference"
    assert report["errors"]["left_out"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-m", DIGITS), "--target NAME says which board"),
        (BOARD, "--model MODEL says what ran"),
        (("-m", DIGITS, *BOARD, "--unit", "hours"), "--unit takes us, cycles"),
        (("-m", DIGITS, *BOARD, "--ticks-per-second", "0"), "a number of ticks above 0"),
        (("-m", DIGITS, *BOARD, "--unit", "us", "--ticks-per-second", "9"), "give one of them"),
        (("-m", DIGITS, *BOARD, "--invocations", "0"), "whole number from 1"),
        (("-m", DIGITS, *BOARD, "--clock-mhz", "0"), "--clock-mhz"),
        (("-m", DIGITS, *BOARD, "-o", "mine.txt"), "must end in .toml"),
        (("-m", DIGITS, *BOARD, "-o", "no/mine.toml"), "there is no folder"),
        (("-m", EXAMPLES / "sine.tflite", *BOARD), "line 1: the log has CONV_2D where node 0"),
    ],
)
def test_what_does_not_fit_is_one_line(
    tinyml: Tinyml, arguments: tuple[object, ...], message: str
) -> None:
    outcome = tinyml("calibrate", LOG, *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1
    assert not outcome.out


def test_targets_that_are_no_boards_or_not_there(tinyml: Tinyml) -> None:
    for name, message in (("cortex-m4", "is a core alone"), ("nucleo", "no target 'nucleo'")):
        outcome = tinyml("calibrate", LOG, "-m", DIGITS, "--target", name)
        assert outcome.code == 4
        assert message in outcome.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the log is empty"),
        (bytes(range(256)) * 40, "no line with a measured time"),
        (b"CONV_2D took 0 ticks (0 ms).\n", "the log ends before node 1"),
    ],
)
def test_logs_that_say_nothing(tinyml: Tinyml, content: bytes, message: str) -> None:
    outcome = tinyml("calibrate", "-", "-m", DIGITS, *BOARD, stdin=content)
    assert outcome.code == 2
    assert message in outcome.err


def test_zero_ticks_are_explained(tinyml: Tinyml) -> None:
    lines = (line.split(" took ") for line in LOG.read_text("utf-8").splitlines() if line)
    text = "".join(f"{tag} took 0 ticks (0 ms).\n" for tag, _ in lines)
    outcome = tinyml("calibrate", "-", "-m", DIGITS, *BOARD, stdin=text.encode())
    assert outcome.code == 2
    assert "the port's timer is not implemented" in outcome.err


def test_a_profile_shows_the_measured_run_beside(tinyml: Tinyml) -> None:
    outcome = tinyml("profile", DIGITS, *BOARD, "--measured", LOG)
    assert outcome.code == 0
    assert "measured ms" in outcome.out
    assert "the prediction is off by" in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())
    by_type = tinyml("profile", DIGITS, *BOARD, "--measured", LOG, "--by", "type", "--sort", "time")
    assert "measured ms" in by_type.out


def test_the_prediction_beside_a_log_is_of_its_optimisation(tinyml: Tinyml) -> None:
    text = (
        'MCUFIT_RESULT {"model":"digits.tflite","cpu_mhz":120,"kernels":"reference",'
        '"opt_level":"-Os","p50_us":90000}\n'
    )
    call = ("profile", DIGITS, "--target", "nucleo-l4r5zi", "--measured", "-", "--json")
    report = tinyml(*call, stdin=text.encode()).report
    assert (report["opt"], report["kernels"]) == ("Os", "reference")
    asked = tinyml(*call, "--opt", "O2", stdin=text.encode()).report
    assert asked["opt"] == "O2"


def test_the_measured_run_in_json_and_csv(tinyml: Tinyml) -> None:
    report = tinyml("profile", DIGITS, *BOARD, "--measured", LOG, "--json").report
    times = [op["measured_ms"] for op in report["ops"]]
    assert report["total"]["measured_ms"] == pytest.approx(sum(times), rel=0.01)
    assert report["measured"]["invocations"] == 3
    rows = tinyml("profile", DIGITS, *BOARD, "--measured", LOG, "--csv").out.splitlines()
    assert "measured_ms" in rows[0].split(",")
    assert tinyml("profile", DIGITS, *BOARD, "--json").report["measured"] is None


def test_a_measured_run_is_of_one_model_on_one_target(tinyml: Tinyml) -> None:
    outcome = tinyml("profile", DIGITS, DIGITS, *BOARD, "--measured", LOG)
    assert outcome.code == 2
    assert "one model on one target" in outcome.err
