"""SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: by hand, by walking over pixels, and beside TFLM."""

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
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

TYPES = [np.float32, np.int8]
IMAGE, BATCHES = (2, 4, 6, 3), (8, 2, 3, 3)
UNPADDED = ((0, 0), (0, 0))


def words(values: Any, kind: Any = np.int32) -> Operand:
    return constant(np.array(values, kind))


def to_batch(
    image: Sequence[int] = IMAGE,
    block: Sequence[int] = (2, 2),
    paddings: Any = UNPADDED,
    after: Sequence[int] = BATCHES,
    kind: Any = np.int8,
) -> SingleOp:
    operands = [fed(image, kind, 0.5, 9), words(block), words(paddings)]
    return SingleOp(BuiltinOperator.SPACE_TO_BATCH_ND, operands, [fed(after, kind, 0.5, 9)])


def to_space(
    batches: Sequence[int] = BATCHES,
    block: Sequence[int] = (2, 2),
    crops: Any = UNPADDED,
    after: Sequence[int] = IMAGE,
    kind: Any = np.int8,
) -> SingleOp:
    operands = [fed(batches, kind), words(block), words(crops)]
    return SingleOp(BuiltinOperator.BATCH_TO_SPACE_ND, operands, [fed(after, kind)])


CASES = {
    **{f"to batch {k.__name__}": to_batch(kind=k) for k in TYPES},
    **{f"to space {k.__name__}": to_space(kind=k) for k in TYPES},
    "to batch along one axis": to_batch((2, 6, 5), (3,), ((0, 0),), (6, 2, 5)),
    "to space along one axis": to_space((6, 2, 5), (3,), ((0, 0),), (2, 6, 5)),
    "to batch in long blocks": to_batch((1, 2, 6, 1), (1, 3), UNPADDED, (3, 2, 2, 1)),
    "to space, cropped": to_space(crops=((1, 0), (2, 1)), after=(2, 3, 3, 3)),
    "to space along one axis, cropped": to_space((6, 2, 5), (3,), ((1, 2),), (2, 3, 5)),
    "to space of fewer pixels than there are": to_space(after=(2, 3, 5, 3)),
}
PADDED = {
    "padded": to_batch((1, 3, 3, 2), (2, 2), ((1, 0), (0, 3)), (4, 2, 3, 2)),
    "padded along one axis": to_batch((2, 4, 3), (3,), ((2, 3),), (6, 3, 3)),
    "of more pixels than there are": to_batch((1, 2, 2, 1), (2, 2), UNPADDED, (4, 2, 2, 1)),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", PADDED.values(), ids=PADDED)
def test_agrees_with_tflm_but_on_the_border(case: SingleOp) -> None:
    # TFLM takes the border's value from memory that it never wrote.
    feeds = [np.full(case.model().subgraphs[0].tensors[0].shape, 77, np.int8)]
    (ours,), (theirs,) = run_ours(case.model(), feeds), run_tflm(case.model(), feeds)
    inside = ours != 0
    assert_same([ours[inside]], [theirs[inside]])
    assert np.unique(theirs[~inside]).size == 1


@pytest.mark.parametrize("case", [*CASES.values(), *PADDED.values()], ids=[*CASES, *PADDED])
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_pixels_of_a_block_go_to_different_batches() -> None:
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8]], np.int8).reshape(1, 2, 4, 1)
    (output,) = run_ours(to_batch((1, 2, 4, 1), (2, 2), UNPADDED, (4, 1, 2, 1)).model(), [image])
    assert output.reshape(4, 2).tolist() == [[1, 3], [2, 4], [5, 7], [6, 8]]


def test_batches_become_the_pixels_of_blocks_less_the_crops() -> None:
    batches = np.array([[1, 3], [2, 4], [5, 7], [6, 8]], np.int8).reshape(4, 1, 2, 1)
    case = to_space((4, 1, 2, 1), (2, 2), ((1, 0), (0, 1)), (1, 1, 3, 1))
    (output,) = run_ours(case.model(), [batches])
    assert output.reshape(-1).tolist() == [5, 6, 7]


def test_the_border_is_a_stored_zero_whatever_the_zero_point_is() -> None:
    case = to_batch((1, 1, 1, 1), (2, 2), ((1, 0), (0, 1)), (4, 1, 1, 1))
    (output,) = run_ours(case.model(), [np.full((1, 1, 1, 1), 5, np.int8)])
    assert output.reshape(-1).tolist() == [0, 0, 5, 0]


def _dealt(image: Array, block: tuple[int, int], before: tuple[int, int], after: Any) -> Array:
    """The batches, by the definition: each pixel asks where it comes from."""
    output = np.zeros(after, image.dtype)
    count, height, width, _ = image.shape
    for batch, y, x in product(*map(range, after[:3])):
        row, column = divmod(batch // count, block[1])
        from_y = y * block[0] + row - before[0]
        from_x = x * block[1] + column - before[1]
        if 0 <= from_y < height and 0 <= from_x < width:
            output[batch, y, x] = image[batch % count, from_y, from_x]
    return output


@pytest.mark.parametrize("before", [(0, 0), (1, 2), (2, 1)])
def test_every_pixel_is_where_the_definition_says(before: tuple[int, int]) -> None:
    image = np.arange(1, 41, dtype=np.int8).reshape(2, 4, 5, 1)
    paddings = ((before[0], 0), (before[1], 0))
    case = to_batch(image.shape, (2, 3), paddings, (12, 3, 3, 1))
    (output,) = run_ours(case.model(), [image])
    np.testing.assert_array_equal(output, _dealt(image, (2, 3), before, (12, 3, 3, 1)))


def test_one_undoes_the_other() -> None:
    paddings, batches = ((1, 1), (2, 4)), (8, 3, 6, 3)
    (image,) = random_feeds(to_batch())
    (dealt,) = run_ours(to_batch(paddings=paddings, after=batches).model(), [image])
    (again,) = run_ours(to_space(batches, crops=paddings).model(), [dealt])
    np.testing.assert_array_equal(again, image)


def test_pixels_that_no_batch_fills_are_zeros() -> None:
    case = to_space((1, 1, 1, 1), (1, 1), UNPADDED, (1, 2, 1, 1))
    (output,) = run_ours(case.model(), [np.full((1, 1, 1, 1), 5, np.int8)])
    assert output.reshape(-1).tolist() == [5, 0]


def run_time_blocks(operator: BuiltinOperator) -> SingleOp:
    shapes = (IMAGE, BATCHES)
    before, after = shapes if operator is BuiltinOperator.SPACE_TO_BATCH_ND else shapes[::-1]
    operands = [fed(before, np.int8), fed((2,), np.int32), fed((2, 2), np.int32)]
    return SingleOp(operator, operands, [fed(after, np.int8)])


OPERATORS = [BuiltinOperator.SPACE_TO_BATCH_ND, BuiltinOperator.BATCH_TO_SPACE_ND]


@pytest.mark.parametrize("operator", OPERATORS)
def test_takes_blocks_that_only_the_run_gives(operator: BuiltinOperator) -> None:
    is_space_to_batch = operator is BuiltinOperator.SPACE_TO_BATCH_ND
    known = to_batch() if is_space_to_batch else to_space()
    feeds = random_feeds(known)
    blocks = [np.array([2, 2], np.int32), np.zeros((2, 2), np.int32)]
    fed_blocks = run_ours(run_time_blocks(operator).model(), [*feeds, *blocks])
    assert_same(fed_blocks, run_ours(known.model(), feeds))


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_fed_block_without_a_size_stops_the_run(operator: BuiltinOperator) -> None:
    case = run_time_blocks(operator)
    feeds = [random_feeds(case)[0], np.array([2, 0], np.int32), np.zeros((2, 2), np.int32)]
    with pytest.raises(RunError, match=f"{operator.name}.*size of 2 x 0"):
        run_ours(case.model(), feeds)


def _with(position: int, operand: Operand) -> SingleOp:
    operands = list(to_batch().inputs)
    operands[position] = operand
    return SingleOp(BuiltinOperator.SPACE_TO_BATCH_ND, operands, to_batch().outputs)


REFUSALS = {
    "int16": (to_batch(kind=np.int16), "Type INT16 .7. not supported."),
    "two dimensions": (to_batch((4, 3), after=(4, 3)), "the input has 2 dimensions"),
    "five dimensions after": (to_space(after=(1, 2, 4, 6, 3)), "the output has 5 dimensions"),
    "another type after": (
        SingleOp(BuiltinOperator.BATCH_TO_SPACE_ND, to_space().inputs, [fed(IMAGE, np.float32)]),
        "does not convert",
    ),
    "another depth after": (to_batch(after=(8, 2, 3, 4)), "3 deep, the output 4"),
    "no size": (to_batch(block=(0, 2)), "size of 0 x 2"),
    "a negative size": (to_space(block=(2, -1)), "size of 2 x -1"),
    "too short a block": (_with(1, words([2])), "the block shape holds 1"),
    "too few paddings": (_with(2, words([[1, 1]])), "paddings or crops holds 2"),
    "nothing to take": (to_batch((2, 0, 6, 3)), "the input is empty"),
    "two inputs": (
        SingleOp(BuiltinOperator.SPACE_TO_BATCH_ND, to_batch().inputs[:2], to_batch().outputs),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
