"""PRELU: by hand, by exact fractions, and beside TFLM."""

from __future__ import annotations

from fractions import Fraction
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
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.types import BuiltinOperator

TYPES = (np.float32, np.int8, np.int16)


def scaled(shape: tuple[int, ...], kind: Any, scale: float, zero_point: int) -> Operand:
    return fed(
        shape, kind, float(np.float32(scale)) if kind is not np.float32 else None, zero_point
    )


def prelu(
    kind: Any = np.int8,
    shape: tuple[int, ...] = (2, 3, 4, 5),
    slopes: tuple[int, ...] = (1, 1, 5),
    scales: tuple[float, float, float] = (0.05, 0.01, 0.04),
    zero_points: tuple[int, int, int] = (0, 0, 0),
    *,
    feeds_alpha: bool = False,
) -> SingleOp:
    alpha = scaled(slopes, np.float32 if kind is np.float32 else np.int8, scales[1], zero_points[1])
    if not feeds_alpha:
        (values,) = random_feeds(SingleOp(BuiltinOperator.PRELU, [alpha], []), 9)
        alpha = constant(values, alpha.scales or None, alpha.zero_points or 0)
    return SingleOp(
        BuiltinOperator.PRELU,
        [scaled(shape, kind, scales[0], zero_points[0]), alpha],
        [scaled(shape, kind, scales[2], zero_points[2])],
    )


CASES = {
    **{f"{np.dtype(kind)} per channel": prelu(kind) for kind in TYPES},
    **{f"{np.dtype(kind)} with one alpha": prelu(kind, slopes=(1,)) for kind in TYPES},
    **{f"{np.dtype(kind)}, alpha per row": prelu(kind, slopes=(3, 1, 1)) for kind in TYPES},
    **{f"{np.dtype(kind)}, fed alpha": prelu(kind, feeds_alpha=True) for kind in TYPES},
    **{
        f"{np.dtype(kind)}, alpha of the input's shape": prelu(kind, (3, 5), (3, 5))
        for kind in TYPES
    },
    "the lowest zero points": prelu(zero_points=(-128, -128, -128)),
    "the highest zero points": prelu(zero_points=(127, 127, 127)),
    "int16 with zero points": prelu(np.int16, zero_points=(300, -5, -1000)),
    "a finer output": prelu(scales=(0.5, 0.01, 0.003), zero_points=(3, 4, 5)),
    "a far coarser output": prelu(scales=(0.001, 0.01, 4.0), zero_points=(3, 4, 5)),
    "int16, a finer output": prelu(np.int16, scales=(1e-3, 0.1, 2e-4)),
    "five dimensions of int8": prelu(shape=(2, 1, 3, 2, 4), slopes=(3, 1, 4)),
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
def test_every_pair_of_int8_agrees_with_tflm(zero_points: tuple[int, int, int]) -> None:
    case = prelu(shape=(256, 256), slopes=(256,), zero_points=zero_points, feeds_alpha=True)
    every = np.arange(-128, 128).astype(np.int8)
    feeds = [np.repeat(every[:, np.newaxis], 256, axis=1), every]
    assert_same(run_ours(case.model(), feeds), run_tflm(case.model(), feeds))


def test_multiplies_negative_real_values() -> None:
    case = prelu(np.int8, (4,), (1,), (0.5, 0.25, 0.125), zero_points=(10, 2, -3), feeds_alpha=True)
    # alpha is (4 - 2) / 4 = 0.5; 1.0 is 8 steps above -3; -1.0 * 0.5 is 4 below; 20.0 saturates
    (output,) = run_ours(case.model(), [np.array([12, 8, 10, 50], np.int8), np.array([4], np.int8)])
    assert output.tolist() == [5, -7, -3, 127]


def test_multiplies_negative_floats() -> None:
    case = prelu(np.float32, (2, 3), (3,), feeds_alpha=True)
    feeds = [
        np.array([[1, -2, -4], [-1, 2, np.nan]], np.float32),
        np.array([0.5, 0.25, -3], np.float32),
    ]
    (output,) = run_ours(case.model(), feeds)
    np.testing.assert_array_equal(output, np.array([[1, -0.5, 12], [-0.5, 2, np.nan]], np.float32))


@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_is_within_a_step_of_exact_fractions(kind: Any) -> None:
    scales = tuple(float(np.float32(scale)) for scale in (0.05, 0.01, 0.07))
    case = prelu(kind, (40, 5), (5,), (scales[0], scales[1], scales[2]), feeds_alpha=True)
    values, alpha = random_feeds(case)
    (output,) = run_ours(case.model(), [values, alpha])
    limits = np.iinfo(kind)
    for row, results in zip(values.tolist(), output.tolist(), strict=True):
        for value, slope, result in zip(row, alpha.tolist(), results, strict=True):
            factor = 1 if value >= 0 else slope * Fraction(scales[1])
            exact = value * Fraction(scales[0]) * factor / Fraction(scales[2])
            assert abs(result - min(max(exact, int(limits.min)), int(limits.max))) <= 1


FLOATS, INT8 = fed((3,), np.float32), fed((3,), np.int8, 0.5)
INT16 = fed((3,), np.int16, 0.5)
REFUSALS = {
    "uint8": (
        SingleOp(BuiltinOperator.PRELU, [fed((3,), np.uint8)] * 2, [fed((3,), np.uint8)]),
        "Input type 'UINT8' is not supported",
    ),
    "int16 alpha": (SingleOp(BuiltinOperator.PRELU, [INT16] * 2, [INT16]), "alpha is INT16"),
    "int8 alpha of floats": (
        SingleOp(BuiltinOperator.PRELU, [FLOATS, INT8], [FLOATS]),
        "alpha is INT8",
    ),
    "another output type": (
        SingleOp(BuiltinOperator.PRELU, [INT8, INT8], [INT16]),
        "the output is INT16",
    ),
    "five dimensions of floats": (
        prelu(np.float32, (1, 2, 1, 2, 3), (3,)),
        "this kernel takes at most 4",
    ),
    "alpha that does not broadcast": (prelu(slopes=(4,)), "do not broadcast"),
    "alpha that is larger than the input": (
        prelu(np.float32, (1, 5), (3, 5)),
        r"makes \[3, 5\]",
    ),
    "no output scale": (prelu(scales=(0.1, 0.1, 0.0)), "a scale is not positive"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
