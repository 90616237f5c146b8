"""FILL and ZEROS_LIKE: by hand, and beside TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
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


def fill(kind: Any = np.float32, dims: Any = np.int32, shape: tuple[int, ...] = (2, 3)) -> SingleOp:
    return of(constant(np.array(shape, dims)), fed((), kind), fed(shape, kind))


def of(dims: Operand, value: Operand, output: Operand) -> SingleOp:
    return SingleOp(BuiltinOperator.FILL, [dims, value], [output])


def zeros_like(kind: Any = np.float32, after: tuple[int, ...] = (2, 3)) -> SingleOp:
    return SingleOp(BuiltinOperator.ZEROS_LIKE, [fed((2, 3), kind)], [fed(after, kind)])


DIMS = constant(np.array([2, 3], np.int32))
CASES = {
    **{f"FILL {np.dtype(kind)}": fill(kind) for kind in (np.float32, np.int32, np.int8)},
    **{f"dims {np.dtype(d)}": fill(dims=d) for d in (np.int8, np.int16, np.int64)},
    "a constant value": of(DIMS, constant(np.array(7, np.int8)), fed((2, 3), np.int8)),
    "one dimension": fill(shape=(5,)),
    **{
        f"ZEROS_LIKE {np.dtype(kind)}": zeros_like(kind)
        for kind in (np.float32, np.int8, np.int32, np.int64)
    },
    "zeros in another shape": zeros_like(after=(6,)),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", [c for n, c in CASES.items() if n != "a constant value"])
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_fills() -> None:
    (output,) = run_ours(fill(np.int8).model(), [np.array(-7, np.int8)])
    assert output.tolist() == [[-7] * 3] * 2


def test_zeros() -> None:
    (output,) = run_ours(zeros_like(np.int64).model(), [np.full((2, 3), 9)])
    assert output.tolist() == [[0] * 3] * 2


VALUE, OUTPUT = fed((), np.float32), fed((2, 3), np.float32)
REFUSALS = {
    "FILL int64": (fill(np.int64), "Fill only currently supports float32 for input 1, got INT64"),
    "FILL dims that are no constant": (
        of(fed((2,), np.int32), VALUE, OUTPUT),
        "Non-constant >dims< tensor is not supported",
    ),
    "FILL dims of floats": (
        of(constant(np.array([2, 3], np.float32)), VALUE, OUTPUT),
        "dims is FLOAT32",
    ),
    "FILL dims of another shape": (
        of(constant(np.array([3, 2], np.int32)), VALUE, OUTPUT),
        r"'dims' is \[3, 2\]",
    ),
    "FILL dims in rows": (of(constant(np.array([[2, 3]], np.int32)), VALUE, OUTPUT), "'dims' is"),
    "FILL of a vector": (of(DIMS, fed((1,), np.float32), OUTPUT), "must be a scalar"),
    "FILL of another type": (of(DIMS, fed((), np.int8), OUTPUT), "the output is FLOAT32"),
    "ZEROS_LIKE int16": (zeros_like(np.int16), "ZerosLike only currently supports .* got 7"),
    "ZEROS_LIKE of another size": (zeros_like(after=(5,)), "makes 6"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
