"""QUANTIZE and DEQUANTIZE: by hand, beside plain formulas, and beside TFLM."""

from __future__ import annotations

from fractions import Fraction
from math import floor
from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
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

Operation = tuple[Any, float | None, int]
SHAPE = (2, 7, 9)


def tensor(kind: Any, scale: float | None, zero_point: int, shape: tuple[int, ...]) -> Operand:
    return fed(shape, kind, None if scale is None else float(np.float32(scale)), zero_point)


def quantize(
    source: Operation, output: Operation, shape: tuple[int, ...] = SHAPE
) -> SingleOp:  # fmt: skip
    operands = [tensor(*source, shape)], [tensor(*output, shape)]
    return SingleOp(BuiltinOperator.QUANTIZE, *operands)


def dequantize(source: Operation, shape: tuple[int, ...] = SHAPE) -> SingleOp:
    operands = [tensor(*source, shape)], [fed(shape, np.float32)]
    return SingleOp(BuiltinOperator.DEQUANTIZE, *operands)


FLOAT: Operation = (np.float32, None, 0)
QUANTIZES = {
    **{
        f"float32 to {np.dtype(kind)} with zero point {point}": quantize(FLOAT, (kind, 0.02, point))
        for kind in (np.int8, np.int16)
        for point in (-128, 0, 127)
    },
    "int16 to int8": quantize((np.int16, 0.001, 9), (np.int8, 0.2, -5)),
    "int16 to int16, finer": quantize((np.int16, 0.01, 0), (np.int16, 0.003, 0)),
    "int16 to int32": quantize((np.int16, 0.01, 0), (np.int32, 1e-6, 0)),
    "int8 to int8": quantize((np.int8, 0.1, -128), (np.int8, 0.13, 127)),
    "int8 to int8 of the same scale": quantize((np.int8, 0.1, 3), (np.int8, 0.1, 3)),
    "int8 to uint8 of the same scale": quantize((np.int8, 0.1, 0), (np.uint8, 0.1, 128)),
    "int8 to uint8": quantize((np.int8, 0.1, 0), (np.uint8, 0.07, 99)),
    "uint8 to int8 of the same scale": quantize((np.uint8, 0.1, 128), (np.int8, 0.1, 0)),
    "uint8 to int8": quantize((np.uint8, 0.1, 5), (np.int8, 0.3, -9)),
    "int8 to int16": quantize((np.int8, 0.1, 4), (np.int16, 0.0007, 100)),
    "int8 to int32": quantize((np.int8, 0.1, 4), (np.int32, 1e-7, 0)),
    "int32 to int8": quantize((np.int32, 1e-8, 0), (np.int8, 0.1, 7)),
    "int32 to int16 with zero points": quantize((np.int32, 1e-6, 123), (np.int16, 0.1, -7)),
    "an input without a scale": quantize((np.int8, None, 0), (np.int8, 0.1, 7)),
    "a scalar": quantize((np.int8, 0.1, 4), (np.int16, 0.0007, 100), ()),
}
DEQUANTIZES = {
    **{
        f"{np.dtype(kind)} with zero point {point}": dequantize((kind, 0.031, point))
        for kind in (np.int8, np.uint8, np.int16)
        for point in (-128, 0, 127)
    },
    "many int8 values": dequantize((np.int8, 0.031, -7), (40, 50)),
    "many uint8 values": dequantize((np.uint8, 0.7, 200), (40, 50)),
    "many int16 values": dequantize((np.int16, 0.000123, 9), (400, 100)),
    "a zero point that no float32 holds": dequantize((np.int16, 0.031, 2**24 + 1)),
    "a scale that makes infinities": dequantize((np.int16, 1e37, 0), (40, 50)),
    "a scale that makes the smallest numbers": dequantize((np.int16, 1e-45, 3), (40, 50)),
    "int8 without a scale": dequantize((np.int8, None, 0)),
    "a constant": SingleOp(
        BuiltinOperator.DEQUANTIZE,
        [constant(np.arange(-6, 6).astype(np.int8).reshape(3, 4), 0.3, 2)],
        [fed((3, 4), np.float32)],
    ),
    "a scale per channel": SingleOp(
        BuiltinOperator.DEQUANTIZE,
        [constant(np.arange(-6, 6).astype(np.int8).reshape(3, 4), [0.3, 0.1, 7.0], 0)],
        [fed((3, 4), np.float32)],
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize(
    "case", [*QUANTIZES.values(), *DEQUANTIZES.values()], ids=[*QUANTIZES, *DEQUANTIZES]
)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", QUANTIZES.values(), ids=QUANTIZES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def run(case: SingleOp, values: Any, kind: Any) -> list[Any]:
    (output,) = run_ours(case.model(), [np.array(values, kind)])
    return output.tolist()


def test_quantizes_floats_by_hand() -> None:
    case = quantize(FLOAT, (np.int8, 0.5, -1), (6,))
    # 1.2 / 0.5 = 2.4 -> 2; the ties 0.5 and -0.5 go away from zero; the ends saturate
    values = [1.2, 0.25, -0.25, -1.2, 1e6, -1e6]
    assert run(case, values, np.float32) == [1, 0, -2, -3, 127, -128]


def test_floats_beyond_32_bits_saturate_and_no_number_becomes_the_lowest() -> None:
    case = quantize(FLOAT, (np.int16, 0.5, 9), (5,))
    values = [1e30, -1e30, np.inf, -np.inf, np.nan]
    assert run(case, values, np.float32) == [32767, -32768, 32767, -32768, -32768]


def test_the_neighbours_of_a_tie_are_not_ties() -> None:
    ties = np.arange(-40, 40, dtype=np.float32) + np.float32(0.5)
    values = np.concatenate([ties, np.nextafter(ties, np.float32(0)), ties * np.float32(1.000001)])
    case = quantize(FLOAT, (np.int8, 1.0, 0), values.shape)
    expected = [
        floor(abs(Fraction(v)) + Fraction(1, 2)) * (1 if v > 0 else -1) for v in values.tolist()
    ]
    assert run(case, values, np.float32) == expected


def test_requantizes_by_hand() -> None:
    case = quantize((np.int8, 0.5, 10), (np.int16, 0.125, -100), (3,))
    assert run(case, [10, 12, -128], np.int8) == [-100, -92, -652]


def test_dequantizes_by_hand() -> None:
    case = dequantize((np.int8, 0.25, -3), (3,))
    assert run(case, [-3, 5, -128], np.int8) == [0.0, 2.0, -31.25]


@pytest.mark.parametrize("scale", [0.031, 0.1, 1e37, 1e-45])
@pytest.mark.parametrize("zero_point", [0, 9, -(2**15), 2**23])
def test_every_product_is_the_one_of_float64_rounded_once(scale: float, zero_point: int) -> None:
    stored = np.arange(-(2**15), 2**15).astype(np.int16)
    case = dequantize((np.int16, scale, zero_point), stored.shape)
    (real,) = run_ours(case.model(), [stored])
    with np.errstate(over="ignore"):
        product = float(np.float32(scale)) * (stored - np.int64(zero_point))
        np.testing.assert_array_equal(real, product.astype(np.float32))


def test_a_scale_per_channel_counts_for_the_first_channel_only() -> None:
    (output,) = run_ours(DEQUANTIZES["a scale per channel"].model(), [])
    assert output[2].tolist() == [
        float(np.float32(np.float64(np.float32(0.3)) * n)) for n in (2, 3, 4, 5)
    ]


ONE_SCALE = tensor(np.int8, 0.1, 0, (3,))
REFUSALS = {
    "float32 to uint8": (
        quantize(FLOAT, (np.uint8, 0.1, 0)),
        "Input FLOAT32, output UINT8 not supported",
    ),
    "uint8 to int16": (quantize((np.uint8, 0.1, 0), (np.int16, 0.1, 0)), "not supported"),
    "int32 to int32": (quantize((np.int32, 0.1, 0), (np.int32, 0.1, 0)), "not supported"),
    "an output without a scale": (quantize(FLOAT, (np.int8, None, 0)), "0 scales, not one"),
    "an output with a scale per channel": (
        SingleOp(
            BuiltinOperator.QUANTIZE,
            [fed((2,), np.float32)],
            [Operand((2,), ONE_SCALE.type, None, (0.1, 0.2), (0, 0))],
        ),
        "2 scales, not one",
    ),
    "a scale of zero": (quantize(FLOAT, (np.int8, 0.0, 0)), "not positive"),
    "an output of another size": (
        SingleOp(BuiltinOperator.QUANTIZE, [fed((4,), np.float32)], [ONE_SCALE]),
        "makes 4",
    ),
    "dequantizing int32": (dequantize((np.int32, 0.1, 0)), "input is INT32"),
    "dequantizing to int8": (
        SingleOp(BuiltinOperator.DEQUANTIZE, [ONE_SCALE], [ONE_SCALE]),
        "output is INT8",
    ),
    "two inputs": (
        SingleOp(BuiltinOperator.DEQUANTIZE, [ONE_SCALE] * 2, [fed((3,), np.float32)]),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
