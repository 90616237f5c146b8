"""LOG_SOFTMAX: by hand, beside the real function, and beside TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    SingleOp,
    assert_like_tflm,
    assert_same,
    constant,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
    run_tflm,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator


def log_softmax(
    kind: Any = np.int8,
    shape: tuple[int, ...] = (2, 3, 10),
    scale: float = 0.1,
    zero_point: int = 0,
    output: tuple[float, int] = (1 / 16, 127),
) -> SingleOp:
    quantized = kind is np.int8
    source = fed(shape, kind, float(np.float32(scale)) if quantized else None, zero_point)
    result = fed(shape, kind, output[0] if quantized else None, output[1])
    return SingleOp(BuiltinOperator.LOG_SOFTMAX, [source], [result])


SCALES = (1e-7, 0.001, 0.01, 0.1, 1.0, 5.0, 31.0, 1000.0)
CASES = {
    "float32": log_softmax(np.float32),
    "float32, one row": log_softmax(np.float32, (10,)),
    "float32, long rows": log_softmax(np.float32, (2, 1000)),
    **{f"int8, scale {scale}": log_softmax(scale=scale, shape=(20, 30)) for scale in SCALES},
    "int8, one row": log_softmax(shape=(10,)),
    "int8, one column": log_softmax(shape=(5, 1)),
    "int8, a zero point": log_softmax(zero_point=-77),
    "int8, long rows": log_softmax(shape=(2, 4000), scale=0.001),
    "a constant": SingleOp(
        BuiltinOperator.LOG_SOFTMAX,
        [constant(np.array([[1, 2, 3]], np.int8), 0.1)],
        [fed((1, 3), np.int8, 1 / 16, 127)],
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


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("scale", SCALES)
def test_one_row_agrees_with_tflm_as_many_do(scale: float) -> None:
    many = log_softmax(scale=scale, shape=(30, 12))
    one = log_softmax(scale=scale, shape=(1, 12))
    (values,) = random_feeds(many)
    (expected,) = run_tflm(many.model(), [values])
    for row, results in zip(values, expected, strict=True):
        assert_same(run_ours(one.model(), [row[np.newaxis]]), [results[np.newaxis]])


def _real(values: Array) -> Array:
    wide = values.astype(np.float64)
    wide -= wide.max(axis=-1, keepdims=True)
    return wide - np.log(np.exp(wide).sum(axis=-1, keepdims=True))


def test_equal_values_share_the_probability() -> None:
    # log(1/4) = -1.386 is 22.2 steps of 1/16 below 127
    (output,) = run_ours(log_softmax(shape=(1, 4)).model(), [np.zeros((1, 4), np.int8)])
    assert output.tolist() == [[105] * 4]


def test_what_is_far_below_the_largest_is_the_lowest_value() -> None:
    (output,) = run_ours(log_softmax(shape=(2,)).model(), [np.array([-128, 127], np.int8)])
    assert output.tolist() == [-128, 127]


@pytest.mark.parametrize("scale", [0.01, 0.05, 0.2])
def test_int8_is_within_a_step_of_the_real_function(scale: float) -> None:
    case = log_softmax(scale=scale, shape=(50, 10))
    (values,) = random_feeds(case)
    exact = np.clip(_real(values * np.float64(np.float32(scale))) * 16 + 127, -128, 127)
    assert np.all(np.abs(run_ours(case.model(), [values])[0] - exact) <= 1)


def test_floats_are_near_the_real_function() -> None:
    case = log_softmax(np.float32, (50, 10))
    (values,) = random_feeds(case)
    np.testing.assert_allclose(
        run_ours(case.model(), [values])[0], _real(values), rtol=2e-6, atol=1e-6
    )


@needs_tflm
@pytest.mark.oracle
def test_special_floats_agree_with_tflm() -> None:
    values = np.array(
        [[np.nan, 1, 2], [np.inf, 1, 2], [-np.inf, 1, 2], [-np.inf] * 3, [3e38, -3e38, 0]],
        np.float32,
    )
    model = log_softmax(np.float32, values.shape).model()
    assert_same(run_ours(model, [values]), run_tflm(model, [values]))


FLOATS = fed((3,), np.float32)
REFUSALS = {
    "int16": (log_softmax(np.int16), "LOG_SOFTMAX only supports float32, int8, got INT16"),
    "another output scale": (log_softmax(output=(1 / 32, 127)), "it must have 0.0625 and 127"),
    "another zero point": (log_softmax(output=(1 / 16, 0)), "it must have 0.0625 and 127"),
    "no input scale": (log_softmax(scale=0.0), "must be above 1"),
    "a scale below the fixed point": (log_softmax(scale=1e-8), "must be above 1"),
    "another output shape": (
        SingleOp(BuiltinOperator.LOG_SOFTMAX, [FLOATS], [fed((1, 3), np.float32)]),
        "the output has shape",
    ),
    "another output type": (
        SingleOp(BuiltinOperator.LOG_SOFTMAX, [FLOATS], [fed((3,), np.int8, 1 / 16, 127)]),
        "the output is INT8",
    ),
    "a scalar": (log_softmax(np.float32, ()), "the input is a scalar"),
    "no elements": (log_softmax(np.float32, (0,)), "no elements"),
    "two inputs": (SingleOp(BuiltinOperator.LOG_SOFTMAX, [FLOATS] * 2, [FLOATS]), "2 inputs"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
