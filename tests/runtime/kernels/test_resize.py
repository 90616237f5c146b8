"""RESIZE_BILINEAR and RESIZE_NEAREST_NEIGHBOR: by hand, by plain loops, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
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
from tinyml_runtime.model.options import ResizeBilinearOptions, ResizeNearestNeighborOptions
from tinyml_runtime.types import BuiltinOperator

BILINEAR = BuiltinOperator.RESIZE_BILINEAR
NEAREST = BuiltinOperator.RESIZE_NEAREST_NEIGHBOR
BILINEAR_TYPES = [np.float32, np.int8]
NEAREST_TYPES = [np.float32, np.int8, np.int16]

# Height and width before and after.
SIZES = {
    "twice": ((3, 4), (6, 8)),
    "half": ((6, 8), (3, 4)),
    "odd": ((5, 7), (8, 3)),
    "same": ((4, 4), (4, 4)),
    "to one": ((4, 5), (1, 1)),
    "from one": ((1, 1), (3, 4)),
    "far larger": ((2, 3), (37, 41)),
}


def resize(
    operator: BuiltinOperator,
    before: Sequence[int] = (3, 4),
    after: Sequence[int] = (6, 8),
    kind: Any = np.int8,
    *,
    corners: bool = False,
    centers: bool = False,
    batch: int = 2,
    channels: int = 3,
    size: Operand | None = None,
) -> SingleOp:
    options = (
        ResizeBilinearOptions(corners, centers)
        if operator is BILINEAR
        else ResizeNearestNeighborOptions(corners, centers)
    )
    given = size or constant(np.array(after, np.int32))
    return SingleOp(
        operator,
        [fed((batch, *before, channels), kind), given],
        [fed((batch, *after, channels), kind)],
        options,
    )


def _bilinear_cases() -> dict[str, SingleOp]:
    return {
        f"bilinear {name} {kind.__name__}{' corners' * corners}{' centers' * centers}": resize(
            BILINEAR, *sizes, kind, corners=corners, centers=centers
        )
        for name, sizes in SIZES.items()
        for kind in BILINEAR_TYPES
        for corners, centers in ((False, False), (True, False), (False, True))
    }


def _nearest_cases() -> dict[str, SingleOp]:
    return {
        f"nearest {name} {kind.__name__}{' corners' * corners}{' centers' * centers}": resize(
            NEAREST, *sizes, kind, corners=corners, centers=centers
        )
        for name, sizes in SIZES.items()
        for kind in NEAREST_TYPES
        for corners in (False, True)
        for centers in (False, True)
    }


CASES = {
    **_bilinear_cases(),
    **_nearest_cases(),
    "one channel": resize(BILINEAR, channels=1),
    "one image": resize(NEAREST, batch=1),
    "without options": SingleOp(BILINEAR, resize(BILINEAR).inputs, resize(BILINEAR).outputs),
    "a third size, which is ignored": resize(
        BILINEAR, size=constant(np.array([6, 8, 9], np.int32))
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


def _run_row(
    operator: BuiltinOperator,
    row: Sequence[float],
    kind: Any,
    *,
    corners: bool = False,
    centers: bool = False,
) -> list[Any]:
    """`row` as an image of one row, resized to twice its width."""
    case = resize(
        operator,
        (1, len(row)),
        (1, 2 * len(row)),
        kind,
        corners=corners,
        centers=centers,
        batch=1,
        channels=1,
    )
    (output,) = run_ours(case.model(), [np.array(row, kind).reshape(1, 1, -1, 1)])
    return output.reshape(-1).tolist()


@pytest.mark.parametrize("kind", BILINEAR_TYPES)
def test_bilinear_puts_the_mean_between_two_pixels(kind: Any) -> None:
    assert _run_row(BILINEAR, [0, 10, -20], kind) == [0, 5, 10, -5, -20, -20]


def test_bilinear_between_infinities_is_no_number_and_no_warning() -> None:
    assert np.isnan(_run_row(BILINEAR, [np.inf, -np.inf], np.float32)[1])


def test_bilinear_with_half_pixel_centers_mixes_by_quarters() -> None:
    assert _run_row(BILINEAR, [0, 8], np.int8, centers=True) == [0, 2, 6, 8]


def test_bilinear_rounds_ties_of_int8_away_from_zero() -> None:
    assert _run_row(BILINEAR, [1, 2], np.int8) == [1, 2, 2, 2]
    assert _run_row(BILINEAR, [-1, -2], np.int8) == [-1, -2, -2, -2]


def test_bilinear_with_aligned_corners_keeps_both_ends() -> None:
    assert _run_row(BILINEAR, [0, 90], np.int8, corners=True) == [0, 30, 60, 90]


def test_nearest_repeats_pixels() -> None:
    assert _run_row(NEAREST, [5, 6, 7], np.int8) == [5, 5, 6, 6, 7, 7]


def test_nearest_with_aligned_corners_rounds_to_the_nearest() -> None:
    # positions 0, 2/5, 4/5, 6/5, 8/5, 2
    assert _run_row(NEAREST, [5, 6, 7], np.int8, corners=True) == [5, 5, 6, 6, 7, 7]


def _integer_position(new: int, old: int, index: int) -> tuple[int, int, int]:
    """Both neighbours and the weight of the upper one, in 1/1024."""
    scaled = index * ((1024 * old + new // 2) // new)
    return scaled // 1024, min((scaled + 1023) // 1024, old - 1), scaled % 1024


def test_bilinear_mixes_int8_in_units_of_1_1024() -> None:
    before, after = (3, 5), (7, 4)
    case = resize(BILINEAR, before, after, batch=1, channels=1)
    (image,) = random_feeds(case)
    (output,) = run_ours(case.model(), [image])
    for row in range(after[0]):
        top, bottom, down = _integer_position(after[0], before[0], row)
        for column in range(after[1]):
            left, right, along = _integer_position(after[1], before[1], column)
            total = sum(
                int(image[0, y, x, 0]) * wy * wx
                for y, wy in ((top, 1024 - down), (bottom, down))
                for x, wx in ((left, 1024 - along), (right, along))
            )
            magnitude = floor(Fraction(abs(total), 2**20) + Fraction(1, 2))
            assert output[0, row, column, 0] == (magnitude if total >= 0 else -magnitude)


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_nearest_takes_the_pixel_whose_share_the_new_one_starts_in(sizes: Any) -> None:
    (height, width), (new_height, new_width) = sizes
    case = resize(NEAREST, *sizes)
    (image,) = random_feeds(case)
    (output,) = run_ours(case.model(), [image])
    for row in range(new_height):
        for column in range(new_width):
            old = image[:, row * height // new_height, column * width // new_width]
            np.testing.assert_array_equal(output[:, row, column], old)


def _size(values: Any, dtype: Any = np.int32) -> Operand:
    return constant(np.array(values, dtype))


REFUSALS = {
    "bilinear int16": (resize(BILINEAR, kind=np.int16), "INT16"),
    "nearest int32": (resize(NEAREST, kind=np.int32), "INT32"),
    "corners and centers": (
        resize(BILINEAR, corners=True, centers=True),
        "If half_pixel_centers is True, align_corners must be False",
    ),
    "a size that is fed": (
        resize(NEAREST, size=fed((2,), np.int32)),
        "Non-constant >size< tensor is not supported",
    ),
    "a size of 64 bits": (resize(BILINEAR, size=_size([6, 8], np.int64)), "INT64"),
    "a size of two dimensions": (resize(BILINEAR, size=_size([[6, 8]])), "2 dimensions"),
    "a size of one number": (resize(BILINEAR, size=_size([6])), "2 are needed"),
    "a nearest size of three numbers": (resize(NEAREST, size=_size([6, 8, 9])), "3 elements"),
    "a size of 0": (resize(NEAREST, size=_size([0, 8])), "not positive"),
    "a size that the output does not have": (
        resize(BILINEAR, size=_size([6, 7])),
        r"makes \[2, 6, 7, 3\]",
    ),
    "an image of three dimensions": (
        SingleOp(NEAREST, [fed((2, 2, 1), np.int8), _size([2, 2])], [fed((2, 2, 1), np.int8)]),
        "3 dimensions",
    ),
    "another output type": (
        SingleOp(
            BILINEAR, [fed((1, 2, 2, 1), np.int8), _size([2, 2])], [fed((1, 2, 2, 1), np.float32)]
        ),
        "does not convert",
    ),
    "one input": (
        SingleOp(NEAREST, [fed((1, 2, 2, 1), np.int8)], [fed((1, 2, 2, 1), np.int8)]),
        "1 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
