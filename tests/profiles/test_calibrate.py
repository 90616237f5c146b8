"""Calibration: known factors come back from logs that were made with them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.priced_loops import no_loops, price_all_loops
from tinyml_profiles import load_target, profile_model
from tinyml_profiles.calibrate import calibrate
from tinyml_profiles.calibration.fit import PARAMETERS, Sample, fit, free_parameters
from tinyml_profiles.calibration.report import CalibrationReport, Run
from tinyml_profiles.calibration.target_file import target_toml
from tinyml_profiles.logs.measure import Measurement, measure
from tinyml_profiles.logs.read import read_log
from tinyml_profiles.logs.units import Timing
from tinyml_profiles.target import Calibration, Figure, Target
from tinyml_runtime import load_model
from tinyml_runtime.errors import InputError, TargetError

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS = EXAMPLES / "digits.tflite"
SHAPES = sorted((EXAMPLES / "shapes").glob("*.tflite"))
CLOCK_HZ = 120e6
START = np.array([1.0, 1.0, 1.0, 1.0, 0.0])


@pytest.fixture(autouse=True)
def loops(monkeypatch: pytest.MonkeyPatch) -> None:
    price_all_loops(monkeypatch)


def board() -> Target:
    return load_target("nucleo-l4r5zi")


def with_factors(**factors: float) -> Target:
    target = board()
    assert target.board is not None
    figures = {name: Figure(value, "assumed", "test") for name, value in factors.items()}
    return replace(target, board=replace(target.board, calibration=Calibration(**figures)))


def log_of(path: Path, target: Target, noise: float = 0.0, invocations: int = 1) -> str:
    """What the profiler would print on `target`, ticks being cycles."""
    report = profile_model(load_model(path), target, "reference")
    chance = random.Random(7)
    return "".join(
        f"{node.operator} took {round(node.cycles.total * chance.gauss(1, noise))} ticks\n"
        for _ in range(invocations)
        for node in report.nodes
        if node.cycles is not None
    )


def run_of(path: Path, text: str) -> Run:
    model = load_model(path)
    timing = Timing(unit="cycles", clock_hz=CLOCK_HZ)
    measured = measure(read_log(text, "run.log"), model, timing)
    return Run(model, path.name, "0" * 64, measured)


def calibrated(runs: Sequence[Run]) -> CalibrationReport:
    return calibrate(runs, board(), "reference", CLOCK_HZ)


def test_known_factors_come_back() -> None:
    target = with_factors(core=1.3, fetch=1.8, operator_cycles=400)
    report = calibrated([run_of(path, log_of(path, target)) for path in (DIGITS, *SHAPES)])
    found = {one.name: one.after for one in report.parameters}
    assert found["core"] == pytest.approx(1.3, rel=0.02)
    assert found["fetch"] == pytest.approx(1.8, rel=0.1)
    assert found["operator_cycles"] == pytest.approx(400, rel=0.2)
    assert report.before.whole is not None
    assert report.before.whole > 0.2
    assert report.after.whole is not None
    assert report.after.whole < 0.005
    assert report.left_out is not None
    assert report.left_out_is == "model"
    assert report.left_out.whole is not None
    assert report.left_out.whole < 0.02


def test_a_log_of_the_board_as_it_is_changes_nothing() -> None:
    report = calibrated([run_of(DIGITS, log_of(DIGITS, board()))])
    for one in report.parameters:
        tolerance = 5 if one.name == "operator_cycles" else 0.02  # cycles; factors
        assert one.after == pytest.approx(one.before.value, abs=tolerance)


def test_one_operator_that_is_far_off_pulls_little() -> None:
    text = log_of(DIGITS, with_factors(core=1.3, fetch=1.3))
    lines = text.splitlines(keepends=True)
    lines[-1] = "SOFTMAX took 9000000 ticks\n"
    report = calibrated([run_of(DIGITS, "".join(lines))])
    assert {one.name: one.after for one in report.parameters}["core"] == pytest.approx(1.3, rel=0.1)
    assert any("still far off: 9 SOFTMAX" in note for note in report.notes)


def test_noise_of_a_tenth_still_predicts_what_is_left_out() -> None:
    text = log_of(SHAPES[-1], with_factors(core=0.7, operator_cycles=300), noise=0.1)
    report = calibrated([run_of(SHAPES[-1], text)])
    assert report.left_out is not None
    assert report.left_out_is == "operator"
    assert report.left_out.median is not None
    assert report.left_out.median < 0.15
    assert report.before.median is not None
    assert report.before.median > 0.3


def test_a_whole_lap_moves_only_the_core() -> None:
    model = load_model(DIGITS)
    predicted = profile_model(model, board(), "reference").total.latency_ms
    assert predicted is not None
    lap = Measurement("run.log", "laps", "us", 10, 1e-3, whole_ms=1.2 * predicted)
    report = calibrated([Run(model, "digits", "0" * 64, lap)])
    assert [one.name for one in report.parameters if one.is_fitted] == ["core"]
    assert report.after.whole is not None
    assert report.after.whole < 0.02
    assert report.left_out is None
    assert any("nothing can be left out" in note for note in report.notes)


def test_sums_by_tag_are_enough() -> None:
    report = profile_model(load_model(DIGITS), with_factors(core=1.5, fetch=1.5), "reference")
    sums: dict[str, float] = {}
    for node in report.nodes:
        assert node.cycles is not None
        sums[node.operator] = sums.get(node.operator, 0) + node.cycles.total
    rows = "".join(f"{tag}, {round(ticks)}\n" for tag, ticks in sums.items())
    text = f'"Unique Tag","Total ticks"\n{rows}"total number of ticks", 1\n'
    found = calibrated([run_of(DIGITS, text)])
    assert {one.name for one in found.compared} >= {"CONV_2D", "whole"}
    assert found.after.whole is not None
    assert found.after.whole < 0.02


def test_a_log_of_another_build_is_suspected() -> None:
    report = calibrated([run_of(DIGITS, log_of(DIGITS, with_factors(core=5, fetch=5)))])
    assert any("another build" in note for note in report.notes)
    assert report.after.whole is not None
    assert report.after.whole < 0.05


def test_a_core_alone_has_nothing_to_calibrate() -> None:
    run = run_of(DIGITS, log_of(DIGITS, board()))
    with pytest.raises(TargetError, match="is a core alone"):
        calibrate([run], load_target("cortex-m4"), "reference", CLOCK_HZ)


def test_what_nobody_predicts_cannot_be_calibrated(monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(DIGITS, log_of(DIGITS, board()))
    no_loops(monkeypatch)
    with pytest.raises(InputError, match="nothing that was measured is predicted"):
        calibrated([run])


def test_the_file_is_a_target_that_predicts_the_log(tmp_path: Path) -> None:
    run = run_of(DIGITS, log_of(DIGITS, with_factors(core=1.3, fetch=1.8, operator_cycles=400)))
    report = calibrated([run])
    path = tmp_path / "mine.toml"
    path.write_text(target_toml(report, 'a "b"', "nucleo-l4r5zi", "Made by a test"), "utf-8")
    target = load_target(str(path))
    assert target.name == 'a "b"'
    assert target.board is not None
    assert target.board.library == "reference"
    core = target.board.calibration.core
    assert core.evidence == "measured"
    assert "run.log" in core.ref
    assert "digits.tflite" in core.ref
    assert "left out" in core.ref
    latency = profile_model(load_model(DIGITS), target, "reference")
    total = latency.total.latency_ms
    assert total is not None
    assert total - latency.overhead_ms == pytest.approx(run.measurement.total_ms, rel=0.01)
    assert latency.total.latency_low_ms is not None


def test_a_target_may_be_based_on_a_file(tmp_path: Path) -> None:
    start = 'from = "measured"\nref = "x"\n'
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(
        f'name = "first"\nbased_on = "nucleo-l4r5zi"\n{start}[clock]\ncore_hz = 60_000_000\n'
        "[calibration]\ncore = 2\n"
    )
    second.write_text(f'name = "second"\nbased_on = "first.toml"\n{start}[calibration]\ncore = 3\n')
    target, shipped = load_target(str(second)), board()
    assert target.board is not None
    assert shipped.board is not None
    assert target.board.clock_hz.value == 60e6
    assert target.board.calibration.core.value == 3
    # The same wait in nanoseconds is half as many cycles at half the clock.
    wait = shipped.board.memories["flash"].wait_cycles.value
    assert target.board.memories["flash"].wait_cycles.value == pytest.approx(wait / 2)


def test_a_target_based_on_itself_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'name = "mine"\nbased_on = "mine.toml"\nfrom = "measured"\nref = "x"\n[calibration]\n'
    )
    with pytest.raises(TargetError, match="goes round in a circle"):
        load_target(str(path))


def test_parameters_stay_within_their_bounds() -> None:
    parts = np.array([1000.0, 100.0, 0.0, 0.0, 1.0])
    samples = [Sample(parts * size, 11e3 * size) for size in (1.0, 2.0, 3.0, 4.0, 5.0, 6.0)]
    values, _ = fit(samples, START, [0, 1])
    assert 8 < values[0] <= 10
    assert 0.05 <= values[1] <= 20


def test_a_log_in_another_unit_is_suspected() -> None:
    text = log_of(DIGITS, board())
    model = load_model(DIGITS)
    measured = measure(read_log(text, "run.log"), model, Timing(unit="us"))
    with pytest.raises(InputError, match=r"measured is 120 times what is predicted.*--unit"):
        calibrated([Run(model, "digits.tflite", "0" * 64, measured)])


def test_few_measurements_free_few_parameters() -> None:
    parts = np.array([700.0, 200.0, 100.0, 0.0, 1.0])
    names = [
        [PARAMETERS[k] for k in free_parameters([Sample(parts, 1000)] * count, START)]
        for count in (1, 6, 9, 12)
    ]
    assert names == [
        ["core"],
        ["core", "fetch"],
        ["core", "fetch", "weights"],
        ["core", "fetch", "weights", "operator_cycles"],
    ]
