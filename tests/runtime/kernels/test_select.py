"""SELECT_V2: by hand, beside plain indexing, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
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

TYPES = (np.float32, np.int8, np.int16)


def select(
    condition: Sequence[int] = (2, 3),
    first: Sequence[int] = (2, 3),
    second: Sequence[int] = (2, 3),
    kind: Any = np.float32,
    after: Sequence[int] | None = None,
) -> SingleOp:
    if after is None:
        after = np.broadcast_shapes(tuple(condition), tuple(first), tuple(second))
    return of(fed(condition, np.bool_), fed(first, kind), fed(second, kind), fed(after, kind))


def of(condition: Operand, first: Operand, second: Operand, output: Operand) -> SingleOp:
    return SingleOp(BuiltinOperator.SELECT_V2, [condition, first, second], [output])


ROW = constant(np.array([1, 2, 3], np.float32))
ROWS = fed((2, 3), np.float32)
CASES = {
    **{f"{np.dtype(kind)}": select((4, 30), (4, 30), (4, 30), kind) for kind in TYPES},
    **{
        f"{np.dtype(kind)} broadcast": select((3, 1), (2, 1, 4), (4,), kind, (2, 3, 4))
        for kind in TYPES
    },
    "a condition for all": select((1,), (2, 3, 4), (2, 3, 4)),
    "a scalar condition": select((), (2, 3), (1, 3)),
    "two scalars": select((2, 3), (), ()),
    "one element each, in other ranks": select((), (1,), (1, 1), after=(1, 1, 1)),
    "an output of another shape": select(after=(6,)),
    "a constant row": of(fed((2, 3), np.bool_), ROW, ROWS, ROWS),
    "a constant condition": of(
        constant(np.array([[True], [False]])), fed((3,), np.float32), ROW, ROWS
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_takes_the_first_where_the_condition_holds() -> None:
    feeds = [
        np.array([[True], [False]]),
        np.array([1, 2, 3], np.float32),
        np.array([[10, 20, 30], [40, 50, 60]], np.float32),
    ]
    (output,) = run_ours(select((2, 1), (3,), (2, 3)).model(), feeds)
    assert output.tolist() == [[1, 2, 3], [40, 50, 60]]


def test_agrees_with_plain_indexing() -> None:
    case = select((2, 1, 4), (3, 1), (2, 3, 4), np.int16)
    condition, first, second = random_feeds(case)
    (output,) = run_ours(case.model(), [condition, first, second])
    for a, b, c in np.ndindex(2, 3, 4):
        taken = first[b, 0] if condition[a, 0, c] else second[a, b, c]
        assert output[a, b, c] == taken


BOOL, FLOAT = fed((3,), np.bool_), fed((3,), np.float32)
REFUSALS = {
    "int32": (select(kind=np.int32), r"int8\|int16\|float32, but got INT32"),
    "a condition that is not bool": (of(FLOAT, FLOAT, FLOAT, FLOAT), "the condition is FLOAT32"),
    "two types": (of(BOOL, FLOAT, fed((3,), np.int8), FLOAT), "the third input is INT8"),
    "another output type": (of(BOOL, FLOAT, FLOAT, fed((3,), np.int8)), "the output is INT8"),
    "shapes that do not broadcast": (
        select((2,), (3,), (3,), after=(3,)),
        "Given shapes are not broadcastable",
    ),
    "an output of another size": (select(after=(5,)), "the output has 5 elements"),
    "a broadcast into another shape": (
        select((3, 1), (3,), (3,), after=(9,)),
        "the output has shape",
    ),
    "two inputs": (
        SingleOp(BuiltinOperator.SELECT_V2, [BOOL, FLOAT], [FLOAT]),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
