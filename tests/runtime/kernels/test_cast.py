"""CAST: all pairs of types beside NumPy and TFLM, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    SingleOp,
    assert_like_tflm,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
    run_tflm,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.types import BuiltinOperator

NUMBERS = (np.int8, np.int16, np.int32, np.uint32, np.float32)
INTEGERS = NUMBERS[:4]
SPECIAL = np.array(
    [
        0.9,
        -0.9,
        127.5,
        128.0,
        -129.0,
        4e4,
        -4e4,
        2.0**31,
        3e9,
        1e20,
        -1e20,
        np.inf,
        -np.inf,
        np.nan,
    ],
    np.float32,
)


def cast(source: Any, output: Any, shape: tuple[int, ...] = (3, 5, 7)) -> SingleOp:
    return SingleOp(BuiltinOperator.CAST, [fed(shape, source)], [fed(shape, output)])


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("output", NUMBERS)
@pytest.mark.parametrize("source", [*NUMBERS, np.bool_])
def test_agrees_with_tflm(source: Any, output: Any) -> None:
    assert_like_tflm(cast(source, output))


@pytest.mark.parametrize("output", NUMBERS)
@pytest.mark.parametrize("source", [*INTEGERS, np.bool_])
def test_integers_keep_their_low_bits(source: Any, output: Any) -> None:
    case = cast(source, output)
    (values,) = random_feeds(case)
    (result,) = run_ours(case.model(), [values])
    np.testing.assert_array_equal(result, values.astype(output))
    assert_stacks(case)


@pytest.mark.parametrize("output", INTEGERS)
def test_floats_lose_their_fraction_and_saturate(output: Any) -> None:
    limits = np.iinfo(output)
    (result,) = run_ours(cast(np.float32, output, SPECIAL.shape).model(), [SPECIAL])
    expected = [
        0
        if np.isnan(value)
        else int(np.trunc(min(max(value, float(limits.min)), float(limits.max))))
        for value in SPECIAL.tolist()
    ]
    assert result.tolist() == expected


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("output", INTEGERS)
def test_floats_that_do_not_fit_become_what_tflm_makes_of_them(output: Any) -> None:
    model = cast(np.float32, output, SPECIAL.shape).model()
    np.testing.assert_array_equal(run_ours(model, [SPECIAL]), run_tflm(model, [SPECIAL]))


REFUSALS = {
    "from int64": (cast(np.int64, np.int32), r"Input type INT64 \(4\) not supported"),
    "to int64": (cast(np.float32, np.int64), r"Output type INT64 \(4\) not supported"),
    "another size": (
        SingleOp(BuiltinOperator.CAST, [fed((4,), np.int8)], [fed((5,), np.int32)]),
        "makes 4",
    ),
    "two inputs": (
        SingleOp(BuiltinOperator.CAST, [fed((4,), np.int8)] * 2, [fed((4,), np.int32)]),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
