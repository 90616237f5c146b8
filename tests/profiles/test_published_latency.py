"""Predictions beside published measurements on real boards, as the documents state them."""

from __future__ import annotations

import csv
import hashlib
import math
from collections import Counter
from functools import cache
from importlib.resources import files
from pathlib import Path
from statistics import median

import pytest

from tests.support.corpus import corpus_models, needs_corpus
from tinyml_profiles import load_target
from tinyml_profiles.loops import find_loops
from tinyml_profiles.profile import profile_model
from tinyml_profiles.uncertainty import interval
from tinyml_runtime import load_model

DATA = files("tinyml_profiles") / "data" / "measurements" / "latency.csv"
ROWS = list(csv.DictReader(DATA.read_text("utf-8").splitlines()))
WHOLE = [row for row in ROWS if not row["operator"]]


@cache
def models() -> dict[str, Path]:
    return {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in corpus_models()}


def error(row: dict[str, str], column: str) -> float:
    return float(row[column]) / float(row["cycles"]) - 1


@pytest.mark.parametrize(
    ("column", "typical", "worst"),
    [("predicted", 0.10, 0.25), ("row_left_out", 0.20, 0.40), ("board_left_out", 0.20, 0.40)],
)
def test_whole_models_are_predicted_within_bounds(
    column: str, typical: float, worst: float
) -> None:
    errors = [abs(error(row, column)) for row in WHOLE]
    assert median(errors) <= typical
    assert max(errors) <= worst


def test_sums_of_a_type_of_operator_are_within_a_fifth_in_the_median() -> None:
    assert median(abs(error(row, "predicted")) for row in ROWS if row["operator"]) <= 0.2


def test_nine_of_ten_measurements_lie_inside_the_interval_without_their_board() -> None:
    """What is left when the board is not known is the interval of any board."""
    table = load_target("nucleo-f103rb")
    factors = interval(table, "reference")
    assert factors is not None
    inside = Counter(
        factors.low <= float(row["cycles"]) / float(row["board_left_out"]) <= factors.high
        for row in WHOLE
    )
    assert 0.85 <= inside[True] / inside.total() <= 0.97


@needs_corpus
@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row['target']}-{row['model'].split()[1]}") for row in WHOLE]
)
def test_the_stated_prediction_is_what_a_profile_says(row: dict[str, str]) -> None:
    path = models().get(row["sha256"])
    target = load_target(row["target"])
    if path is None or find_loops(target.core, row["library"]) is None:
        pytest.skip("no such model, or nothing that was measured")
    report = profile_model(
        load_model(str(path)), target, row["library"], clock_hz=float(row["clock_hz"])
    )
    assert report.total.cycles is not None
    # The interpreter's own cycles are not in the fit.
    assert math.isclose(report.total.cycles, float(row["predicted"]), rel_tol=0.03)
