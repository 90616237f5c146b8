"""ARG_MAX, ARG_MIN: by hand, beside a plain loop, and beside TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
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
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.types import BuiltinOperator as Op

OPERATORS = (Op.ARG_MAX, Op.ARG_MIN)


def arg(
    operator: Op = Op.ARG_MAX,
    axis: int | None = -1,
    shape: tuple[int, ...] = (2, 3, 5),
    kind: Any = np.int8,
    after: tuple[int, ...] | None = None,
) -> SingleOp:
    if after is None:
        gone = (axis or 0) % len(shape)
        after = shape[:gone] + shape[gone + 1 :]
    along = fed((1,), np.int32) if axis is None else constant(np.array([axis], np.int32))
    return SingleOp(operator, [fed(shape, kind), along], [fed(after, np.int32)])


CASES = {
    **{
        f"{o.name} of {np.dtype(kind)} along {axis}": arg(o, axis, kind=kind)
        for o in OPERATORS
        for kind in (np.float32, np.int8)
        for axis in (0, 1, 2, -1, -3)
    },
    "many equal elements": arg(axis=1, shape=(3, 1000)),
    "one dimension": arg(axis=0, shape=(40,)),
    "an axis of one element": arg(axis=1, shape=(4, 1, 3)),
    "a scalar axis": SingleOp(
        Op.ARG_MIN,
        [fed((2, 3), np.float32), constant(np.array(1, np.int32))],
        [fed((2,), np.int32)],
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


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.name)
def test_a_fed_axis_agrees_with_tflm(operator: Op) -> None:
    model = arg(operator, None, after=(3, 5)).model()
    feeds = [random_feeds(arg())[0], np.array([0], np.int32)]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("operator", OPERATORS, ids=lambda o: o.name)
def test_special_floats_agree_with_tflm(operator: Op) -> None:
    special = [np.nan, np.inf, -np.inf, 1.0, -0.0]
    values = np.array(np.meshgrid(special, special, special), np.float32).reshape(3, -1).T
    model = arg(operator, 1, values.shape, np.float32).model()
    assert_same(run_ours(model, [values]), run_tflm(model, [values]))


def test_takes_the_first_of_equal_elements() -> None:
    values = np.array([[3, 9, 9, 1, 1]], np.int8)
    assert run_ours(arg(Op.ARG_MAX, 1, (1, 5)).model(), [values])[0].tolist() == [1]
    assert run_ours(arg(Op.ARG_MIN, 1, (1, 5)).model(), [values])[0].tolist() == [3]


def test_agrees_with_a_plain_loop() -> None:
    case = arg(Op.ARG_MAX, 1, (4, 6, 3))
    (values,) = random_feeds(case)
    (output,) = run_ours(case.model(), [values])
    for first, last in np.ndindex(4, 3):
        column = values[first, :, last].tolist()
        assert output[first, last] == column.index(max(column))


@pytest.mark.parametrize("axis", [3, -4, 1])
def test_a_fed_axis_that_does_not_fit_stops_the_run(axis: int) -> None:
    with pytest.raises(RunError, match="ARG_MAX"):
        run_ours(
            arg(axis=None, after=(3, 5)).model(),
            [np.zeros((2, 3, 5), np.int8), np.array([axis], np.int32)],
        )


INT8, AXIS, OUT = fed((2, 3), np.int8), constant(np.array([1], np.int32)), fed((2,), np.int32)


def of(*operands: Operand) -> SingleOp:
    return SingleOp(Op.ARG_MAX, operands[:-1], operands[-1:])


REFUSALS = {
    "int32": (arg(kind=np.int32), "Only float32, uint8_t and int8_t .* got INT32"),
    "uint8": (arg(kind=np.uint8), "got UINT8"),
    "an output of 64 bits": (of(INT8, AXIS, fed((2,), np.int64)), "got INT64"),
    "an axis of 64 bits": (of(INT8, constant(np.array([1], np.int64)), OUT), "got INT64"),
    "an axis behind the last": (arg(axis=3), "axis 3 is out of the range"),
    "an axis before the first": (arg(axis=-4), "axis -4 is out of the range"),
    "an output of another size": (of(INT8, AXIS, fed((3,), np.int32)), "leaves 2 elements"),
    "a scalar": (arg(axis=0, shape=(1,), after=(2,)), "leaves 1 elements"),
    "no elements": (of(fed((2, 0), np.int8), AXIS, OUT), "no elements"),
    "one input": (of(INT8, OUT), "missing|1 inputs"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
