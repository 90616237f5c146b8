"""ADD, SUB, MUL, MAXIMUM, MINIMUM: by hand, beside plain formulas, and beside TFLM."""

from __future__ import annotations

from dataclasses import replace
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
from tinyml_runtime.model.options import AddOptions, MulOptions, SubOptions
from tinyml_runtime.tensor import dtype_of
from tinyml_runtime.types import Activation, BuiltinOperator

ADD, SUB, MUL = BuiltinOperator.ADD, BuiltinOperator.SUB, BuiltinOperator.MUL
MAXIMUM, MINIMUM = BuiltinOperator.MAXIMUM, BuiltinOperator.MINIMUM
OPTIONS = {ADD: AddOptions, SUB: SubOptions, MUL: MulOptions}
CLAMPS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)
Shape = tuple[int, ...]
Triple = tuple[float | None, float | None, float | None]


def thrice(shape: Shape) -> tuple[Shape, Shape, Shape]:
    return shape, shape, shape


def operand(shape: Shape, kind: Any, scale: float | None, zero_point: int) -> Operand:
    return fed(shape, kind, None if scale is None else float(np.float32(scale)), zero_point)


def binary(
    operator: BuiltinOperator,
    kind: Any = np.int8,
    scales: Triple = (0.05, 0.03, 0.07),
    zero_points: tuple[int, int, int] = (3, -4, 5),
    shapes: tuple[Shape, Shape, Shape] = thrice((1, 7, 9, 5)),
    activation: Activation = Activation.NONE,
) -> SingleOp:
    first, second, output = (
        operand(shape, kind, scale, point)
        for shape, scale, point in zip(shapes, scales, zero_points, strict=True)
    )
    options = OPTIONS[operator](fused_activation=activation) if operator in OPTIONS else None
    return SingleOp(operator, [first, second], [output], options)


NO_SCALES: Triple = (None, None, None)
NO_POINTS = (0, 0, 0)
SUMS = {
    "like scales": (0.05, 0.05, 0.1),
    "a much larger first scale": (0.9, 0.0007, 0.8),
    "a much larger second scale": (1e-5, 0.2, 0.25),
    "a fine output that saturates": (0.2, 0.3, 0.004),
    "a coarse output": (0.01, 0.02, 3.0),
}
PRODUCTS = {
    "a right shift": (0.05, 0.03, 0.07),
    "a left shift": (0.9, 0.8, 0.1),
    "no scale of an input": (None, 0.1, 0.1),
    "a coarse output": (0.001, 0.002, 3.0),
}
POINTS = {
    "zero points at 0": NO_POINTS,
    "zero points at the lower end": (-128, -128, -128),
    "zero points at the upper end": (127, 127, 127),
    "zero points at both ends": (-128, 127, -128),
}
BROADCASTS = {
    "channels": ((2, 4, 3, 5), (5,), (2, 4, 3, 5)),
    "a first operand of channels": ((1, 1, 1, 5), (2, 4, 3, 5), (2, 4, 3, 5)),
    "a scalar": ((2, 3), (), (2, 3)),
    "both ways": ((2, 1, 3), (1, 4, 3), (2, 4, 3)),
    "a batch of 2": ((2, 3, 3), (1, 3, 3), (2, 3, 3)),
}
CASES = {
    **{
        f"{o.name} {np.dtype(kind)} {activation.name}": binary(
            o, kind, NO_SCALES, NO_POINTS, activation=activation
        )
        for o in (ADD, SUB, MUL)
        for kind in (np.float32, np.int32)
        for activation in CLAMPS
    },
    **{
        f"{o.name} {np.dtype(kind)} {activation.name}": binary(
            o, kind, zero_points=NO_POINTS, activation=activation
        )
        for o in (ADD, SUB, MUL)
        for kind in (np.int8, np.int16)
        for activation in CLAMPS
    },
    **{
        f"{o.name} {np.dtype(kind)} with {name}": binary(o, kind, scales, NO_POINTS)
        for o, table in ((ADD, SUMS), (SUB, SUMS), (MUL, PRODUCTS))
        for kind in (np.int8, np.int16)
        for name, scales in table.items()
    },
    **{
        f"{o.name} int8 with {name}": binary(o, np.int8, zero_points=points)
        for o in (ADD, SUB, MUL)
        for name, points in POINTS.items()
    },
    **{
        f"{o.name} int16 with zero points": binary(o, np.int16, zero_points=(-32768, 32767, 9))
        for o in (ADD, SUB)
    },
    **{
        f"{o.name} {np.dtype(kind)} of {name}": binary(
            o, kind, NO_SCALES if np.dtype(kind).itemsize == 4 else (0.05, 0.03, 0.07), NO_POINTS,
            shapes,
        )
        for o in (ADD, SUB, MUL)
        for kind in (np.float32, np.int32, np.int8, np.int16)
        for name, shapes in BROADCASTS.items()
    },
    **{
        f"{o.name} {np.dtype(kind)}": binary(o, kind, NO_SCALES, NO_POINTS)
        for o in (MAXIMUM, MINIMUM)
        for kind in (np.float32, np.int8, np.int16, np.int32, np.int64)
    },
    **{
        f"{o.name} float32 of {name}": binary(o, np.float32, NO_SCALES, NO_POINTS, shapes)
        for o in (MAXIMUM, MINIMUM)
        for name, shapes in BROADCASTS.items()
    },
}  # fmt: skip


def with_constant(case: SingleOp, position: int) -> SingleOp:
    """The same operator with one operand in the file."""
    operands = list(case.inputs)
    fixed = case.inputs[position]
    assert fixed is not None
    values = random_feeds(case)[position]
    operands[position] = constant(values, fixed.scales or None, fixed.zero_points or 0)
    return SingleOp(case.operator, operands, case.outputs, case.options)


CONSTANTS = {
    f"{o.name} {np.dtype(kind)} of {name}, operand {position} constant": with_constant(
        binary(o, kind, (0.05, 0.03, 0.07), NO_POINTS, BROADCASTS[name]), position
    )
    for o in (ADD, SUB, MUL)
    for kind in (np.int8, np.int16)
    for name in ("channels", "a batch of 2")
    for position in (0, 1)
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", [*CASES.values(), *CONSTANTS.values()], ids=[*CASES, *CONSTANTS])
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


ODD_QUANTIZATION = {
    "a scale without a zero point is none": SingleOp(
        ADD, [replace(fed((3,), np.int32), scales=(0.5,))] * 2, [fed((3,), np.int32)]
    ),
    "of a zero point the low 32 bits count": SingleOp(
        SUB,
        [fed((3,), np.int8, 0.5, 2**32 - 7), fed((3,), np.int8, 0.5, -(2**32))],
        [fed((3,), np.int8, 1.0, 2**40)],
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", ODD_QUANTIZATION.values(), ids=ODD_QUANTIZATION)
def test_odd_quantization_is_understood_as_tflm_does(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CONSTANTS.values(), ids=CONSTANTS)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def run(case: SingleOp, first: Any, second: Any) -> list[Any]:
    dtype = dtype_of(case.outputs[0].type)
    feeds = [np.array(values, dtype) for values in (first, second)]
    (output,) = run_ours(case.model(), feeds)
    return output.tolist()


FOUR = thrice((4,))


def test_adds_by_hand() -> None:
    case = binary(ADD, np.int8, (0.5, 0.25, 1.0), (2, -4, 10), FOUR)
    # (6 - 2) * 0.5 + (4 + 4) * 0.25 = 4; then 0 + 0; 62.5 + 32.75 = 95.25; -65 - 31 = -96
    assert run(case, [6, 2, 127, -128], [4, -4, 127, -128]) == [14, 10, 105, -86]


def test_subtracts_by_hand() -> None:
    case = binary(SUB, np.int8, (0.5, 0.25, 0.5), (0, 0, 1), FOUR)
    # (3 - 1) / 0.5 + 1 = 5 ...; -64 - 31.75 is -191.5 steps, saturated
    assert run(case, [6, 0, 0, -128], [4, 2, -2, 127]) == [5, 0, 2, -128]


def test_multiplies_by_hand() -> None:
    case = binary(MUL, np.int8, (0.5, 0.5, 0.25), (1, 2, -1), FOUR)
    # 0.5 * 0.5 / 0.25 = 1, so stored values multiply: (5 - 1) * (7 - 2) - 1 = 19
    assert run(case, [5, 1, -128, 0], [7, 100, 127, 0]) == [19, -1, -128, 1]


def test_int32_sums_wrap() -> None:
    case = binary(ADD, np.int32, NO_SCALES, NO_POINTS, thrice((2,)))
    assert run(case, [2**31 - 1, -5], [1, 3]) == [-(2**31), -2]


def test_add_of_int32_ignores_the_activation_as_tflm_does() -> None:
    shapes = thrice((2,))
    relu6 = Activation.RELU6
    assert run(binary(ADD, np.int32, NO_SCALES, NO_POINTS, shapes, relu6), [9, -9], [1, 1]) == [
        10,
        -8,
    ]
    assert run(binary(SUB, np.int32, NO_SCALES, NO_POINTS, shapes, relu6), [9, -9], [1, 1]) == [
        6,
        0,
    ]


def test_no_infinity_gets_out_of_float_arithmetic() -> None:
    largest = float(np.finfo(np.float32).max)
    case = binary(ADD, np.float32, NO_SCALES, NO_POINTS, thrice((3,)))
    assert run(case, [np.inf, -np.inf, 3e38], [1.0, 1.0, 3e38]) == [largest, -largest, largest]


def test_float_maximum_gives_the_second_operand_where_they_do_not_compare() -> None:
    for operator in (MAXIMUM, MINIMUM):
        case = binary(operator, np.float32, NO_SCALES, NO_POINTS, thrice((2,)))
        np.testing.assert_array_equal(run(case, [np.nan, 1.0], [1.0, np.nan]), [1.0, np.nan])


@pytest.mark.parametrize("operator", [ADD, SUB, MUL])
@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_is_within_one_step_of_real_arithmetic(operator: BuiltinOperator, kind: Any) -> None:
    points = (0, 0, 0) if kind is np.int16 else (11, -30, 4)
    case = binary(operator, kind, (0.05, 0.03, 0.07), points, thrice((500,)))
    feeds = random_feeds(case)
    scales = [Fraction(op.scales[0]) for op in (*case.inputs, *case.outputs) if op is not None]
    limits = np.iinfo(kind)
    (output,) = run_ours(case.model(), feeds)
    for x, y, result in zip(feeds[0].tolist(), feeds[1].tolist(), output.tolist(), strict=True):
        a, b = (x - points[0]) * scales[0], (y - points[1]) * scales[1]
        real = {ADD: a + b, SUB: a - b, MUL: a * b}[operator]
        expected = floor(real / scales[2] + Fraction(1, 2)) + points[2]
        assert abs(result - min(max(expected, int(limits.min)), int(limits.max))) <= 1


def unlike(operator: BuiltinOperator, output: Any) -> SingleOp:
    """Operands of int8 and an output of another type."""
    inputs = [operand((3,), np.int8, 0.1, 0)] * 2
    return SingleOp(operator, inputs, [operand((3,), output, 0.1, 0)])


EIGHT = np.int8
REFUSALS = {
    "int64": (binary(ADD, np.int64, NO_SCALES, NO_POINTS), r"Type INT64 \(4\) not supported"),
    "bool": (
        binary(MAXIMUM, np.bool_, NO_SCALES, NO_POINTS),
        r"Type BOOL \(6\) is not supported by Maximum/Minimum",
    ),
    "unlike types": (unlike(MUL, np.int16), "does not convert"),
    "int32 with a scale": (binary(ADD, np.int32), "has a scale"),
    "int32 with an output scale": (binary(SUB, np.int32, (None, None, 0.1)), "has a scale"),
    "int16 products with zero points": (binary(MUL, np.int16), "is not 0"),
    "int8 sums without an output scale": (binary(ADD, EIGHT, (0.1, 0.1, None)), "not positive"),
    "int8 sums without an input scale": (binary(SUB, EIGHT, (None, 0.1, 0.1)), "between 0 and 1"),
    "int8 sums without input scales": (binary(ADD, EIGHT, (None, None, 0.1)), "not positive"),
    "int8 sums with a negative scale": (binary(ADD, EIGHT, (0.1, -0.1, 0.1)), "between 0 and 1"),
    "an output too fine for a sum": (binary(ADD, EIGHT, (0.1, 0.1, 1e-8)), "between 0 and 1"),
    "int8 products without an output scale": (
        binary(MUL, EIGHT, (0.1, 0.1, None)),
        "no positive scale",
    ),
    "a clamp that no 32-bit integer holds": (
        binary(MUL, EIGHT, (0.1, 0.1, 1e-45), activation=Activation.RELU6),
        "the clamp at 6.0 is out of the range",
    ),
    "three factors": (
        SingleOp(MUL, [fed((2,), np.float32)] * 3, [fed((2,), np.float32)]),
        "3 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
