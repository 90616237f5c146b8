"""SPACE_TO_DEPTH and DEPTH_TO_SPACE: by hand, by walking over pixels, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
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
from tinyml_runtime.model.options import DepthToSpaceOptions, SpaceToDepthOptions
from tinyml_runtime.types import BuiltinOperator

TYPES = [np.float32, np.int8]


def to_depth(
    image: Sequence[int] = (2, 4, 6, 3),
    block: int = 2,
    after: Sequence[int] = (2, 2, 3, 12),
    kind: Any = np.int8,
) -> SingleOp:
    options = SpaceToDepthOptions(block)
    return SingleOp(BuiltinOperator.SPACE_TO_DEPTH, [fed(image, kind)], [fed(after, kind)], options)


def to_space(
    deep: Sequence[int] = (2, 2, 3, 12),
    block: int = 2,
    after: Sequence[int] = (2, 4, 6, 3),
    kind: Any = np.int8,
) -> SingleOp:
    options = DepthToSpaceOptions(block)
    return SingleOp(BuiltinOperator.DEPTH_TO_SPACE, [fed(deep, kind)], [fed(after, kind)], options)


CASES = {
    **{f"to depth {k.__name__}": to_depth(kind=k) for k in TYPES},
    **{f"to space {k.__name__}": to_space(kind=k) for k in TYPES},
    "to depth, blocks of three": to_depth((1, 6, 3, 1), 3, (1, 2, 1, 9)),
    "to space, blocks of three": to_space((1, 2, 1, 9), 3, (1, 6, 3, 1)),
    "to depth, blocks of one": to_depth((3, 2, 1, 5), 1, (3, 2, 1, 5)),
    "to space, blocks of one": to_space((3, 2, 1, 5), 1, (3, 2, 1, 5)),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_a_block_becomes_the_channels_of_one_pixel() -> None:
    image = np.array([[1, 2, 5, 6], [3, 4, 7, 8]], np.int8).reshape(1, 2, 4, 1)
    (output,) = run_ours(to_depth((1, 2, 4, 1), 2, (1, 1, 2, 4)).model(), [image])
    assert output.tolist() == [[[[1, 2, 3, 4], [5, 6, 7, 8]]]]


def test_channels_become_the_pixels_of_a_block() -> None:
    deep = np.array([10, 20, 30, 40], np.int8).reshape(1, 1, 1, 4)
    (output,) = run_ours(to_space((1, 1, 1, 4), 2, (1, 2, 2, 1)).model(), [deep])
    assert output.reshape(2, 2).tolist() == [[10, 20], [30, 40]]


def test_every_pixel_is_where_the_formula_says() -> None:
    image = np.arange(144, dtype=np.uint8).view(np.int8).reshape(2, 4, 6, 3)
    (deep,) = run_ours(to_depth().model(), [image])
    for batch, y, x, channel in product(range(2), range(4), range(6), range(3)):
        depth = channel + ((y % 2) * 2 + x % 2) * 3
        assert deep[batch, y // 2, x // 2, depth] == image[batch, y, x, channel]


def test_one_undoes_the_other() -> None:
    (image,) = random_feeds(to_depth())
    (deep,) = run_ours(to_depth().model(), [image])
    (again,) = run_ours(to_space().model(), [deep])
    np.testing.assert_array_equal(again, image)


def test_takes_a_constant_apart_too() -> None:
    values = np.arange(4, dtype=np.int8).reshape(1, 2, 2, 1)
    operands, outputs = [constant(values)], [fed((1, 1, 1, 4), np.int8)]
    case = SingleOp(BuiltinOperator.SPACE_TO_DEPTH, operands, outputs, SpaceToDepthOptions(2))
    (output,) = run_ours(case.model(), [])
    assert output.reshape(-1).tolist() == [0, 1, 2, 3]


REFUSALS = {
    "to depth of int16": (to_depth(kind=np.int16), "the output is INT16"),
    "to space of uint8": (to_space(kind=np.uint8), "the output is UINT8"),
    "to depth into another type": (
        SingleOp(
            BuiltinOperator.SPACE_TO_DEPTH,
            [fed((1, 1, 1, 1), np.int8)],
            [fed((1, 1, 1, 1), np.float32)],
            SpaceToDepthOptions(1),
        ),
        "does not convert",
    ),
    "to depth of three dimensions": (to_depth((4, 6, 3), 2, (2, 3, 12)), "3 dimensions, not 4"),
    "to depth without a block": (to_depth(block=0), "block size is 0"),
    "to space by a negative block": (to_space(block=-2), "block size is -2"),
    "to depth of half a block": (to_depth((1, 3, 2, 1), 2, (1, 1, 1, 4)), "no multiples"),
    "to space of too few channels": (to_space((1, 1, 1, 6), 2, (1, 2, 2, 1)), "no multiple"),
    "to depth into another shape": (to_depth(after=(2, 2, 3, 6)), "the operator makes"),
    "to space into another shape": (to_space(after=(2, 4, 6, 2)), "the operator makes"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
