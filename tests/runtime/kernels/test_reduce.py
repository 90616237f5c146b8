"""MEAN: by hand, by exact integers and plain loops, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from math import floor, frexp
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
from tinyml_runtime.model.options import ReducerOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

TYPES = [np.float32, np.int8, np.int16]


def mean(
    axes: Sequence[int] = (1, 2),
    shape: Sequence[int] = (2, 3, 5, 7),
    kind: Any = np.int8,
    *,
    keep_dims: bool = False,
    scales: tuple[float, float] = (0.05, 0.04),
    zero_points: tuple[int, int] = (-7, 12),
    after: Sequence[int] | None = None,
) -> SingleOp:
    gone = {axis % len(shape) for axis in axes} if shape else set[int]()
    left = [
        1 if axis in gone else size
        for axis, size in enumerate(shape)
        if keep_dims or axis not in gone
    ]
    quantized = kind is not np.float32
    source, output = (
        fed(sizes, kind, scale if quantized else None, point)
        for sizes, scale, point in zip(
            (shape, left if after is None else after), scales, zero_points, strict=True
        )
    )
    operands = [source, constant(np.array(axes, np.int32))]
    return SingleOp(BuiltinOperator.MEAN, operands, [output], ReducerOptions(keep_dims))


CASES = {
    **{f"image of {k.__name__}": mean(kind=k) for k in TYPES},
    **{f"image of {k.__name__} keeping its rank": mean(kind=k, keep_dims=True) for k in TYPES},
    **{f"first axis of {k.__name__}": mean((0,), kind=k) for k in TYPES},
    **{f"last axis of {k.__name__}": mean((-1,), kind=k) for k in TYPES},
    **{f"axes of {k.__name__} that are not neighbours": mean((0, 2), kind=k) for k in TYPES},
    **{f"outer axes of {k.__name__}": mean((3, 0), kind=k) for k in TYPES},
    **{f"all of {k.__name__}": mean((0, 1, 2, 3), kind=k) for k in TYPES},
    **{f"scalar of {k.__name__}": mean((0,), (), k) for k in TYPES},
    **{f"axis of 1 of {k.__name__}": mean((1,), (4, 1, 3), k) for k in TYPES},
    "axes in the other order": mean((2, 1), kind=np.float32, keep_dims=True),
    "an axis twice": mean((1, -3, 1)),
    "one channel": mean((1, 2), (2, 40, 30, 1), np.float32),
    "two channels": mean((1, 2), (2, 40, 30, 2), np.float32),
    "a flat output": mean((1,), (2, 3, 4), after=(8,)),
    "five dimensions": mean((0, 2, 4), (2, 3, 2, 3, 2)),
    "many elements": mean((1, 2), (1, 60, 50, 3)),
    "the lowest zero points": mean(zero_points=(-128, -128)),
    "the highest zero points": mean(zero_points=(127, 127)),
    "a larger input scale": mean(scales=(2.0, 0.03)),
    "a far larger input scale": mean(scales=(30.0, 1e-5)),
    "a smaller input scale": mean(scales=(0.003, 3.0)),
    "a far smaller input scale": mean(scales=(1e-8, 3.0)),
    "an input scale of 0": mean(scales=(0.0, 3.0)),
    "int16 with zero points": mean(kind=np.int16, zero_points=(-300, 1000)),
    "int16 saturated": mean(kind=np.int16, scales=(1.0, 0.001), zero_points=(0, 0)),
    "int16 with few channels": mean((1, 2), (1, 40, 30, 2), np.int16, zero_points=(0, 0)),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_averages_real_values() -> None:
    # real inputs 0.5 * ([1, 2, 4, 9] - 1) = [0, 0.5, 1.5, 4], mean 1.5; output 1.5 / 0.25 + 3 = 9
    case = mean((1,), (1, 4), scales=(0.5, 0.25), zero_points=(1, 3))
    (output,) = run_ours(case.model(), [np.array([[1, 2, 4, 9]], np.int8)])
    assert output.tolist() == [9]


def _rescaled(total: int, factor: float, zero_point: int, count: int) -> int:
    """`total` * `factor` / `count` in integers: the multiplier divided, rounded twice, shifted."""
    fraction, shift = frexp(factor)
    multiplier = round(fraction * 2**31)
    extra = min(count.bit_length() - 1, 31 + shift)
    multiplier, shift = (multiplier << extra) // count, shift - extra
    high = floor(Fraction((total << max(shift, 0)) * multiplier, 2**31) + Fraction(1, 2))
    magnitude = floor(Fraction(abs(high), 2 ** max(-shift, 0)) + Fraction(1, 2))
    return (magnitude if high >= 0 else -magnitude) + zero_point


@pytest.mark.parametrize("kind", [np.int8, np.int16])
@pytest.mark.parametrize("scales", [(0.05, 0.04), (2.0, 0.1), (0.003, 0.5)])
@pytest.mark.parametrize("axes", [(1,), (0, 2), (0, 1, 2)])
def test_rescales_the_sum_once(kind: Any, scales: tuple[float, float], axes: Any) -> None:
    case = mean(axes, (3, 5, 4), kind, scales=scales, keep_dims=True)
    (values,) = random_feeds(case)
    (output,) = run_ours(case.model(), [values])
    count = int(np.prod([values.shape[axis] for axis in axes]))
    factor = float(np.float32(scales[0])) / float(np.float32(scales[1]))
    limits = np.iinfo(kind)
    sums: dict[tuple[int, ...], int] = {}
    for index in product(*map(range, values.shape)):
        left = tuple(0 if axis in axes else i for axis, i in enumerate(index))
        sums[left] = sums.get(left, 0) + int(values[index]) + 7
    for left, total in sums.items():
        expected = _rescaled(total, factor, 12, count)
        assert output[left] == min(max(expected, limits.min), limits.max)


def _one_by_one(values: Array) -> Array:
    total = np.zeros(values.shape[1:], np.float32)
    for row in values:
        total += row
    return total / np.float32(len(values))


@pytest.mark.parametrize("channels", [1, 2, 64])
def test_adds_floats_in_order_one_after_another(channels: int) -> None:
    case = mean((0,), (1000, channels), np.float32)
    (values,) = random_feeds(case)
    (output,) = run_ours(case.model(), [values])
    np.testing.assert_array_equal(output, _one_by_one(values))


def test_infinities_of_both_signs_have_no_mean_and_no_warning() -> None:
    values = np.array([[np.inf, 3e38], [-np.inf, 3e38]], np.float32)
    (output,) = run_ours(mean((0,), (2, 2), np.float32).model(), [values])
    assert np.isnan(output[0])
    assert np.isposinf(output[1])


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("zero_point", [0, -5])
def test_a_sum_beyond_32_bits_wraps_as_in_tflm(zero_point: int) -> None:
    shape = (1, 400, 200, 2)
    case = mean((1, 2), shape, np.int16, scales=(0.1, 0.1), zero_points=(zero_point, 0))
    feeds = [np.full(shape, 32767, np.int16)]
    feeds[0][..., 1] = -32768
    assert_same(run_ours(case.model(), feeds), run_tflm(case.model(), feeds))


def _run_time_axes(kind: Any, after: Sequence[int] = (2, 4)) -> SingleOp:
    case = mean((1,), (2, 3, 4), kind, after=after)
    return SingleOp(case.operator, [case.inputs[0], fed((1,), np.int32)], case.outputs)


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("axis", [1, -2])
def test_averages_along_fed_axes_as_tflm_does(kind: Any, axis: int) -> None:
    model = _run_time_axes(kind).model()
    feeds = [random_feeds(mean((1,), (2, 3, 4), kind))[0], np.array([axis], np.int32)]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


@pytest.mark.parametrize("axis", [0, 3])
def test_fed_axes_that_do_not_fit_stop_the_run(axis: int) -> None:
    feeds = [np.zeros((2, 3, 4), np.int8), np.array([axis], np.int32)]
    with pytest.raises(RunError, match="MEAN"):
        run_ours(_run_time_axes(np.int8).model(), feeds)


def test_no_axes_leave_every_element() -> None:
    case = SingleOp(
        BuiltinOperator.MEAN,
        [fed((2, 3), np.float32), fed((0,), np.int32)],
        [fed((2, 3), np.float32)],
    )
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    (output,) = run_ours(case.model(), [values, np.zeros(0, np.int32)])
    np.testing.assert_array_equal(output, values)


def _with_axes(axes: Operand, *more: Operand) -> SingleOp:
    case = mean()
    return SingleOp(case.operator, [case.inputs[0], axes, *more], case.outputs)


REFUSALS = {
    "32-bit integers": (mean(kind=np.int32), "only float32, int8 or int16"),
    "uint8": (mean(kind=np.uint8), "only float32, int8 or int16"),
    "another output type": (
        SingleOp(
            BuiltinOperator.MEAN,
            [fed((2, 3), np.int8, 0.5), constant(np.array([0], np.int32))],
            [fed((3,), np.int16, 0.5)],
        ),
        "does not convert",
    ),
    "axes of 64 bits": (_with_axes(constant(np.array([1, 2]))), "the axes is INT64"),
    "three inputs": (_with_axes(*[constant(np.array([1], np.int32))] * 2), "3 inputs"),
    "an axis behind the last": (mean((4,), after=(2, 3, 5, 7)), "axis 4 is out of the range"),
    "an axis before the first": (mean((-5,), after=(2, 3, 5, 7)), "axis -5 is out of the range"),
    "an output of another size": (mean(after=(2, 6)), "leave 14 elements"),
    "an output without a scale": (mean(scales=(0.5, 0.0)), "not positive numbers"),
    "a negative scale": (mean(scales=(-0.5, 1.0)), "not positive numbers"),
    "an input without elements": (mean((1,), (2, 0), np.float32), "no elements"),
    "an image mean of another shape": (
        mean(kind=np.float32, keep_dims=True, after=(2, 7, 1, 1)),
        r"not \[2, 1, 1, 7\]",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
