"""ELU: by hand, beside Python's own functions, and beside TFLM."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
import pytest

from tests.support.layers import curve
from tests.support.single_op import (
    SingleOp,
    assert_like_tflm,
    constant,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.types import BuiltinOperator

EVERY_INT8 = np.arange(-128, 128).astype(np.int8)


elu = partial(curve, BuiltinOperator.ELU)
CASES = {
    "float32": elu(np.float32, shape=(2, 3, 40)),
    "int8": elu(),
    "the lowest zero points": elu(zero_points=(-128, -128)),
    "the highest zero points": elu(zero_points=(127, 127)),
    "a finer output": elu(scales=(0.03, 0.004), zero_points=(3, -7)),
    "a coarser output": elu(scales=(0.03, 0.4), zero_points=(3, -7)),
    "small inputs": elu(scales=(0.0001, 0.00007)),
    "large inputs": elu(scales=(3.0, 0.01)),
    "a scalar": elu(shape=()),
    "a constant": SingleOp(
        BuiltinOperator.ELU, [constant(EVERY_INT8, 0.05)], [fed((256,), np.int8, 0.04)]
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", [c for n, c in CASES.items() if n != "a constant"])
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_keeps_positive_real_values_and_bends_negative_ones() -> None:
    case = elu(scales=(0.5, 0.25), zero_points=(10, -3), shape=(4,))
    # 1.0 is 4 steps above -3; 0; exp(-1) - 1 = -0.632 is 2.53 steps below; 45.0 saturates
    (output,) = run_ours(case.model(), [np.array([12, 10, 8, 100], np.int8)])
    assert output.tolist() == [1, -3, -6, 127]


def test_floats_are_within_two_units_in_the_last_place() -> None:
    generator = np.random.default_rng(3)
    values = (generator.standard_normal(1000) * np.exp(generator.uniform(-9, 3, 1000))).astype("f4")
    (output,) = run_ours(elu(np.float32, shape=values.shape).model(), [values])
    for value, result in zip(values.tolist(), output.tolist(), strict=True):
        exact = value if value >= 0 else math.expm1(value)
        assert abs(result - exact) <= 2 * float(np.spacing(np.float32(abs(exact))))


def test_special_floats_pass() -> None:
    values = np.array([np.nan, np.inf, -np.inf, -1e4, 3e38], np.float32)
    (output,) = run_ours(elu(np.float32, shape=(5,)).model(), [values])
    np.testing.assert_array_equal(output, np.array([np.nan, np.inf, -1, -1, 3e38], np.float32))


FLOATS = fed((3,), np.float32)
REFUSALS = {
    "int16": (elu(np.int16), "ELU only supports float32 and int8 currently, got INT16"),
    "another output type": (
        SingleOp(BuiltinOperator.ELU, [FLOATS], [fed((3,), np.int8, 0.5)]),
        "the output is INT8",
    ),
    "another output size": (
        SingleOp(BuiltinOperator.ELU, [FLOATS], [fed((4,), np.float32)]),
        "makes 3",
    ),
    "no output scale": (elu(scales=(0.1, 0.0)), "a scale is not positive"),
    "two inputs": (SingleOp(BuiltinOperator.ELU, [FLOATS] * 2, [FLOATS]), "2 inputs"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
