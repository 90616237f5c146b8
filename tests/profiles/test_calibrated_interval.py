"""The interval of a calibrated target: narrower or wider by what was left out, or as before."""

from __future__ import annotations

import math
import random

import pytest

from tinyml_profiles.calibration.report import Compared
from tinyml_profiles.calibration.width import FEWEST, MOST, PRIOR, calibrated_interval
from tinyml_profiles.uncertainty import Interval

SHIPPED = Interval(1 / 1.3, 1.3, "other boards")


def rows(model: str, errors: list[float], is_whole: bool = False) -> list[Compared]:
    return [
        Compared(model, f"{n}", 1.0, 1.0, 1.0, math.exp(error), is_whole)
        for n, error in enumerate(errors)
    ]


def high(*compared: Compared) -> float:
    found = calibrated_interval(compared, SHIPPED)
    assert found is not None
    assert found.low == pytest.approx(1 / found.high)
    return found.high


def test_few_operators_leave_the_interval_as_it_was() -> None:
    assert calibrated_interval(rows("a", [0.01] * (FEWEST - 1)), SHIPPED) is SHIPPED
    assert calibrated_interval(rows("a", [0.01], is_whole=True), SHIPPED) is SHIPPED
    assert calibrated_interval(rows("a", [0.01] * FEWEST), None) is None


def test_small_errors_make_it_narrower_and_large_ones_wider() -> None:
    assert high(*rows("a", [0.01] * FEWEST)) < SHIPPED.high < high(*rows("a", [0.5] * FEWEST))


def test_errors_as_large_as_expected_leave_it_as_wide_as_it_was() -> None:
    usual = math.log(SHIPPED.high) / 1.86
    assert high(*rows("a", [usual] * 20)) == pytest.approx(SHIPPED.high)


def test_one_model_is_one_model_however_many_operators_it_has() -> None:
    one = high(*rows("a", [0.0] * 1000))
    # A variance of 0 that counts as much as the shipped one halves it.
    assert one == pytest.approx(
        math.exp(math.log(SHIPPED.high) * math.sqrt(PRIOR / (PRIOR + MOST)))
    )
    assert high(*rows("a", [0.0] * 1000), *rows("b", [0.0] * 1000)) < one


def test_a_whole_counts_only_where_no_operator_does() -> None:
    operators = rows("a", [0.02] * 9)
    assert high(*operators, *rows("a", [0.9], is_whole=True)) == high(*operators)
    laps = [row for n in range(FEWEST) for row in rows(f"{n}", [0.01], is_whole=True)]
    assert high(*laps) < SHIPPED.high


def test_nine_of_ten_models_of_a_calibrated_board_lie_inside() -> None:
    chance = random.Random(3)
    inside = trials = 0
    for _ in range(300):
        # Operators are off by a twentieth, and so is a model that was not there.
        compared = [row for model in "abcd" for row in rows(model, [chance.gauss(0, 0.05)] * 10)]
        found = calibrated_interval(compared, SHIPPED)
        assert found is not None
        trials += 1
        inside += found.low <= math.exp(chance.gauss(0, 0.05)) <= found.high
    assert inside / trials > 0.85
