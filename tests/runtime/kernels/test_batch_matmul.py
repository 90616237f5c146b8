"""BATCH_MATMUL: by hand, in Python's integers, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_like_tflm,
    assert_same,
    fed,
    needs_tflm,
    random_feeds,
    random_values,
    run_ours,
    run_tflm,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    quantize_multiplier,
)
from tinyml_runtime.model.options import BatchMatMulOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

TYPES = [np.float32, np.int8, np.int16]
BOOLS = (False, True)
# Scale and zero point of left, right and output; int16 has no zero points.
SCALES = ((0.05, 3), (0.02, -7), (0.3, 11))
LARGE, SMALL = ((0.5, 3), (0.5, -7), (0.01, 11)), ((0.001, 3), (0.002, -7), (30.0, 11))
AT_THE_ENDS = ((0.05, -128), (0.02, 127), (0.9, -128))


def matmul(
    left: Sequence[int] = (2, 3, 5),
    right: Sequence[int] = (2, 5, 4),
    after: Sequence[int] = (2, 3, 4),
    kind: Any = np.int8,
    adjoint: tuple[bool, bool] = (False, False),
    constants: tuple[bool, bool] = (False, False),
    scales: Sequence[tuple[float, int]] = SCALES,
) -> SingleOp:
    left_operand, right_operand, output = (
        fed(shape, kind)
        if kind is np.float32
        else fed(shape, kind, scale, zero_point if kind is np.int8 else 0)
        for shape, (scale, zero_point) in zip((left, right, after), scales, strict=True)
    )
    operands = [
        _constant(operand) if is_constant else operand
        for operand, is_constant in zip((left_operand, right_operand), constants, strict=True)
    ]
    options = BatchMatMulOptions(*adjoint)
    return SingleOp(BuiltinOperator.BATCH_MATMUL, operands, [output], options)


def _constant(operand: Operand) -> Operand:
    return replace(operand, values=random_values(operand, np.random.default_rng(7)))


def _adjoint(is_adjoint: bool, shape: Sequence[int]) -> tuple[int, ...]:
    return (*shape[:-2], shape[-1], shape[-2]) if is_adjoint else tuple(shape)


CASES = {
    **{f"of {k.__name__}": matmul(kind=k) for k in TYPES},
    **{
        f"adjoint {x, y} of {k.__name__}": matmul(
            _adjoint(x, (2, 3, 5)), _adjoint(y, (2, 5, 4)), kind=k, adjoint=(x, y)
        )
        for k, x, y in product(TYPES, BOOLS, BOOLS)
    },
    **{
        f"constants {a, b} of {k.__name__}": matmul(kind=k, constants=(a, b))
        for k, a, b in product(TYPES, BOOLS, BOOLS)
    },
    **{
        f"one constant matrix, adjoint {x, y}, of {k.__name__}": matmul(
            _adjoint(x, (2, 3, 3, 5)),
            _adjoint(y, (5, 4)),
            (2, 3, 3, 4),
            k,
            (x, y),
            (False, True),
        )
        for k, x, y in product(TYPES, BOOLS, BOOLS)
    },
    "left broadcast": matmul((1, 3, 5), (4, 5, 2), (4, 3, 2)),
    "right broadcast": matmul((4, 3, 5), (1, 5, 2), (4, 3, 2)),
    "right of fewer dimensions": matmul((2, 3, 3, 5), (5, 2), (2, 3, 3, 2)),
    "left of fewer dimensions": matmul((3, 5), (2, 3, 5, 2), (2, 3, 3, 2)),
    "both broadcast": matmul((3, 1, 2, 5), (2, 5, 2), (3, 2, 2, 2)),
    "both broadcast, adjoint": matmul((3, 1, 5, 2), (2, 2, 5), (3, 2, 2, 2), np.int8, (True, True)),
    "five dimensions": matmul((2, 1, 3, 2, 4), (1, 2, 1, 4, 3), (2, 2, 3, 2, 3)),
    "a constant broadcast": matmul((2, 3, 5), (3, 1, 5, 4), (3, 2, 3, 4), constants=(False, True)),
    "vectors": matmul((1, 7), (7, 1), (1, 1)),
    "long sums": matmul((2, 300), (300, 3), (2, 3), scales=((0.05, 3), (0.02, -7), (5.0, 11))),
    "long sums with a constant": matmul(
        (2, 400), (400, 3), (2, 3), constants=(False, True), scales=((0.05, 3), (0.02, 0), (5.0, 1))
    ),
    "long sums of int16": matmul(
        (1, 600), (600, 2), (1, 2), np.int16, scales=((1, 0),) * 2 + ((1e5, 0),)
    ),
    **{f"a large factor of {k.__name__}": matmul(kind=k, scales=LARGE) for k in TYPES[1:]},
    **{f"a small factor of {k.__name__}": matmul(kind=k, scales=SMALL) for k in TYPES[1:]},
    "zero points at the ends": matmul(scales=AT_THE_ENDS),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if random_feeds(case)],
    ids=[name for name, case in CASES.items() if random_feeds(case)],
)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


@needs_tflm
@pytest.mark.oracle
def test_without_scales_every_output_is_the_zero_point_as_in_tflm() -> None:
    case = SingleOp(
        BuiltinOperator.BATCH_MATMUL,
        [fed((2, 3), np.int8), fed((3, 2), np.int8)],
        [fed((2, 2), np.int8)],
    )
    feeds = random_feeds(case)
    assert_same(run_ours(case.model(), feeds), [np.zeros((2, 2), np.int8)])
    assert_same(run_ours(case.model(), feeds), run_tflm(case.model(), feeds))


def test_multiplies_rows_by_columns() -> None:
    left = np.array([[1, 2], [3, 4]], np.float32)
    right = np.array([[5, 6], [7, 8]], np.float32)
    (output,) = run_ours(matmul((2, 2), (2, 2), (2, 2), np.float32).model(), [left, right])
    assert output.tolist() == [[19, 22], [43, 50]]


def test_takes_off_both_zero_points_and_rescales() -> None:
    scales = ((0.5, 1), (0.5, -2), (2.0, 10))
    case = matmul((1, 2), (2, 1), (1, 1), scales=scales)
    (output,) = run_ours(
        case.model(), [np.array([[5, -3]], np.int8), np.array([[6], [1]], np.int8)]
    )
    # (5-1) * (6+2) + (-3-1) * (1+2) = 20; 20 * 0.5 * 0.5 / 2 = 2.5, rounded to 3; zero point 10
    assert output.tolist() == [[13]]


def _in_integers(left: Array, right: Array, case: SingleOp) -> Array:
    """The same in Python's integers and the definition of fixed-point arithmetic."""
    first, second = (operand for operand in case.inputs if operand)
    output = case.outputs[0]
    a = left.astype(object) - first.zero_points[0]
    b = right.astype(object) - second.zero_points[0]
    sums = (a[..., :, :, None] * b[..., None, :, :]).sum(axis=-2)
    product_scale = np.float32(first.scales[0]) * np.float32(second.scales[0])
    factor = quantize_multiplier(float(product_scale) / output.scales[0])
    is_wide = output.type is TensorType.INT16
    multiply = (
        multiply_wide_by_quantized_multiplier if is_wide else multiply_by_quantized_multiplier
    )
    scaled = multiply(sums.astype(np.int64), factor.multiplier, factor.shift)
    limits = np.iinfo(np.int16 if is_wide else np.int8)
    return np.clip(scaled + output.zero_points[0], limits.min, limits.max)


@pytest.mark.parametrize("kind", TYPES[1:])
@pytest.mark.parametrize("scales", [SCALES, LARGE, SMALL, AT_THE_ENDS])
@pytest.mark.parametrize("depth", [1, 31, 259])
def test_is_exact(kind: Any, scales: Any, depth: int) -> None:
    case = matmul((2, 4, depth), (2, depth, 3), (2, 4, 3), kind, scales=scales)
    left, right = random_feeds(case)
    (output,) = run_ours(case.model(), [left, right])
    assert output.tolist() == _in_integers(left, right, case).tolist()


def test_the_largest_sums_are_exact() -> None:
    depth = 40_000  # sums of 2**31 and more wrap in 32 bits, as in TFLM
    case = matmul((1, depth), (depth, 1), (1, 1), scales=((1, 127), (1, 127), (2.0**24, 0)))
    feeds = [np.full((1, depth), -128, np.int8), np.full((depth, 1), -128, np.int8)]
    (output,) = run_ours(case.model(), feeds)
    wrapped = depth * 255 * 255 - 2**32
    assert output.tolist() == [[round(wrapped / 2**24)]]


def test_sums_of_nothing_are_the_zero_point() -> None:
    case = matmul((2, 0), (0, 3), (2, 3))
    (output,) = run_ours(case.model(), [np.zeros((2, 0), np.int8), np.zeros((0, 3), np.int8)])
    assert output.tolist() == [[11] * 3] * 2


def _quantized(scales: Sequence[float], zero_point: int = 0, kind: Any = np.int8) -> SingleOp:
    return SingleOp(
        BuiltinOperator.BATCH_MATMUL,
        [fed((1, 1), kind, scales[0], zero_point), fed((1, 1), kind, scales[1])],
        [fed((1, 1), kind, scales[2])],
    )


REFUSALS = {
    "uint8": (matmul(kind=np.uint8), "the left operand is UINT8"),
    "two types": (
        SingleOp(
            BuiltinOperator.BATCH_MATMUL,
            [fed((1, 1), np.float32), fed((1, 1), np.int8)],
            [fed((1, 1), np.float32)],
        ),
        "the right operand is INT8",
    ),
    "another type after": (
        SingleOp(BuiltinOperator.BATCH_MATMUL, matmul().inputs, [fed((2, 3, 4), np.int16)]),
        "the output is INT16",
    ),
    "a vector": (matmul((5,), (5, 4), (4,)), "the left operand has 1 dimensions"),
    "six dimensions": (
        matmul((1, 5), (1, 1, 1, 1, 5, 1), (1,) * 6),
        "the right operand has 6 dimensions",
    ),
    "other depths": (matmul((2, 3, 5), (2, 4, 4)), "5 and 4 deep"),
    "other depths when transposed": (matmul(adjoint=(True, False)), "3 and 5 deep"),
    "other batches": (matmul((2, 3, 5), (3, 5, 4)), "other batches"),
    "another shape after": (matmul(after=(2, 4, 3)), "the operator makes .2, 3, 4."),
    "a zero point of int16": (_quantized((1, 1, 1), 1, np.int16), "zero point of 1"),
    "a negative scale": (_quantized((-1, 1, 1)), "input_product_scale >= 0 was not true."),
    "a negative scale after": (_quantized((1, 1, -1)), "the output's scale is negative"),
    "one input": (
        SingleOp(BuiltinOperator.BATCH_MATMUL, matmul().inputs[:1], matmul().outputs),
        "1 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
