"""DIV, FLOOR_DIV, FLOOR_MOD: by hand, by exact fractions, and beside TFLM."""

from __future__ import annotations

from fractions import Fraction
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
from tinyml_runtime.model.options import DivOptions
from tinyml_runtime.types import Activation
from tinyml_runtime.types import BuiltinOperator as Op

ACTIVATIONS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)
Shapes = tuple[tuple[int, ...], tuple[int, ...]]


def division(
    operator: Op = Op.DIV,
    kind: Any = np.int8,
    scales: tuple[float, float, float] = (0.1, 0.1, 0.1),
    zero_points: tuple[int, int, int] = (0, 0, 0),
    shapes: Shapes = ((3, 40), (3, 40)),
    activation: Activation = Activation.NONE,
) -> SingleOp:
    all_shapes = (*shapes, np.broadcast_shapes(*shapes))
    first, second, output = (
        fed(shape, kind, float(np.float32(scale)) if kind is np.int8 else None, point)
        for shape, scale, point in zip(all_shapes, scales, zero_points, strict=True)
    )
    options = DivOptions(activation) if operator is Op.DIV else None
    return SingleOp(operator, [first, second], [output], options)


EVERY_PAIR: Shapes = ((256, 1), (256,))
BROADCASTS: tuple[Shapes, ...] = (((), (5,)), ((2, 3, 4), (4,)), ((2, 1, 4), (3, 1)))
CASES = {
    **{f"int8, {a.name}": division(activation=a, zero_points=(3, -4, 5)) for a in ACTIVATIONS},
    **{f"float32, {a.name}": division(kind=np.float32, activation=a) for a in ACTIVATIONS},
    **{f"int32, {a.name}": division(kind=np.int32, activation=a) for a in ACTIVATIONS},
    **{
        f"{o.name} of float32, {shapes}": division(o, np.float32, shapes=shapes)
        for o in (Op.DIV, Op.FLOOR_DIV, Op.FLOOR_MOD)
        for shapes in (*BROADCASTS, ((3, 40), (3, 40)))
    },
    **{f"int8, {shapes}": division(shapes=shapes) for shapes in BROADCASTS},
    **{f"int32, {shapes}": division(kind=np.int32, shapes=shapes) for shapes in BROADCASTS},
    "a constant divisor": SingleOp(
        Op.DIV,
        [fed((3, 2), np.float32), constant(np.array([3, -7], np.float32))],
        [fed((3, 2), np.float32)],
    ),
    "a constant dividend": SingleOp(
        Op.FLOOR_MOD,
        [constant(np.array([[3], [-7]], np.float32)), fed((2, 3), np.float32)],
        [fed((2, 3), np.float32)],
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
@pytest.mark.parametrize("zero_points", [(0, 0, 0), (-128, 127, 7), (127, -128, -128)])
@pytest.mark.parametrize("scales", [(0.1, 0.1, 0.1), (0.01, 0.1, 0.05), (1, 0.07, 2), (9, 1, 1e-3)])
def test_every_pair_of_int8_agrees_with_tflm_zero_divisors_too(
    scales: tuple[float, float, float], zero_points: tuple[int, int, int]
) -> None:
    model = division(scales=scales, zero_points=zero_points, shapes=EVERY_PAIR).model()
    values = np.arange(-128, 128).astype(np.int8)
    feeds = [values[:, np.newaxis], values]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("operator", [Op.DIV, Op.FLOOR_DIV, Op.FLOOR_MOD], ids=lambda o: o.name)
def test_special_floats_agree_with_tflm(operator: Op) -> None:
    values = np.array([0, -0.0, np.inf, -np.inf, np.nan, 1e-45, 3e38, -1.5, 2, -7], np.float32)
    divisors = values if operator is Op.DIV else values[values != 0]
    shapes = (values.size, 1), divisors.shape
    model = division(operator, np.float32, shapes=shapes).model()
    feeds = [values[:, np.newaxis], divisors]
    (ours,), (theirs,) = run_ours(model, feeds), run_tflm(model, feeds)
    np.testing.assert_array_equal(ours, theirs)


def run(case: SingleOp, *values: Any) -> list[Any]:
    kinds = [feed.dtype for feed in random_feeds(case)]
    feeds = [np.array(each, kind) for each, kind in zip(values, kinds, strict=True)]
    return run_ours(case.model(), feeds)[0].tolist()


def of_four(operator: Op, kind: Any) -> SingleOp:
    return division(operator, kind, shapes=((4,), (4,)))


def test_int8_divides_real_values() -> None:
    case = division(scales=(0.5, 0.25, 0.5), zero_points=(1, 2, 3), shapes=((3,), (3,)))
    # (9 - 1) / 2 = 4.0 by (10 - 2) / 4 = 2.0 is 2.0, 4 steps above 3; by -2.0 it is 4 below
    assert run(case, [9, 9, 1], [10, -6, 10]) == [7, -1, 3]


def test_int32_quotients_are_truncated() -> None:
    assert run(of_four(Op.DIV, np.int32), [7, -7, 7, -7], [2, 2, -2, -2]) == [3, -3, -3, 3]


def test_large_int32_quotients_are_exact() -> None:
    dividends, divisors = [2**31 - 1, -(2**31), 2**31 - 2, 2**31 - 1], [1, 1, 2**31 - 1, 2**30]
    assert run(of_four(Op.DIV, np.int32), dividends, divisors) == [2**31 - 1, -(2**31), 0, 1]


def test_floor_quotients_go_down() -> None:
    output = run(of_four(Op.FLOOR_DIV, np.float32), [7, -7, 7, -7], [2, 2, -2, -2])
    assert output == [3, -4, -4, 3]


def test_remainders_have_the_sign_of_the_divisor() -> None:
    output = run(of_four(Op.FLOOR_MOD, np.float32), [7, -7, 7, -7], [4, 4, -4, -4])
    assert output == [3, 1, -1, -3]


def test_a_float_divided_by_zero_is_the_largest_float() -> None:
    case = division(kind=np.float32, shapes=((3,), (3,)))
    largest = float(np.finfo(np.float32).max)
    output = run(case, [1, -1, 0], [0, 0, 0])
    assert output[:2] == [largest, -largest]
    assert np.isnan(output[2])


@pytest.mark.parametrize(("operator", "kind"), [(Op.DIV, np.int32), (Op.FLOOR_DIV, np.float32)])
def test_division_by_zero_stops_the_run(operator: Op, kind: Any) -> None:
    with pytest.raises(RunError, match="Division by 0"):
        run(of_four(operator, kind), [1, 2, 3, 4], [1, 0, 1, 1])


def test_an_int8_zero_by_a_large_divisor_is_one_step_since_its_shift_is_longer_than_31() -> None:
    case = division(scales=(0.01, 0.1, 0.05), shapes=((3,), (3,)))
    assert run(case, [0, 0, 20], [20, 1, 20]) == [1, 0, 2]


def test_int8_quotients_above_one_step_are_within_two_of_exact_fractions() -> None:
    scales = tuple(float(np.float32(scale)) for scale in (0.3, 0.02, 0.5))
    case = division(scales=(scales[0], scales[1], scales[2]), shapes=EVERY_PAIR)
    values = list(range(-128, 128))
    output = run(case, [[value] for value in values], values)
    ratio = Fraction(scales[0]) / (Fraction(scales[1]) * Fraction(scales[2]))
    for dividend, row in zip(values, output, strict=True):
        for divisor, result in zip(values, row, strict=True):
            exact = Fraction(dividend, divisor or 1) * ratio
            if divisor and abs(exact) >= 1:
                assert abs(result - min(max(exact, -128), 127)) <= 2


REFUSALS = {
    "int16": (division(kind=np.int16), r"DIV only supports .* got type INT16 \(7\)"),
    "FLOOR_DIV of int32": (division(Op.FLOOR_DIV, np.int32), "'INT32' is not supported by FLOOR_D"),
    "FLOOR_MOD of int8": (division(Op.FLOOR_MOD, np.int8), "'INT8' is not supported by FLOOR_MOD"),
    "int32 with a scale": (
        SingleOp(Op.DIV, [fed((2,), np.int32, 0.5), fed((2,), np.int32)], [fed((2,), np.int32)]),
        "has a scale",
    ),
    "an int8 scale of 0": (division(scales=(0.1, 0.0, 0.1)), "a scale is not positive"),
    "two types": (
        SingleOp(Op.DIV, [fed((2,), np.int32), fed((2,), np.float32)], [fed((2,), np.int32)]),
        "does not convert",
    ),
    "another output shape": (
        SingleOp(Op.DIV, [fed((2, 1), np.int32), fed((3,), np.int32)], [fed((2, 2), np.int32)]),
        r"makes \[2, 3\]",
    ),
    "three inputs of FLOOR_DIV": (
        SingleOp(Op.FLOOR_DIV, [fed((2,), np.float32)] * 3, [fed((2,), np.float32)]),
        "3 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
