"""LOGICAL_AND, LOGICAL_OR, LOGICAL_NOT: by hand, and beside TFLM."""

from __future__ import annotations

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
from tinyml_runtime.types import BuiltinOperator as Op

PAIRS = (Op.LOGICAL_AND, Op.LOGICAL_OR)


def pair(operator: Op, first: tuple[int, ...] = (4,), second: tuple[int, ...] = (4,)) -> SingleOp:
    output = fed(np.broadcast_shapes(first, second), np.bool_)
    return SingleOp(operator, [fed(first, np.bool_), fed(second, np.bool_)], [output])


def negation(kind: type[np.generic] = np.bool_, size: int = 6) -> SingleOp:
    return SingleOp(Op.LOGICAL_NOT, [fed((2, 3), kind)], [fed((size,), kind)])


CASES = {
    **{f"{o.name}": pair(o, (3, 40), (3, 40)) for o in PAIRS},
    **{f"{o.name} broadcast": pair(o, (2, 1, 5), (3, 1)) for o in PAIRS},
    **{f"{o.name} with a scalar": pair(o, (), (2, 3)) for o in PAIRS},
    **{
        f"{o.name} with a constant": SingleOp(
            o,
            [constant(np.array([True, False])), fed((3, 2), np.bool_)],
            [fed((3, 2), np.bool_)],
        )
        for o in PAIRS
    },
    "LOGICAL_NOT": negation(),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


@pytest.mark.parametrize(
    ("operator", "expected"),
    [(Op.LOGICAL_AND, [False, False, False, True]), (Op.LOGICAL_OR, [False, True, True, True])],
)
def test_joins_all_combinations(operator: Op, expected: list[bool]) -> None:
    feeds = [np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)]
    (output,) = run_ours(pair(operator).model(), feeds)
    assert output.tolist() == expected


def test_negates() -> None:
    values = np.array([[True, False, True], [False, False, True]])
    (output,) = run_ours(negation().model(), [values])
    assert output.tolist() == [False, True, False, True, True, False]


REFUSALS = {
    "integers": (
        SingleOp(Op.LOGICAL_AND, [fed((2,), np.int8)] * 2, [fed((2,), np.int8)]),
        "the first input is INT8",
    ),
    "a float": (negation(np.float32), "the input is FLOAT32"),
    "another output type": (
        SingleOp(Op.LOGICAL_OR, [fed((2,), np.bool_)] * 2, [fed((2,), np.int8)]),
        "output is INT8",
    ),
    "a negation of another size": (negation(size=5), "makes 6"),
    "a negation of two": (
        SingleOp(Op.LOGICAL_NOT, [fed((2,), np.bool_)] * 2, [fed((2,), np.bool_)]),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
