"""EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS, LESS_EQUAL: by hand, plain, and beside TFLM."""

from __future__ import annotations

import operator as python
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
from tinyml_runtime.types import BuiltinOperator as Op

OPERATORS = {
    Op.EQUAL: python.eq,
    Op.NOT_EQUAL: python.ne,
    Op.GREATER: python.gt,
    Op.GREATER_EQUAL: python.ge,
    Op.LESS: python.lt,
    Op.LESS_EQUAL: python.le,
}
PLAIN = (np.float32, np.int32, np.int64)


def comparison(
    operator: Op,
    kind: Any = np.int8,
    scales: tuple[float | None, float | None] = (0.05, 0.05),
    zero_points: tuple[int, int] = (0, 0),
    shapes: tuple[tuple[int, ...], tuple[int, ...]] = ((4, 30), (4, 30)),
) -> SingleOp:
    first, second = (
        fed(shape, kind, scale if kind in (np.int8, np.int16) else None, point)
        for shape, scale, point in zip(shapes, scales, zero_points, strict=True)
    )
    output = fed(np.broadcast_shapes(*shapes), np.bool_)
    return SingleOp(operator, [first, second], [output])


def few(values: Any) -> Operand:
    return constant(np.array(values, np.int8), 0.05, 1)


CASES = {
    **{
        f"{o.name} {np.dtype(kind)}": comparison(o, kind)
        for o in OPERATORS
        for kind in (*PLAIN, np.int8)
    },
    "EQUAL bool": comparison(Op.EQUAL, np.bool_),
    "NOT_EQUAL bool": comparison(Op.NOT_EQUAL, np.bool_),
    **{
        f"{o.name} int8, {name}": comparison(o, np.int8, scales, points, ((256, 1), (256,)))
        for o in OPERATORS
        for name, scales, points in (
            ("two scales", (0.05, 0.013), (-7, 100)),
            ("a scale that makes neighbours equal", (1e-3, 1e-3), (-128, 127)),
            ("scales near 1 and near 0", (0.999, 1e-8), (127, -128)),
        )
    },
    **{
        f"LESS {shapes}": comparison(Op.LESS, kind, shapes=shapes)
        for kind in (np.float32, np.int8)
        for shapes in (((), (3,)), ((2, 3, 4), (4,)), ((2, 1, 4), (3, 1)), ((1,), (2, 3, 4, 5)))
    },
    "a constant of one row": SingleOp(
        Op.GREATER, [fed((3, 2), np.int8, 0.1), few([1, 2])], [fed((3, 2), np.bool_)]
    ),
    "a constant of all rows": SingleOp(
        Op.GREATER, [few([[1, 2], [3, 4]]), fed((2, 2), np.int8, 0.1)], [fed((2, 2), np.bool_)]
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


def run(case: SingleOp, *values: Any) -> list[bool]:
    kinds = [np.dtype(feed.dtype) for feed in random_feeds(case)]
    feeds = [np.array(each, kind) for each, kind in zip(values, kinds, strict=True)]
    return run_ours(case.model(), feeds)[0].tolist()


def test_int8_compares_real_values() -> None:
    case = comparison(Op.LESS, np.int8, (0.5, 0.25), (10, -10), ((3,), (3,)))
    # (12 - 10) / 2 = 1.0 against (-6 + 10) / 4 = 1.0, 1.25 and 0.75
    assert run(case, [12, 12, 12], [-6, -5, -7]) == [False, True, False]


def test_int8_values_closer_than_the_fixed_point_are_equal() -> None:
    case = comparison(Op.EQUAL, np.int8, (1e-3, 1e-3), (0, 0), ((2,), (2,)))
    # 256 * 0.001 is a quarter of a step: 1 is 0.256, which rounds to 0; 2 is 0.512, to 1
    assert run(case, [0, 0], [1, 2]) == [True, False]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.name)
def test_compares_plain_numbers(operator: Op) -> None:
    values = [-3.0, 0.0, 5.0, float("nan"), float("inf")]
    case = comparison(operator, np.float32, shapes=((5, 1), (5,)))
    column = [[value] for value in values]
    expected = [[OPERATORS[operator](x, y) for y in values] for x in values]
    assert run(case, column, values) == expected


def test_no_int16_is_greater_since_tflm_scales_all_of_them_to_zero() -> None:
    case = comparison(Op.GREATER, np.int16, (0.1, 0.1), (0, 0), ((2,), (2,)))
    assert run(case, [5, 100], [3, -100]) == [False, False]


REFUSALS = {
    "int16 but for GREATER": (comparison(Op.LESS, np.int16, (0.1, 0.1)), r"INT16 \(7\) not"),
    "bool but for EQUAL": (comparison(Op.LESS_EQUAL, np.bool_), r"BOOL \(6\) not supported"),
    "uint8": (comparison(Op.EQUAL, np.uint8), r"UINT8 \(3\) not supported"),
    "two types": (
        SingleOp(Op.EQUAL, [fed((2,), np.int32), fed((2,), np.int64)], [fed((2,), np.bool_)]),
        "the second input is INT64",
    ),
    "an output that is not bool": (
        SingleOp(Op.EQUAL, [fed((2,), np.int32)] * 2, [fed((2,), np.int32)]),
        "the output is INT32",
    ),
    "an int8 scale of 1": (comparison(Op.LESS, np.int8, (1.0, 0.5)), "between 0 and 1"),
    "no int8 scale": (comparison(Op.LESS, np.int8, (0.5, None)), "between 0 and 1"),
    "shapes that do not broadcast": (
        SingleOp(Op.LESS, [fed((2,), np.float32), fed((3,), np.float32)], [fed((3,), np.bool_)]),
        "do not broadcast",
    ),
    "one input": (SingleOp(Op.LESS, [fed((2,), np.int32)], [fed((2,), np.bool_)]), "missing"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
