"""L2_NORMALIZATION: by hand, beside the real function, and beside TFLM."""

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
from tinyml_runtime.model.options import L2NormOptions
from tinyml_runtime.types import Activation, BuiltinOperator


def normalization(
    kind: Any = np.int8,
    shape: tuple[int, ...] = (2, 3, 10),
    zero_point: int = 0,
    activation: Activation = Activation.NONE,
) -> SingleOp:
    scales = (0.1, 1 / 128) if kind is np.int8 else (None, None)
    return SingleOp(
        BuiltinOperator.L2_NORMALIZATION,
        [fed(shape, kind, scales[0], zero_point)],
        [fed(shape, kind, scales[1])],
        L2NormOptions(activation),
    )


CASES = {
    "float32": normalization(np.float32),
    "float32, one row": normalization(np.float32, (10,)),
    "float32, long rows": normalization(np.float32, (2, 3000)),
    "int8": normalization(),
    "int8, one row": normalization(shape=(1, 128)),
    "int8, one column": normalization(shape=(50, 1)),
    "int8, four dimensions": normalization(shape=(2, 3, 4, 5)),
    "int8, long rows": normalization(shape=(2, 20000)),
    "the lowest zero point": normalization(zero_point=-128),
    "the highest zero point": normalization(zero_point=127),
    "a constant": SingleOp(
        BuiltinOperator.L2_NORMALIZATION,
        [constant(np.array([[1, 2, 3]], np.int8), 0.1)],
        [fed((1, 3), np.int8, 1 / 128)],
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
def test_rows_of_small_values_agree_with_tflm() -> None:
    small = np.array(np.meshgrid([0, 1, -1, 2], [0, 1, 3], [0, -2, 127]), np.int8).reshape(3, -1).T
    model = normalization(shape=small.shape).model()
    assert_same(run_ours(model, [small]), run_tflm(model, [small]))


def test_divides_by_the_length() -> None:
    # the row (3, 4) less the zero point has length 5: 0.6 and 0.8 are 76.8 and 102.4 steps of 1/128
    (output,) = run_ours(
        normalization(shape=(1, 2), zero_point=10).model(), [np.array([[13, 14]], np.int8)]
    )
    assert output.tolist() == [[77, 102]]


def test_float_rows_that_are_almost_zero_are_not_divided_by_zero() -> None:
    values = np.array([[3, 4], [0, 0], [1e-7, 0]], np.float32)
    (output,) = run_ours(normalization(np.float32, (3, 2)).model(), [values])
    np.testing.assert_allclose(output, [[0.6, 0.8], [0, 0], [0.1, 0]], rtol=1e-6)


def test_a_zero_row_of_int8_stays_zero() -> None:
    (output,) = run_ours(normalization(shape=(1, 3)).model(), [np.zeros((1, 3), np.int8)])
    assert output.tolist() == [[0, 0, 0]]


def test_int8_is_within_a_step_of_the_real_function() -> None:
    case = normalization(shape=(100, 8), zero_point=3)
    (values,) = random_feeds(case)
    centered = values.astype(float) - 3
    exact = centered / np.linalg.norm(centered, axis=1, keepdims=True) * 128
    assert np.all(np.abs(run_ours(case.model(), [values])[0] - np.minimum(exact, 127)) <= 1)


FLOATS = fed((3,), np.float32)
REFUSALS = {
    "int16": (normalization(np.int16), "the input is INT16"),
    "an activation": (normalization(activation=Activation.RELU), "kTfLiteActNone was not true"),
    "five dimensions": (normalization(np.float32, (1, 1, 1, 1, 2)), "5 dimensions"),
    "a scalar": (normalization(np.float32, ()), "0 dimensions"),
    "no elements": (normalization(np.float32, (0,)), "no elements"),
    "another output shape": (
        SingleOp(BuiltinOperator.L2_NORMALIZATION, [FLOATS], [fed((1, 3), np.float32)]),
        "the output has shape",
    ),
    "another output type": (
        SingleOp(BuiltinOperator.L2_NORMALIZATION, [FLOATS], [fed((3,), np.int8, 1 / 128)]),
        "the output is INT8",
    ),
    "two inputs": (SingleOp(BuiltinOperator.L2_NORMALIZATION, [FLOATS] * 2, [FLOATS]), "2 inputs"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
