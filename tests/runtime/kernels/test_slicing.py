"""SLICE and STRIDED_SLICE: by hand, by walking over indices, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
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
from tinyml_runtime.model.options import StridedSliceOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

TYPES = [np.float32, np.int8, np.int16, np.int32, np.bool_]


def int32(values: Any) -> Operand:
    return constant(np.array(values, np.int32))


def slicing(
    begin: Sequence[int] = (0, 1, 0),
    size: Sequence[int] = (2, 2, -1),
    after: Sequence[int] = (2, 2, 4),
    shape: Sequence[int] = (2, 3, 4),
    kind: Any = np.int8,
    words: Any = np.int32,
) -> SingleOp:
    bounds = [constant(np.array(values, words)) for values in (begin, size)]
    return SingleOp(BuiltinOperator.SLICE, [fed(shape, kind), *bounds], [fed(after, kind)])


def strided(
    begin: Sequence[int] = (0, 1, 0),
    end: Sequence[int] = (2, 3, 4),
    strides: Sequence[int] = (1, 1, 2),
    after: Sequence[int] = (2, 2, 2),
    options: StridedSliceOptions | None = None,
    shape: Sequence[int] = (2, 3, 4),
    kind: Any = np.int8,
) -> SingleOp:
    bounds = [int32(values) for values in (begin, end, strides)]
    return SingleOp(
        BuiltinOperator.STRIDED_SLICE, [fed(shape, kind), *bounds], [fed(after, kind)], options
    )


def run_time_slice(words: Any = np.int32, after: Sequence[int] = (2, 2)) -> SingleOp:
    bounds = [fed((2,), words), fed((2,), words)]
    return SingleOp(BuiltinOperator.SLICE, [fed((3, 4), np.int8), *bounds], [fed(after, np.int8)])


CASES = {
    **{f"slice of {k.__name__}": slicing(kind=k) for k in TYPES},
    "slice by 64 bits": slicing(words=np.int64),
    "slice of the first axis": slicing((1, 0, 2), (1, -1, 1), (1, 3, 1)),
    "slice of everything": slicing((0, 0, 0), (-1, -1, -1), (2, 3, 4)),
    "slice into another shape": slicing((1, 0, 0), (1, 2, 4), (8,)),
    "slice of five dimensions": slicing(
        (0, 1, 0, 2, 1), (1, 1, 2, 1, -1), (1, 1, 2, 1, 2), (1, 2, 2, 3, 3)
    ),
    "slice of a scalar": slicing((0,), (1,), (), ()),
    **{f"strided slice of {k.__name__}": strided(kind=k) for k in TYPES},
    "strided slice from the end": strided((0, -2, -1), (2, -1, -4), (1, 1, -1), (2, 1, 3)),
    "strided slice backwards": strided((1, 2, 3), (-9, -9, 0), (-1, -2, -2), (2, 2, 2)),
    "strided slice beyond the ends": strided((-9, -9, 0), (9, 9, 9), (1, 2, 3), (2, 2, 2)),
    "strided slice of the first axis": strided((1, 0, 0), (2, 3, 4), (1, 1, 1), (1, 3, 4)),
    "strided slice with masks": strided(
        (1, 1, 2), (1, 1, 1), (1, -1, 1), (2, 2, 2), StridedSliceOptions(0b001, 0b111)
    ),
    "strided slice without axes": strided(
        (1, 1, -1), (0, 0, 0), (1, 1, 1), (), StridedSliceOptions(shrink_axis_mask=0b111)
    ),
    "strided slice without the last axis": strided(
        (0, 0, -1), (2, 3, 0), (1, 1, 1), (2, 3), StridedSliceOptions(shrink_axis_mask=0b100)
    ),
    "strided slice without the first axis": strided(
        (1, 0, 0), (9, 3, 4), (1, 2, 1), (2, 4), StridedSliceOptions(shrink_axis_mask=0b001)
    ),
    "strided slice to an index before the first": strided(
        (-9, 0, 0), (9, 3, 4), (1, 1, 1), (3, 4), StridedSliceOptions(shrink_axis_mask=0b001)
    ),
    "strided slice with an ellipsis, which is ignored": strided(
        options=StridedSliceOptions(ellipsis_mask=0b010, new_axis_mask=0b100, offset=True)
    ),
    "strided slice of four dimensions": strided(
        (0, 1, 0, 0), (1, 5, 1, 2), (1, 1, 1, 1), (1, 4, 1, 2), shape=(1, 5, 1, 2)
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


def test_slices_from_begin_as_many_as_size_says() -> None:
    case = slicing((1, 0), (1, -1), (1, 2), (2, 2))
    (output,) = run_ours(case.model(), [np.array([[1, 2], [3, 4]], np.int8)])
    assert output.tolist() == [[3, 4]]


def test_slices_at_positions_that_only_the_run_gives() -> None:
    values = np.arange(12, dtype=np.int8).reshape(3, 4)
    feeds = [values, np.array([1, 0], np.int32), np.array([2, 2], np.int32)]
    (output,) = run_ours(run_time_slice().model(), feeds)
    assert output.tolist() == [[4, 5], [8, 9]]


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("words", [np.int32, np.int64])
@pytest.mark.parametrize("after", [(2, 2), (4,)])
def test_slices_at_fed_positions_as_tflm_does(words: Any, after: tuple[int, ...]) -> None:
    model = run_time_slice(words, after).model()
    values = np.arange(12, dtype=np.int8).reshape(3, 4)
    feeds = [values, np.array([1, 2], words), np.array([2, -1], words)]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


@pytest.mark.parametrize(("begin", "size"), [((2, 0), (2, 2)), ((-1, 0), (2, 2)), ((0, 0), (1, 2))])
def test_a_fed_position_outside_of_the_input_stops_the_run(begin: Any, size: Any) -> None:
    feeds = [np.zeros((3, 4), np.int8), np.array(begin, np.int32), np.array(size, np.int32)]
    with pytest.raises(RunError, match="SLICE"):
        run_ours(run_time_slice().model(), feeds)


def _walk(length: int, begin: int, end: int, stride: int) -> list[int]:
    """The indices from `begin` to `end`, by steps on a line that has no ends."""
    position = begin + length if begin < 0 else begin
    stop = end + length if end < 0 else end
    indices: list[int] = []
    for _ in range(100):
        if (position >= stop) if stride > 0 else (position <= stop):
            break
        if 0 <= position < length:
            indices.append(position)
        position += stride
    return indices


def _expected(values: Array, begin: Any, end: Any, strides: Any) -> Array:
    walks = [_walk(*each) for each in zip(values.shape, begin, end, strides, strict=True)]
    taken = [values[index] for index in product(*walks)]
    return np.array(taken, values.dtype).reshape([len(walk) for walk in walks])


WALKS = [
    bounds
    for bounds in product([-4, -1, 0, 2, 3], [-5, -2, 1, 4], [-2, -1, 1, 2])
    if _walk(4, *bounds)
]


@pytest.mark.parametrize(("begin", "end", "stride"), WALKS)
def test_strided_slice_takes_the_indices_of_a_walk(begin: int, end: int, stride: int) -> None:
    values = np.arange(8, dtype=np.int16).reshape(2, 4)
    bounds = ((0, begin), (2, end), (1, stride))
    expected = _expected(values, *bounds)
    case = strided(*bounds, expected.shape, shape=(2, 4), kind=np.int16)
    (output,) = run_ours(case.model(), [values])
    np.testing.assert_array_equal(output, expected)


def test_an_empty_slice_gives_no_elements() -> None:
    for case in (slicing((2,), (0,), (0,), (4,)), strided((2,), (2,), (1,), (0,), shape=(4,))):
        (output,) = run_ours(case.model(), [np.zeros(4, np.int8)])
        assert output.shape == (0,)


def _fed_bounds(position: int) -> SingleOp:
    inputs = list(strided().inputs)
    inputs[position] = fed((3,), np.int32)
    return SingleOp(BuiltinOperator.STRIDED_SLICE, inputs, strided().outputs)


REFUSALS = {
    "slice of uint8": (slicing(kind=np.uint8), "UINT8"),
    "slice of 64 bits": (slicing(kind=np.int64), "INT64"),
    "slice of six dimensions": (slicing((0,) * 6, (1,) * 6, (1,) * 6, (1,) * 6), "at most 5"),
    "slice by positions of 16 bits": (slicing(words=np.int16), "begin is INT16"),
    "slice by two types": (
        SingleOp(
            BuiltinOperator.SLICE,
            [fed((2,), np.int8), int32([0]), constant(np.array([1]))],
            [fed((1,), np.int8)],
        ),
        "size is INT64",
    ),
    "slice by too few positions": (slicing((0, 1), (2, 2)), "2 elements for 3 dimensions"),
    "slice beyond the end": (slicing((0, 2, 0), (2, 2, 4)), "not inside of the input"),
    "slice before the beginning": (slicing((0, -1, 0), (2, 2, 4)), "not inside of the input"),
    "slice into an output of another size": (slicing(after=(2, 2, 3)), "16 elements"),
    "slice into another type": (
        SingleOp(
            BuiltinOperator.SLICE,
            [fed((2,), np.int8), int32([0]), int32([1])],
            [fed((1,), np.uint8)],
        ),
        "does not convert",
    ),
    "slice with two inputs": (
        SingleOp(BuiltinOperator.SLICE, [fed((2,), np.int8), int32([0])], [fed((1,), np.int8)]),
        "2 inputs",
    ),
    "strided slice of uint8": (strided(kind=np.uint8), "UINT8"),
    "strided slice of five dimensions": (
        strided((0,) * 5, (1,) * 5, (1,) * 5, (1,) * 5, shape=(1,) * 5),
        "input dim should not exceed 4",
    ),
    "a stride of 0": (strided(strides=(1, 0, 1)), "stride value has to be non-zero"),
    "a wrong output shape": (strided(after=(2, 2, 4)), r"makes \[2, 2, 2\]"),
    "too few strides": (strided(strides=(1, 1)), "3 are needed"),
    "a begin that is fed": (_fed_bounds(1), "Non-constant >begin< tensor is not supported"),
    "an end that is fed": (_fed_bounds(2), "Non-constant >end< tensor is not supported"),
    "strides that are fed": (_fed_bounds(3), "Non-constant >strides< tensor is not supported"),
    "an axis shrunk to an index behind the last": (
        strided((9,), (10,), (1,), (), StridedSliceOptions(shrink_axis_mask=1), (4,)),
        "nothing is left",
    ),
    "an axis shrunk backwards": (
        strided((1,), (0,), (-1,), (), StridedSliceOptions(shrink_axis_mask=1), (4,)),
        "nothing is left",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
