"""Operators that keep a state in variable tensors, several invocations each."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.conformance.cases import Case, Settings, grid
from tests.conformance.tolerances import sum_of
from tests.runtime.kernels.test_lstm import CASES as LSTM
from tests.runtime.kernels.test_lstm import FLOAT_CASES as FLOAT_LSTM
from tests.runtime.kernels.test_lstm import INT16, lstm
from tests.runtime.kernels.test_svdf import svdf
from tinyml_runtime.types import Activation

STEPS = 4
SIZES: dict[str, Settings] = {
    "": {},
    "a batch": {"batch": 3},
    "one of everything": {"features": 1, "units": 1, "rank": 1, "memory": 1},
    "odd sizes": {"features": 17, "units": 5, "rank": 3, "memory": 7},
    "rank 1": {"rank": 1, "units": 9, "memory": 2},
}
SCALES: dict[str, Settings] = {
    "saturated states": {"state_scale": 1e-5, "out_scale": 0.5},
    "saturated outputs": {"out_scale": 0.0001},
    "left shifts": {"in_scale": 40.0, "state_scale": 0.1, "out_scale": 0.0001},
}
POINTS = ((-128, 0, 127), (127, 0, -128), (3, -128, 5), (3, 100, 5))
LSTM_SIZES: dict[str, Settings] = {
    "": {},
    "one of everything": {"steps": 1, "features": 1, "units": 1},
    "odd sizes": {"features": 7, "units": 9, "steps": 3},
}
LSTM_SCALES: dict[str, Settings] = {
    "small weights": {"weight_scale": 0.002},
    "tiny weights": {"weight_scale": 1e-6},
    "large weights": {"weight_scale": 2.0},
    "coarse cells": {"cell_scale": 2.0**-9},
    "fine cells": {"cell_scale": 2.0**-15},
    "cells whose scale is no power of two": {"cell_scale": 0.0003},
}
WIDE_SVDF: Settings = {"kind": "int16", "state_scale": 1e-5, "largest_time": 2**15 - 1}


def _svdf() -> list[Case]:
    kinds = ("float32", "int8", "int16")
    # Three sums follow one another: features, the memory of a filter, the filters of a unit.
    close = sum_of(60)
    return [
        *grid(svdf, SIZES, kind=kinds, steps=STEPS, tolerance=close),
        *grid(svdf, kind=kinds, activation=list(Activation)[1:4], steps=STEPS, tolerance=close),
        *grid(svdf, SCALES, kind=kinds[1:], steps=STEPS),
        *grid(svdf, kind=kinds[1:], zero_points=POINTS, steps=STEPS),
        *grid(svdf, {"sums over time that overflow": WIDE_SVDF}, steps=STEPS),
    ]


def _lstm() -> list[Case]:
    close = sum_of(60)
    both: tuple[tuple[Any, ...], ...] = (({},), (INT16,))
    cases: list[Case] = []
    for (settings,) in both:
        of = partial(lstm, **settings)
        cases += grid(of, LSTM_SIZES, batch=(1, 3), time_major=(False, True), steps=2)
        cases += grid(of, LSTM_SCALES, steps=2)
        cases += grid(of, clip=(0.3, 10.0, -1.0), steps=2)
    floats = partial(lstm, "float32")
    return [
        *cases,
        *grid(lstm, {f"row {name}": each for name, each in LSTM.items()}, steps=3),
        *grid(floats, FLOAT_LSTM, steps=3, tolerance=close),
        *grid(
            floats, LSTM_SIZES, batch=(1, 3), time_major=(False, True), steps=2, tolerance=close
        ),
    ]


CASES = [*_svdf(), *_lstm()]
