"""SQUARED_DIFFERENCE: by hand, by exact fractions, and beside TFLM."""

from __future__ import annotations

from fractions import Fraction
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

Shapes = tuple[tuple[int, ...], tuple[int, ...]]
EVERY_PAIR: Shapes = ((256, 1), (256,))


def squared_difference(
    kind: Any = np.int8,
    scales: tuple[float, float, float] = (0.05, 0.04, 0.1),
    zero_points: tuple[int, int, int] = (0, 0, 0),
    shapes: Shapes = ((3, 40), (3, 40)),
) -> SingleOp:
    all_shapes = (*shapes, np.broadcast_shapes(*shapes))
    first, second, output = (
        fed(shape, kind, float(np.float32(s)) if kind in (np.int8, np.int16) else None, point)
        for shape, s, point in zip(all_shapes, scales, zero_points, strict=True)
    )
    return SingleOp(BuiltinOperator.SQUARED_DIFFERENCE, [first, second], [output])


CASES = {
    "float32": squared_difference(np.float32),
    "int32": squared_difference(np.int32),
    **{
        f"int8, {name}": squared_difference(np.int8, scales, points, EVERY_PAIR)
        for name, scales, points in (
            ("zero points of 0", (0.05, 0.04, 0.1), (0, 0, 0)),
            ("zero points at the ends", (0.05, 0.05, 0.1), (-128, 127, -128)),
            ("a far finer output", (0.9, 0.01, 1e-4), (127, -128, 0)),
            ("a far coarser output", (0.001, 0.01, 5.0), (3, 4, 127)),
        )
    },
    "int16": squared_difference(np.int16, (1e-4, 3e-4, 1e-3), shapes=((30, 40), (30, 40))),
    "int16, saturated": squared_difference(np.int16, (1.0, 1.0, 1.0)),
    **{
        f"{np.dtype(kind)}, {shapes}": squared_difference(kind, shapes=shapes)
        for kind in (np.float32, np.int32, np.int8, np.int16)
        for shapes in (((), (5,)), ((2, 3, 4), (4,)), ((2, 1, 4), (3, 1)))
    },
    "a constant": SingleOp(
        BuiltinOperator.SQUARED_DIFFERENCE,
        [fed((3, 2), np.int8, 0.1), constant(np.array([5, -9], np.int8), 0.2, 3)],
        [fed((3, 2), np.int8, 0.3)],
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


def run(case: SingleOp, *values: Any) -> list[Any]:
    kinds = [feed.dtype for feed in random_feeds(case)]
    feeds = [np.array(each, kind) for each, kind in zip(values, kinds, strict=True)]
    return run_ours(case.model(), feeds)[0].tolist()


def test_squares_real_differences() -> None:
    case = squared_difference(np.int8, (0.5, 0.25, 0.5), (1, 2, 3), ((3,), (3,)))
    # (5 - 1) / 2 = 2.0 less (6 - 2) / 4 = 1.0 is 1.0, two steps above 3; less -1.0 it is 3.0
    assert run(case, [5, 5, 127], [6, -2, -128]) == [5, 21, 127]


def test_int32_squares_wrap() -> None:
    case = squared_difference(np.int32, shapes=((3,), (3,)))
    assert run(case, [7, 3, 65537], [3, 7, 0]) == [16, 16, (65537**2) % 2**32]


@pytest.mark.parametrize(("kind", "left_shift"), [(np.int8, 7), (np.int16, 0)])
def test_is_as_near_to_exact_fractions_as_rescaled_operands_allow(
    kind: Any, left_shift: int
) -> None:
    scales = tuple(float(np.float32(scale)) for scale in (0.02, 0.01, 3.0))
    case = squared_difference(kind, (scales[0], scales[1], scales[2]))
    first, second = random_feeds(case)
    (output,) = run_ours(case.model(), [first, second])
    # Both operands are rounded to units of twice the larger scale, less the shift.
    unit = Fraction(2 * scales[0]) / 2**left_shift
    numbers = (array.reshape(-1).tolist() for array in (first, second, output))
    for x, y, result in zip(*numbers, strict=True):
        difference = abs(x * Fraction(scales[0]) - y * Fraction(scales[1]))
        error = 1 + (2 * difference + unit) * unit / Fraction(scales[2])
        exact = min(difference**2 / Fraction(scales[2]), int(np.iinfo(kind).max))
        assert abs(result - exact) <= error


REFUSALS = {
    "int64": (squared_difference(np.int64), "SquaredDifference only supports .* got 4"),
    "int16 with a zero point": (
        squared_difference(np.int16, zero_points=(0, 1, 0)),
        "zero point of an INT16 is not 0",
    ),
    "a zero point beyond int8": (
        squared_difference(zero_points=(0, 0, 128)),
        "128 is out of the range of INT8",
    ),
    "an input scale of 0": (squared_difference(scales=(0.0, 0.1, 0.1)), "between 0 and 1"),
    "an output scale of 0": (squared_difference(scales=(0.1, 0.1, 0.0)), "is not positive"),
    "two types": (
        SingleOp(
            BuiltinOperator.SQUARED_DIFFERENCE,
            [fed((2,), np.int32), fed((2,), np.float32)],
            [fed((2,), np.int32)],
        ),
        "does not convert",
    ),
    "three inputs": (
        SingleOp(
            BuiltinOperator.SQUARED_DIFFERENCE,
            [fed((2,), np.float32)] * 3,
            [fed((2,), np.float32)],
        ),
        "3 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
