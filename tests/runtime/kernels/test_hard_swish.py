"""HARD_SWISH: by hand, beside the real function, and beside TFLM."""

from __future__ import annotations

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


hard_swish = partial(curve, BuiltinOperator.HARD_SWISH)
CASES = {
    "float32": hard_swish(np.float32, shape=(2, 3, 40)),
    "int8": hard_swish(),
    "the lowest zero points": hard_swish(zero_points=(-128, -128)),
    "the highest zero points": hard_swish(zero_points=(127, 127)),
    **{
        f"scales {scales}": hard_swish(scales=scales, zero_points=(5, -9))
        for scales in (
            (0.03, 0.004),
            (0.03, 0.4),
            (1.5, 0.8),
            (30.0, 12.0),
            (0.0001, 0.0002),
            (1e-8, 1e-8),
            (1e-9, 1.0),
        )
    },
    "a scalar": hard_swish(shape=()),
    "a constant": SingleOp(
        BuiltinOperator.HARD_SWISH, [constant(EVERY_INT8, 0.05)], [fed((256,), np.int8, 0.04)]
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


def test_gates_real_values() -> None:
    case = hard_swish(scales=(0.5, 0.25), zero_points=(2, -3), shape=(5,))
    # real 4, 0, -4, 1 and 3 give 4, 0, 0, 4/6 and 3, in steps of 0.25 above -3; 2.67 is rounded
    (output,) = run_ours(case.model(), [np.array([10, 2, -6, 4, 8], np.int8)])
    assert output.tolist() == [13, -3, -3, 0, 9]


@pytest.mark.parametrize("scales", [(0.05, 0.05), (0.03, 0.01), (0.2, 0.1)])
def test_int8_is_within_a_step_of_the_real_function(scales: tuple[float, float]) -> None:
    (output,) = run_ours(hard_swish(scales=scales).model(), [EVERY_INT8])
    real = EVERY_INT8 * np.float64(np.float32(scales[0]))
    exact = real * np.clip(real + 3, 0, 6) / 6 / np.float64(np.float32(scales[1]))
    assert np.all(np.abs(output - np.clip(exact, -128, 127)) <= 1)


def test_special_floats_pass() -> None:
    values = np.array([np.nan, np.inf, -np.inf, -3, 3, 6], np.float32)
    (output,) = run_ours(hard_swish(np.float32, shape=(6,)).model(), [values])
    np.testing.assert_array_equal(output, np.array([np.nan, np.inf, np.nan, 0, 3, 6], np.float32))


FLOATS = fed((3,), np.float32)
REFUSALS = {
    "int16": (hard_swish(np.int16), "Unsupported type INT16"),
    "another output type": (
        SingleOp(BuiltinOperator.HARD_SWISH, [FLOATS], [fed((3,), np.int8, 0.5)]),
        "the output is INT8",
    ),
    "another output size": (
        SingleOp(BuiltinOperator.HARD_SWISH, [FLOATS], [fed((4,), np.float32)]),
        "makes 3",
    ),
    "no input scale": (hard_swish(scales=(0.0, 0.1)), "a scale is not positive"),
    "an output that is far too fine": (
        hard_swish(scales=(1.0, 0.001)),
        "output_multiplier_exponent <= 0 was not true",
    ),
    "two inputs": (SingleOp(BuiltinOperator.HARD_SWISH, [FLOATS] * 2, [FLOATS]), "2 inputs"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
