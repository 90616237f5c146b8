"""ADD_N: by hand, by exact integers, and beside TFLM."""

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
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.types import BuiltinOperator


def add_n(
    count: int,
    kind: Any = np.int8,
    scales: tuple[float, float] = (0.05, 0.1),
    zero_points: tuple[int, int] = (0, 0),
    shape: tuple[int, ...] = (2, 3, 5),
) -> SingleOp:
    source, output = (
        fed(shape, kind, float(np.float32(scale)) if kind is np.int8 else None, point)
        for scale, point in zip(scales, zero_points, strict=True)
    )
    return SingleOp(BuiltinOperator.ADD_N, [source] * count, [output])


CASES = {
    **{f"{count} of float32": add_n(count, np.float32) for count in (2, 3, 7)},
    **{f"{count} of int8": add_n(count) for count in (2, 3, 7)},
    "the lowest zero points": add_n(3, zero_points=(-128, -128)),
    "the highest zero points": add_n(3, zero_points=(127, 127)),
    "zero points of which a sum keeps one": add_n(4, zero_points=(50, -20)),
    "a far coarser output": add_n(3, scales=(0.001, 4.0)),
    "a far finer output": add_n(3, scales=(1.0, 0.0001)),
    "sums beyond 32 bits": add_n(40, scales=(0.05, 0.9), zero_points=(-128, 0)),
    "a scalar": add_n(2, shape=()),
    "a constant": SingleOp(
        BuiltinOperator.ADD_N,
        [fed((3,), np.float32), constant(np.array([1, 2, 3], np.float32))],
        [fed((3,), np.float32)],
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


def test_adds_real_values() -> None:
    case = add_n(3, scales=(0.5, 0.25), shape=(2,))
    feeds = [np.array(values, np.int8) for values in ([1, 100], [2, 100], [-5, 100])]
    # (1 + 2 - 5) / 2 = -1.0, four steps; 150.0 saturates
    assert run_ours(case.model(), feeds)[0].tolist() == [-4, 127]


def test_a_sum_starts_at_what_is_stored_as_zero() -> None:
    case = add_n(2, scales=(0.5, 0.5), zero_points=(10, 0), shape=(1,))
    # (11 - 10) + (12 - 10), and 10 less for the start that TFLM makes of it
    assert run_ours(case.model(), [np.array([11], np.int8), np.array([12], np.int8)])[
        0
    ].tolist() == [-7]


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("value", [127, -128])
def test_sums_beyond_32_bits_wrap_as_in_tflm(value: int) -> None:
    model = add_n(20, scales=(0.05, 0.7), shape=(4,)).model()
    feeds = [np.full(4, value, np.int8)] * 20
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


def test_adds_floats_in_order() -> None:
    feeds = [np.array([value], np.float32) for value in (1e8, 1.0, -1e8)]
    assert run_ours(add_n(3, np.float32, shape=(1,)).model(), feeds)[0].tolist() == [0.0]


INT8, OTHER = fed((3,), np.int8, 0.5), fed((3,), np.int8, 0.25)
REFUSALS = {
    "int16": (add_n(2, np.int16), "ADD_N only supports FLOAT32 and INT8, got INT16"),
    "one input": (add_n(1), "at least 2"),
    "two scales": (SingleOp(BuiltinOperator.ADD_N, [INT8, OTHER], [INT8]), "different scales"),
    "two shapes": (
        SingleOp(
            BuiltinOperator.ADD_N,
            [fed((3,), np.float32), fed((1,), np.float32)],
            [fed((3,), np.float32)],
        ),
        "an input has shape",
    ),
    "two types": (
        SingleOp(
            BuiltinOperator.ADD_N,
            [fed((3,), np.float32), fed((3,), np.int32)],
            [fed((3,), np.float32)],
        ),
        "an input is INT32",
    ),
    "an output of another shape": (
        SingleOp(BuiltinOperator.ADD_N, [INT8, INT8], [fed((1, 3), np.int8, 0.5)]),
        "the output has shape",
    ),
    "no scale": (
        SingleOp(BuiltinOperator.ADD_N, [fed((3,), np.int8)] * 2, [INT8]),
        "a scale is not positive",
    ),
    "a zero point beyond int8": (add_n(2, zero_points=(0, 200)), "zero point 200"),
    "an output scale that is too fine": (add_n(2, scales=(1.0, 1e-7)), "between 0 and 1"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
