"""PAD and PADV2: by hand, beside NumPy's pad, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
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

TYPES = [np.float32, np.int8, np.int16, np.int32]
FED = "fed"


def pad(
    shape: Sequence[int] = (1, 2, 3, 2),
    paddings: Sequence[Sequence[int]] = ((0, 0), (1, 2), (2, 0), (0, 0)),
    kind: Any = np.int8,
    *,
    value: Any = None,
    zero_point: int = 3,
    operator: BuiltinOperator = BuiltinOperator.PAD,
    words: Any = np.int32,
) -> SingleOp:
    scale = 0.5 if np.dtype(kind).itemsize < 4 else None
    operands: list[Operand | None] = [
        fed(shape, kind, scale, zero_point),
        constant(np.array(paddings, words)),
    ]
    if value is FED:
        operands.append(fed((1,), kind, scale, zero_point))
    elif value is not None:
        operands.append(constant(np.array([value], kind), scale, zero_point))
    after = [size + sum(both) for size, both in zip(shape, paddings, strict=True)]
    return SingleOp(operator, operands, [fed(after, kind, scale, zero_point)])


CASES = {
    **{f"an image of {k.__name__}": pad(kind=k) for k in TYPES},
    **{f"{k.__name__} with a value": pad(kind=k, value=-7) for k in TYPES},
    **{f"{k.__name__} with a value that is fed": pad(kind=k, value=FED) for k in TYPES},
    **{
        f"{k.__name__} along the first axis": pad((2, 3), ((1, 0), (0, 2)), k, value=9)
        for k in TYPES
    },
    "PADV2": pad(value=5, operator=BuiltinOperator.PADV2),
    "PADV2 without a value": pad(operator=BuiltinOperator.PADV2),
    "one dimension": pad((4,), ((2, 1),)),
    "five dimensions": pad((2, 1, 2, 1, 3), ((0, 0), (1, 0), (0, 1), (2, 2), (0, 1))),
    "five dimensions and all of them padded": pad((2, 1, 2, 1, 3), ((1, 1),) * 5),
    "no padding": pad((2, 3), ((0, 0), (0, 0))),
    "the lowest zero point": pad(zero_point=-128),
    "the highest zero point": pad(zero_point=127),
    "paddings of 64 bits": pad((4,), ((1, 0),), words=np.int64),
    "a negative padding": pad((2, 4), ((0, 0), (-1, 2))),
    "a negative padding of the first axis": pad((3, 2), ((-1, 0), (0, 1))),
    "a negative padding that leaves nothing": pad((2, 2), ((0, 0), (-3, 4))),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_pads_with_the_zero_point_of_int8() -> None:
    case = pad((1, 2), ((0, 0), (1, 2)), zero_point=-4)
    (output,) = run_ours(case.model(), [np.array([[8, 9]], np.int8)])
    assert output.tolist() == [[-4, 8, 9, -4, -4]]


def test_pads_int16_with_0_whatever_the_zero_point() -> None:
    case = pad((2,), ((1, 1),), np.int16, zero_point=5)
    (output,) = run_ours(case.model(), [np.array([8, 9], np.int16)])
    assert output.tolist() == [0, 8, 9, 0]


@pytest.mark.parametrize("kind", TYPES)
def test_pads_every_axis_as_numpy_does(kind: Any) -> None:
    paddings = ((1, 0), (0, 2), (3, 1))
    case = pad((2, 3, 4), paddings, kind, value=11)
    (values,) = random_feeds(case)
    (output,) = run_ours(case.model(), [values])
    np.testing.assert_array_equal(output, np.pad(values, paddings, constant_values=11))


def test_a_negative_padding_does_not_cut_but_takes_the_next_elements() -> None:
    case = pad((2, 3), ((0, 0), (-1, 0)))
    (output,) = run_ours(case.model(), [np.array([[1, 2, 3], [4, 5, 6]], np.int8)])
    assert output.tolist() == [[1, 2], [3, 4]]


def _with(operands: dict[int, Operand | None], output: Operand | None = None) -> SingleOp:
    """The default case with some operands replaced (a new position appends)."""
    case = pad()
    inputs = list(case.inputs)
    for position, operand in operands.items():
        inputs[position : position + 1] = [operand]
    return SingleOp(case.operator, inputs, [output or case.outputs[0]])


REFUSALS = {
    "64-bit elements": (pad(kind=np.int64), "INT64"),
    "another output type": (_with({}, fed((1, 5, 5, 2), np.int16)), "does not convert"),
    "another output shape": (_with({}, fed((1, 5, 4, 2), np.int8)), r"makes \[1, 5, 5, 2\]"),
    "six dimensions": (pad((1,) * 6, ((0, 0),) * 6), "at most 5"),
    "paddings that are fed": (
        _with({1: fed((4, 2), np.int32)}),
        "Non-constant >paddings< tensor is not supported",
    ),
    "too few paddings": (_with({1: constant(np.zeros((3, 2), np.int32))}), "8 are needed"),
    "too many paddings": (
        _with({1: constant(np.array([[0, 0], [1, 2], [2, 0], [0, 0], [0, 0]], np.int32))}),
        "not a pair for each",
    ),
    "an int8 zero point beyond int8": (pad(zero_point=128), "zero point 128"),
    "a value of another type": (
        _with({2: constant(np.array([1], np.int16))}),
        "the pad value is INT16",
    ),
    "two values": (_with({2: constant(np.array([1, 2], np.int8), 0.5, 3)}), "2 elements"),
    "a value of another scale": (
        _with({2: constant(np.array([1], np.int8), 0.25, 3)}),
        "different scales or zero points",
    ),
    "a value of another zero point": (
        _with({2: constant(np.array([1], np.int8), 0.5, 4)}),
        "different scales or zero points",
    ),
    "four inputs": (_with({2: None, 3: constant(np.array([1], np.int8))}), "4 inputs"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
