"""ABS, RSQRT and the float32 functions: by hand, beside Python's own, and beside TFLM."""

from __future__ import annotations

import math
from collections.abc import Callable
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
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator as Op

EVERY_INT8 = np.arange(-128, 128).astype(np.int8)
FLOAT_OPERATORS = (
    Op.ABS,
    Op.RSQRT,
    Op.SIN,
    Op.COS,
    Op.LOG,
    Op.SQRT,
    Op.SQUARE,
    Op.EXP,
    Op.FLOOR,
    Op.CEIL,
    Op.ROUND,
    Op.NEG,
)
SPECIAL = [
    0.0,
    -0.0,
    np.inf,
    -np.inf,
    np.nan,
    1e-45,
    3.4e38,
    -3.4e38,
    0.5,
    -0.5,
    1.5,
    -2.5,
    8388609,
]


def unary(
    operator: Op,
    kind: Any = np.int8,
    scales: tuple[float | None, float | None] = (None, None),
    zero_points: tuple[int, int] = (0, 0),
    shape: tuple[int, ...] = (2, 3, 5),
) -> SingleOp:
    source, output = (
        fed(shape, kind, None if scale is None else float(np.float32(scale)), point)
        for scale, point in zip(scales, zero_points, strict=True)
    )
    return SingleOp(operator, [source], [output])


CASES = {
    **{f"{o.name} float32": unary(o, np.float32) for o in FLOAT_OPERATORS},
    **{
        f"ABS int8, {name}": unary(Op.ABS, np.int8, scales, points, (256,))
        for name, scales, points in (
            ("one scale", (0.1, 0.1), (0, 0)),
            ("one scale and zero points", (0.1, 0.1), (-5, -100)),
            ("a finer output", (0.1, 0.013), (3, -128)),
            ("a coarser output", (0.1, 1.7), (-128, 127)),
            ("a far coarser output", (1e-6, 50.0), (127, 0)),
        )
    },
    "ABS int16, one scale": unary(Op.ABS, np.int16, (1e-3, 1e-3), shape=(65536,)),
    "ABS int16, a finer output": unary(Op.ABS, np.int16, (1e-3, 3e-4), shape=(65536,)),
    "ABS int16, a coarser output": unary(Op.ABS, np.int16, (1e-3, 3e-3), shape=(65536,)),
    "ABS int16 without a scale": unary(Op.ABS, np.int16, shape=(65536,)),
    **{
        f"RSQRT int8, {scales}": unary(Op.RSQRT, np.int8, scales, (-128, point), (256,))
        for scales, point in (((0.05, 0.03), 0), ((0.001, 1.0), -128), ((3.0, 0.004), 127))
    },
    "a scalar": unary(Op.EXP, np.float32, shape=()),
    "a constant": SingleOp(Op.SIN, [constant(np.ones(3, np.float32))], [fed((3,), np.float32)]),
    "an output of another shape": SingleOp(
        Op.NEG, [fed((2, 3), np.float32)], [fed((6,), np.float32)]
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize(
    "case", [case for name, case in CASES.items() if name not in ("a constant",)]
)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("scales", [(2e-4, 1e-3), (0.5, 3e-5), (1e-6, 0.7)])
def test_rsqrt_of_int16_agrees_with_tflm(scales: tuple[float, float]) -> None:
    values = np.arange(2**15).astype(np.int16)
    model = unary(Op.RSQRT, np.int16, scales, shape=values.shape).model()
    assert_same(run_ours(model, [values]), run_tflm(model, [values]))


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("operator", FLOAT_OPERATORS, ids=lambda o: o.name)
def test_special_floats_agree_with_tflm(operator: Op) -> None:
    values = np.array(SPECIAL, np.float32)
    model = unary(operator, np.float32, shape=values.shape).model()
    (ours,), (theirs,) = run_ours(model, [values]), run_tflm(model, [values])
    np.testing.assert_array_equal(ours, theirs)


def run(case: SingleOp, values: Any, kind: Any) -> list[Any]:
    (output,) = run_ours(case.model(), [np.array(values, kind)])
    return output.tolist()


def test_abs_measures_from_the_zero_point() -> None:
    case = unary(Op.ABS, np.int8, (0.5, 0.25), (10, -3), shape=(4,))
    # |12 - 10| * 0.5 = 1.0 -> 4 steps above -3; the same for 8; 100 is 45.0 and saturates
    assert run(case, [12, 8, 10, 100], np.int8) == [1, 1, -3, 127]


def test_abs_without_a_scale_wraps_the_lowest_value() -> None:
    assert run(unary(Op.ABS, np.int16, shape=(2,)), [-32768, -7], np.int16) == [-32768, 7]


def test_rsqrt_gives_the_largest_value_for_zero() -> None:
    case = unary(Op.RSQRT, np.int8, (0.25, 0.5), (-128, 0), shape=(3,))
    # real inputs 0, 0.25 * 16 = 4 and 0.25 * 4 = 1: 1 / sqrt are 1/2 and 1, one and two steps
    assert run(case, [-128, -112, -124], np.int8) == [127, 1, 2]


def test_rsqrt_of_a_negative_value_stops_the_run() -> None:
    case = unary(Op.RSQRT, np.int8, (0.25, 0.5), (0, 0), shape=(2,))
    with pytest.raises(RunError, match="Rsqrt is only defined for positive values"):
        run(case, [1, -1], np.int8)


def test_rsqrt_is_within_one_step_of_real_arithmetic() -> None:
    scales = float(np.float32(0.013)), float(np.float32(0.02))
    values = np.arange(1, 2**15, 37).astype(np.int16)
    case = unary(Op.RSQRT, np.int16, scales, shape=values.shape)
    for stored, result in zip(values.tolist(), run(case, values, np.int16), strict=True):
        square = 1 / (Fraction(scales[0]) * stored * Fraction(scales[1]) ** 2)
        assert (result - 1) ** 2 <= square <= (result + 1) ** 2


def _rounded_half_to_even(value: float) -> float:
    return float(round(value))


FORMULAS: dict[Op, Callable[[float], float]] = {
    Op.SIN: math.sin,
    Op.COS: math.cos,
    Op.LOG: lambda x: math.log(abs(x)),
    Op.EXP: math.exp,
    Op.SQRT: lambda x: math.sqrt(abs(x)),
    Op.RSQRT: lambda x: 1.0 / math.sqrt(abs(x)),
    Op.FLOOR: math.floor,
    Op.CEIL: math.ceil,
    Op.ROUND: _rounded_half_to_even,
}


@pytest.mark.parametrize("operator", FORMULAS, ids=lambda o: o.name)
def test_floats_are_within_two_units_in_the_last_place(operator: Op) -> None:
    generator = np.random.default_rng(5)
    values = generator.standard_normal(2000) * np.exp(generator.uniform(-6, 3, 2000))
    values = np.clip(values, -80, 80).astype(np.float32)
    if operator in (Op.LOG, Op.SQRT, Op.RSQRT):
        values = np.abs(values)
    case = unary(operator, np.float32, shape=values.shape)
    (output,) = run_ours(case.model(), [values])
    exact = np.array([FORMULAS[operator](value) for value in values.tolist()])
    step = np.spacing(np.abs(exact).astype(np.float32)).astype(np.float64)
    assert np.all(np.abs(output - exact) <= 2.0 * step)


def test_rounds_ties_to_the_even_neighbour_and_without_a_negative_zero() -> None:
    output = run(unary(Op.ROUND, np.float32, shape=(5,)), [0.5, 1.5, -2.5, -3.5, -0.2], np.float32)
    assert output == [0.0, 2.0, -2.0, -4.0, 0.0]
    assert not np.signbit(output[-1])


REFUSALS: dict[str, tuple[SingleOp, str]] = {
    "int8 for a float function": (unary(Op.SIN, np.int8, (0.1, 0.1)), "INT8 .* is not supported"),
    "int32": (unary(Op.ABS, np.int32), "INT32 .* is not supported"),
    "another output type": (
        SingleOp(Op.ABS, [fed((3,), np.int8, 0.1)], [fed((3,), np.int16, 0.1)]),
        "the output is INT16",
    ),
    "another output size": (
        SingleOp(Op.COS, [fed((3,), np.float32)], [fed((4,), np.float32)]),
        "makes 3",
    ),
    "EXP into another shape": (
        SingleOp(Op.EXP, [fed((2, 3), np.float32)], [fed((6,), np.float32)]),
        r"makes \[2, 3\]",
    ),
    "two inputs": (
        SingleOp(Op.SQRT, [fed((3,), np.float32)] * 2, [fed((3,), np.float32)]),
        "2 inputs",
    ),
    "int8 without a scale": (unary(Op.ABS), "a scale is not positive"),
    "an int16 output without a scale": (
        unary(Op.ABS, np.int16, (0.1, None)),
        "a scale is not positive",
    ),
    "int16 with a zero point": (
        unary(Op.ABS, np.int16, (0.1, 0.1), (0, 1)),
        "zero point of an INT16 is not 0",
    ),
    "RSQRT of int16 without a scale": (unary(Op.RSQRT, np.int16), "the input has no scale"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))


def test_a_table_gives_every_int8_value_its_result() -> None:
    case = unary(Op.ABS, np.int8, (0.1, 0.1), (0, 0), EVERY_INT8.shape)
    expected: Array = np.minimum(np.abs(EVERY_INT8.astype(int)), 127)
    (output,) = run_ours(case.model(), [EVERY_INT8])
    np.testing.assert_array_equal(output, expected)
