"""RELU, RELU6, LEAKY_RELU: by hand, beside a plain formula, and beside TFLM."""

from __future__ import annotations

from fractions import Fraction
from math import floor
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
from tinyml_runtime.model.options import LeakyReluOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

RELU, RELU6, LEAKY = BuiltinOperator.RELU, BuiltinOperator.RELU6, BuiltinOperator.LEAKY_RELU
EVERY_INT8 = np.arange(-128, 128).astype(np.int8)
EVERY_INT16 = np.arange(-(2**15), 2**15).astype(np.int16)


def unary(
    operator: BuiltinOperator,
    kind: Any = np.int8,
    scales: tuple[float | None, float | None] = (0.1, 0.1),
    zero_points: tuple[int, int] = (0, 0),
    *,
    alpha: float = 0.2,
    shape: tuple[int, ...] = (2, 3, 5),
) -> SingleOp:
    source, output = (
        fed(shape, kind, None if scale is None else float(np.float32(scale)), point)
        for scale, point in zip(scales, zero_points, strict=True)
    )
    options = LeakyReluOptions(alpha=float(np.float32(alpha))) if operator is LEAKY else None
    return SingleOp(operator, [source], [output], options)


NO_SCALES = (None, None)
EVERY8, EVERY16 = (256,), (65536,)
CASES = {
    **{f"{o.name} float32": unary(o, np.float32, NO_SCALES) for o in (RELU, RELU6, LEAKY)},
    **{
        f"{o.name} int8, {name}": unary(o, np.int8, scales, points, shape=EVERY8)
        for o in (RELU, RELU6, LEAKY)
        for name, scales, points in (
            ("one scale", (0.1, 0.1), (-5, -5)),
            ("a finer output", (0.1, 0.0123), (3, -128)),
            ("a coarser output", (0.1, 1.7), (-128, 127)),
            ("a much coarser output", (0.001, 4.0), (127, 0)),
        )
    },
    **{
        f"{o.name} int16, {name}": unary(o, np.int16, scales, shape=EVERY16)
        for o in (RELU, RELU6, LEAKY)
        for name, scales in (("a finer output", (1e-3, 3.1e-4)), ("a coarser", (2e-4, 1.3e-3)))
    },
    "LEAKY_RELU int16 with zero points": unary(
        LEAKY, np.int16, (1e-3, 1.1e-3), (700, -9000), shape=EVERY16
    ),
    "RELU6 int16 with a zero point": unary(RELU6, np.int16, (1e-3, 1e-3), (700, 0), shape=EVERY16),
    **{
        f"LEAKY_RELU with alpha {alpha}, {np.dtype(kind)}": unary(LEAKY, kind, alpha=alpha)
        for alpha in (0.0, 1.0, 1.5, -0.3, 1e-12)
        for kind in (np.int8, np.int16)
    },
    "a scalar": unary(RELU, shape=()),
    "RELU of a constant": SingleOp(
        RELU, [constant(EVERY_INT8, 0.1, 3)], [fed((256,), np.int8, 0.05, -100)]
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize(
    "case", [c for n, c in CASES.items() if "constant" not in n and "int16" not in n]
)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def run(case: SingleOp, values: Any, kind: Any) -> list[Any]:
    (output,) = run_ours(case.model(), [np.array(values, kind)])
    return output.tolist()


def test_relu_rescales_and_cuts_off_at_the_zero_point() -> None:
    case = unary(RELU, np.int8, (0.5, 0.25), (10, -3), shape=(4,))
    # (12 - 10) * 0.5 = 1.0 -> 4 steps above -3; 10 is zero; 9 is negative; (90 - 10) * 0.5 is 160
    assert run(case, [12, 10, 9, 90], np.int8) == [1, -3, -3, 127]


def test_relu6_clamps_stored_values_by_the_scale_of_the_input() -> None:
    case = unary(RELU6, np.int8, (0.5, 123.0), (10, 77), shape=(4,))
    # 6 / 0.5 = 12 steps above the zero point 10; the output's scale does not matter
    assert run(case, [9, 15, 22, 23], np.int8) == [10, 15, 22, 22]


def test_leaky_relu_multiplies_negative_values_by_alpha() -> None:
    case = unary(LEAKY, np.int8, (1.0, 0.5), (0, 1), alpha=0.25, shape=(4,))
    # 3 -> 6 steps; -4 * 0.25 -> -2 steps; -3 * 0.25 -> -1.5 steps, a tie, rounded up
    assert run(case, [3, 0, -4, -3], np.int8) == [7, 1, -1, 0]


def test_floats_that_are_no_numbers_pass() -> None:
    values = [np.nan, np.inf, -np.inf, -1.0, 7.0]
    cases = {o: unary(o, np.float32, NO_SCALES, shape=(5,)) for o in (RELU, RELU6, LEAKY)}
    results = {o: run(case, values, np.float32) for o, case in cases.items()}
    np.testing.assert_array_equal(results[RELU], [np.nan, np.inf, 0, 0, 7])
    np.testing.assert_array_equal(results[RELU6], [np.nan, 6, 0, 0, 6])
    np.testing.assert_array_equal(
        results[LEAKY], np.array([np.nan, np.inf, -np.inf, -0.2, 7], np.float32)
    )


@pytest.mark.parametrize("values", [EVERY_INT8, EVERY_INT16], ids=["int8", "int16"])
@pytest.mark.parametrize("alpha", [0.3, -0.7])
def test_leaky_relu_is_within_one_step_of_real_arithmetic(values: Array, alpha: float) -> None:
    scales = float(np.float32(0.037)), float(np.float32(0.021))
    case = unary(LEAKY, values.dtype, scales, (3, -7), alpha=alpha, shape=values.shape)
    (output,) = run_ours(case.model(), [values])
    ratio, slope = Fraction(scales[0]) / Fraction(scales[1]), Fraction(float(np.float32(alpha)))
    limits = np.iinfo(values.dtype)
    for stored, result in zip(values.tolist()[::7], output.tolist()[::7], strict=True):
        real = (stored - 3) * ratio * (1 if stored >= 3 else slope)
        expected = min(max(floor(real + Fraction(1, 2)) - 7, int(limits.min)), int(limits.max))
        assert abs(result - expected) <= 1


REFUSALS = {
    "int32": (unary(RELU, np.int32, NO_SCALES), "Only float32/int8/int16 is supported currently"),
    "another output type": (
        SingleOp(RELU6, [fed((3,), np.int8, 0.1)], [fed((3,), np.int16, 0.1)]),
        "output is INT16",
    ),
    "another output size": (
        SingleOp(RELU, [fed((3,), np.int8, 0.1)], [fed((4,), np.int8, 0.1)]),
        "makes 3",
    ),
    "an int16 input with a zero point": (unary(RELU, np.int16, zero_points=(1, 0)), "is not 0"),
    "an int16 output with a zero point": (unary(RELU, np.int16, zero_points=(0, 1)), "is not 0"),
    "RELU without an output scale": (unary(RELU, scales=(0.1, None)), "no positive scale"),
    "RELU6 without an input scale": (unary(RELU6, scales=(None, 0.1)), "no positive scale"),
    "LEAKY_RELU without an output scale": (unary(LEAKY, scales=(0.1, None)), "no positive scale"),
    "two inputs": (
        SingleOp(LEAKY, [fed((3,), np.float32)] * 2, [fed((3,), np.float32)]),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
