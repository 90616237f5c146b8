"""CUMSUM: by hand, by NumPy's sums of integers, and beside TFLM."""

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
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.model.options import CumsumOptions
from tinyml_runtime.types import BuiltinOperator


def cumsum(
    axis: int | None = 1,
    shape: tuple[int, ...] = (2, 3, 5),
    kind: Any = np.int8,
    scales: tuple[float, float] = (0.05, 0.2),
    zero_points: tuple[int, int] = (0, 0),
    *,
    exclusive: bool = False,
    reverse: bool = False,
) -> SingleOp:
    source, output = (
        fed(shape, kind, float(np.float32(scale)) if kind is np.int8 else None, point)
        for scale, point in zip(scales, zero_points, strict=True)
    )
    along = fed((1,), np.int32) if axis is None else constant(np.array([axis], np.int32))
    options = CumsumOptions(exclusive, reverse)
    return SingleOp(BuiltinOperator.CUMSUM, [source, along], [output], options)


DIRECTIONS = [(False, False), (True, False), (False, True), (True, True)]
CASES = {
    **{
        f"{np.dtype(kind)}, axis {axis}, exclusive {e}, reverse {r}": cumsum(
            axis, kind=kind, exclusive=e, reverse=r
        )
        for kind in (np.float32, np.int8)
        for axis in (0, 1, -1)
        for e, r in DIRECTIONS
    },
    "one dimension": cumsum(0, (7,)),
    "the lowest zero points": cumsum(zero_points=(-128, -128)),
    "the highest zero points": cumsum(zero_points=(127, 127)),
    "sums beyond 32 bits": cumsum(1, (2, 100), zero_points=(-128, 0)),
    "a far coarser output": cumsum(scales=(0.001, 4.0)),
    "a far finer output": cumsum(scales=(1.0, 0.0001)),
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
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_fed_axis_agrees_with_tflm(axis: int) -> None:
    model = cumsum(None).model()
    feeds = [random_feeds(cumsum())[0], np.array([axis], np.int32)]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


@pytest.mark.parametrize("axis", [3, -4])
def test_a_fed_axis_that_there_is_not_stops_the_run(axis: int) -> None:
    with pytest.raises(RunError, match="CUMSUM Invalid axis"):
        run_ours(cumsum(None).model(), [np.zeros((2, 3, 5), np.int8), np.array([axis], np.int32)])


@pytest.mark.parametrize(
    ("exclusive", "reverse", "expected"),
    [
        (False, False, [1, 3, 6]),
        (True, False, [0, 1, 3]),
        (False, True, [6, 5, 3]),
        (True, True, [5, 3, 0]),
    ],
)
@pytest.mark.parametrize("kind", [np.float32, np.int8])
def test_adds_up(kind: Any, exclusive: bool, reverse: bool, expected: list[int]) -> None:
    case = cumsum(0, (3,), kind, (0.5, 0.5), exclusive=exclusive, reverse=reverse)
    assert run_ours(case.model(), [np.array([1, 2, 3], kind)])[0].tolist() == expected


def test_a_sum_starts_at_what_is_stored_as_zero() -> None:
    case = cumsum(0, (2,), scales=(0.5, 0.25), zero_points=(10, 3))
    # (11 - 10) and (11 - 10) + (14 - 10), 10 less for TFLM's start, in twice as many steps, plus 3
    assert run_ours(case.model(), [np.array([11, 14], np.int8)])[0].tolist() == [-15, -7]


def test_sums_of_one_scale_are_those_of_integers() -> None:
    case = cumsum(1, (4, 12), scales=(0.5, 0.5))
    (values,) = random_feeds(case)
    expected = np.clip(np.cumsum(values, axis=1, dtype=int), -128, 127)
    np.testing.assert_array_equal(run_ours(case.model(), [values])[0], expected)


REFUSALS = {
    "int32": (cumsum(kind=np.int32), "the input is INT32"),
    "an axis behind the last": (cumsum(3), "Invalid axis: 3"),
    "an axis before the first": (cumsum(-4), "Invalid axis: -4"),
    "a scalar": (cumsum(0, ()), "the input is a scalar"),
    "two axes": (
        SingleOp(
            BuiltinOperator.CUMSUM,
            [fed((2, 3), np.float32), constant(np.array([0, 1], np.int32))],
            [fed((2, 3), np.float32)],
        ),
        "the axis has 2 elements",
    ),
    "an axis of 64 bits": (
        SingleOp(
            BuiltinOperator.CUMSUM,
            [fed((2, 3), np.float32), constant(np.array([0], np.int64))],
            [fed((2, 3), np.float32)],
        ),
        "the axis is INT64",
    ),
    "an output of another shape": (
        SingleOp(
            BuiltinOperator.CUMSUM,
            [fed((2, 3), np.float32), constant(np.array([0], np.int32))],
            [fed((6,), np.float32)],
        ),
        "the output has shape",
    ),
    "no scale": (cumsum(scales=(0.0, 0.1)), "a scale is not positive"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
