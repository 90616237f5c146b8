"""Operators that keep a state in variable tensors, several invocations each."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from tests.conformance.cases import Case, Settings, grid
from tests.conformance.tolerances import sum_of
from tests.runtime.kernels.test_lstm import CASES as LSTM
from tests.runtime.kernels.test_lstm import FLOAT_CASES as FLOAT_LSTM
from tests.runtime.kernels.test_lstm import HIDDEN, INT16, lstm
from tests.runtime.kernels.test_svdf import svdf
from tests.support.single_op import Operand, SingleOp
from tinyml_runtime.types import Activation, TensorType

STEPS = 4
SIZES: dict[str, Settings] = {
    "usual sizes": {},
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
    "usual sizes": {},
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
    # TFLM ignores the activation of integers, LiteRT runs this one only.
    integers = partial(svdf, activation=Activation.RELU)
    return [
        *grid(svdf, SIZES, kind=kinds[:1], steps=STEPS, tolerance=close),
        *grid(svdf, kind=kinds, activation=list(Activation)[:4], steps=STEPS, tolerance=close),
        *grid(integers, SIZES, kind=kinds[1:], steps=STEPS),
        *grid(integers, SCALES, kind=kinds[1:], steps=STEPS),
        *grid(integers, kind=kinds[1:], zero_points=POINTS, steps=STEPS),
        *grid(integers, {"sums over time that overflow": WIDE_SVDF}, steps=STEPS),
    ]


def _with_intermediates(**settings: Any) -> SingleOp:
    """LiteRT wants five intermediate tensors of an int8 operator; TFLM does without."""
    source = lstm(**settings)
    state = source.inputs[HIDDEN]
    assert state is not None
    gate = Operand((0,), TensorType.INT16, None, (1.0,), (0,))
    hidden = Operand((0,), TensorType.INT8, None, state.scales, state.zero_points)
    return replace(source, intermediates=[gate] * 4 + [hidden])


def _lstm() -> list[Case]:
    close = sum_of(60)
    int8 = {name: each for name, each in LSTM.items() if each.get("kind", "int8") == "int8"}
    int16 = {name: each for name, each in LSTM.items() if name not in int8}
    cases: list[Case] = []
    for of in (_with_intermediates, partial(lstm, **INT16)):
        cases += grid(of, LSTM_SIZES, batch=(1, 3), time_major=(False, True), steps=2)
        cases += grid(of, LSTM_SCALES, steps=2)
        cases += grid(of, clip=(0.3, 10.0, -1.0), steps=2)
    floats = partial(lstm, "float32")
    return [
        *cases,
        *grid(_with_intermediates, {f"with {name}": each for name, each in int8.items()}, steps=3),
        *grid(lstm, {f"with {name}": each for name, each in int16.items()}, steps=3),
        *grid(lstm, {"no intermediates": {}}, steps=3),
        *grid(floats, FLOAT_LSTM, steps=3, tolerance=close),
        *grid(floats, LSTM_SIZES, batch=(1, 3), time_major=(False, True), steps=2, tolerance=close),
    ]


CASES = [*_svdf(), *_lstm()]
