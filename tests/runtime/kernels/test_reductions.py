"""SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL: by hand, beside NumPy's integers, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
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
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.model.options import ReducerOptions
from tinyml_runtime.types import BuiltinOperator as Op

KINDS = {
    Op.SUM: (np.float32, np.int8, np.int16),
    Op.REDUCE_MAX: (np.float32, np.int8),
    Op.REDUCE_MIN: (np.float32, np.int8),
    Op.REDUCE_ALL: (np.bool_,),
}
AXES = ((0,), (-1,), (1, 2), (0, 2), (3, 0), (2, 1, 2), (0, 1, 2, 3))


def reduction(
    operator: Op = Op.SUM,
    kind: Any = np.int8,
    axes: Sequence[int] | None = (1, 2),
    shape: tuple[int, ...] = (2, 3, 5, 7),
    *,
    keep_dims: bool = False,
    scales: tuple[float, float] = (0.05, 0.4),
    zero_points: tuple[int, int] = (-7, 12),
    after: tuple[int, ...] | None = None,
) -> SingleOp:
    gone = {axis % len(shape) for axis in axes or ()} if shape else set[int]()
    left = tuple(
        1 if axis in gone else size
        for axis, size in enumerate(shape)
        if keep_dims or axis not in gone
    )
    if operator is not Op.SUM:
        scales, zero_points = (scales[0], scales[0]), (zero_points[0], zero_points[0])
    quantized = kind in (np.int8, np.int16)
    source, output = (
        fed(sizes, kind, float(np.float32(scale)) if quantized else None, point)
        for sizes, scale, point in zip(
            (shape, left if after is None else after), scales, zero_points, strict=True
        )
    )
    along = fed((1,), np.int32) if axes is None else constant(np.array(axes, np.int32))
    return SingleOp(operator, [source, along], [output], ReducerOptions(keep_dims))


CASES = {
    **{
        f"{o.name} of {np.dtype(kind)} along {axes}": reduction(o, kind, axes)
        for o, kinds in KINDS.items()
        for kind in kinds
        for axes in AXES
    },
    **{
        f"{o.name} of {np.dtype(kinds[0])} that keeps its rank": reduction(
            o, kinds[0], keep_dims=True
        )
        for o, kinds in KINDS.items()
    },
    "a scalar": reduction(Op.SUM, np.float32, (0,), ()),
    "the lowest zero points": reduction(zero_points=(-128, -128)),
    "the highest zero points": reduction(zero_points=(127, 127)),
    "a far finer output": reduction(scales=(2.0, 1e-4)),
    "a far coarser output": reduction(scales=(1e-4, 30.0)),
    "int16 with zero points": reduction(Op.SUM, np.int16, zero_points=(300, -1000)),
    "a long float sum": reduction(Op.SUM, np.float32, (1,), (2, 3000)),
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
@pytest.mark.parametrize("operator", KINDS, ids=lambda o: o.name)
def test_fed_axes_agree_with_tflm(operator: Op) -> None:
    model = reduction(operator, KINDS[operator][0], None, (2, 3, 4), after=(2, 4)).model()
    values = random_feeds(reduction(operator, KINDS[operator][0], (1,), (2, 3, 4)))[0]
    feeds = [values, np.array([-2], np.int32)]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


@pytest.mark.parametrize("operator", KINDS, ids=lambda o: o.name)
def test_fed_axes_that_do_not_fit_stop_the_run(operator: Op) -> None:
    kind = KINDS[operator][0]
    model = reduction(operator, kind, None, (2, 3, 4), after=(2, 4)).model()
    with pytest.raises(RunError, match=operator.name):
        run_ours(model, [np.zeros((2, 3, 4), kind), np.array([0], np.int32)])


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("operator", [Op.REDUCE_MAX, Op.REDUCE_MIN], ids=lambda o: o.name)
def test_special_floats_agree_with_tflm(operator: Op) -> None:
    special = [np.nan, np.inf, -np.inf, 1.0]
    values = np.array(np.meshgrid(special, special), np.float32).reshape(2, -1).T
    model = reduction(operator, np.float32, (1,), values.shape).model()
    assert_same(run_ours(model, [values]), run_tflm(model, [values]))


def test_sums_real_values() -> None:
    case = reduction(axes=(1,), shape=(1, 3), scales=(0.5, 0.25), zero_points=(1, 3))
    # (1 + 2 - 4) / 2 = -0.5, two steps below 3
    assert run_ours(case.model(), [np.array([[2, 3, -3]], np.int8)])[0].tolist() == [1]


def test_sums_of_one_scale_are_those_of_integers() -> None:
    case = reduction(Op.SUM, np.int16, (0, 2), scales=(0.5, 0.5), zero_points=(0, 0))
    (values,) = random_feeds(case)
    expected = np.clip(values.sum(axis=(0, 2), dtype=int), -(2**15), 2**15 - 1)
    np.testing.assert_array_equal(run_ours(case.model(), [values])[0], expected)


def test_finds_the_extremes() -> None:
    values = np.array([[3, -9, 5], [-1, 0, 127]], np.int8)
    largest = reduction(Op.REDUCE_MAX, np.int8, (1,), (2, 3))
    assert run_ours(largest.model(), [values])[0].tolist() == [5, 127]
    smallest = reduction(Op.REDUCE_MIN, np.int8, (0,), (2, 3))
    assert run_ours(smallest.model(), [values])[0].tolist() == [-1, -9, 5]


def test_all_need_every_element() -> None:
    case = reduction(Op.REDUCE_ALL, np.bool_, (1,), (3, 2))
    values = np.array([[True, True], [True, False], [False, False]])
    assert run_ours(case.model(), [values])[0].tolist() == [True, False, False]


AXIS = constant(np.array([0], np.int32))
REFUSALS = {
    "SUM of int32": (reduction(kind=np.int32), "Only float32, int8, and int16 types"),
    "REDUCE_MAX of int16": (reduction(Op.REDUCE_MAX, np.int16), "Only float32 and int8 types"),
    "REDUCE_ALL of int8": (reduction(Op.REDUCE_ALL, np.int8), "the input is INT8, not BOOL"),
    "REDUCE_MIN into another scale": (
        SingleOp(Op.REDUCE_MIN, [fed((2, 3), np.int8, 0.5), AXIS], [fed((3,), np.int8, 0.25)]),
        "different scales or zero points",
    ),
    "SUM into another type": (
        SingleOp(Op.SUM, [fed((2, 3), np.int8, 0.5), AXIS], [fed((3,), np.int16, 0.5)]),
        "the output is INT16",
    ),
    "SUM without an output scale": (reduction(scales=(0.5, 0.0)), "not positive numbers"),
    "axes of 64 bits": (
        SingleOp(
            Op.SUM,
            [fed((2, 3), np.float32), constant(np.array([0], np.int64))],
            [fed((3,), np.float32)],
        ),
        "the axes is INT64",
    ),
    "an axis behind the last": (reduction(axes=(4,)), "axis 4 is out of the range"),
    "an output of another size": (reduction(after=(2, 6)), "leave 14 elements"),
    "no elements": (reduction(Op.SUM, np.float32, (1,), (2, 0)), "no elements"),
    "one input": (
        SingleOp(Op.REDUCE_ALL, [fed((2,), np.bool_)], [fed((), np.bool_)]),
        "1 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
