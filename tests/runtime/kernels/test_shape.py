"""SHAPE: by hand, and beside TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

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


def shape(dims: tuple[int, ...] = (2, 3, 5), kind: Any = np.int8, size: int = 3) -> SingleOp:
    return SingleOp(BuiltinOperator.SHAPE, [fed(dims, kind)], [fed((size,), np.int32)])


CASES = {
    **{f"{np.dtype(k)}": shape(kind=k) for k in (np.float32, np.int8, np.int64, np.bool_)},
    "one dimension": shape((7,), size=1),
    "six dimensions": shape((1, 2, 1, 3, 1, 2), size=6),
    "a constant": SingleOp(
        BuiltinOperator.SHAPE, [constant(np.ones((2, 3), np.int8))], [fed((2,), np.int32)]
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


def test_gives_the_dimensions() -> None:
    (output,) = run_ours(shape().model(), [np.zeros((2, 3, 5), np.int8)])
    assert output.tolist() == [2, 3, 5]


def test_a_scalar_has_no_dimensions() -> None:
    (output,) = run_ours(shape((), size=0).model(), [np.array(1, np.int8)])
    assert output.size == 0


REFUSALS = {
    "an output of 64 bits": (
        SingleOp(BuiltinOperator.SHAPE, [fed((2, 3), np.int8)], [fed((2,), np.int64)]),
        r"Output type INT64 \(4\) not supported",
    ),
    "an output of another size": (shape(size=4), "the output has 4 elements, the input 3"),
    "two inputs": (
        SingleOp(BuiltinOperator.SHAPE, [fed((2,), np.int8)] * 2, [fed((1,), np.int32)]),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
