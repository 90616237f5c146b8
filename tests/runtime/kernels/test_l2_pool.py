"""L2_POOL_2D: by hand, beside a plain loop, and beside TFLM."""

from __future__ import annotations

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
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.types import Activation, BuiltinOperator, Padding

SAME, VALID = Padding.SAME, Padding.VALID
Pair = tuple[int, int]


def pool(
    image: tuple[int, ...] = (2, 7, 6, 3),
    taps: Pair = (3, 2),
    strides: Pair = (1, 1),
    padding: Padding = SAME,
    activation: Activation = Activation.NONE,
    after: tuple[int, ...] | None = None,
    kind: type[np.generic] = np.float32,
) -> SingleOp:
    if after is None:
        sizes = (
            -(-size // stride) if padding is SAME else (size - tap) // stride + 1
            for size, tap, stride in zip(image[1:3], taps, strides, strict=True)
        )
        after = (image[0], *sizes, image[3])
    options = Pool2DOptions(
        padding=padding,
        stride_h=strides[0],
        stride_w=strides[1],
        filter_height=taps[0],
        filter_width=taps[1],
        fused_activation=activation,
    )
    return SingleOp(BuiltinOperator.L2_POOL_2D, [fed(image, kind)], [fed(after, kind)], options)


CASES = {
    **{
        f"{taps} by {strides}, {padding.name}": pool(taps=taps, strides=strides, padding=padding)
        for taps in ((3, 2), (1, 1), (7, 6))
        for strides in ((1, 1), (2, 3))
        for padding in (SAME, VALID)
    },
    **{a.name: pool(activation=a) for a in Activation if a <= Activation.RELU6},
    "a window that is far larger than the image": pool(taps=(40, 50)),
    "one pixel": pool((1, 1, 1, 5), (1, 1)),
    "a constant": SingleOp(
        BuiltinOperator.L2_POOL_2D,
        [constant(np.ones((1, 2, 2, 1), np.float32))],
        [fed((1, 2, 2, 1), np.float32)],
        pool().options,
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", [c for n, c in CASES.items() if n != "a constant"])
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_takes_the_root_of_the_mean_square() -> None:
    image = np.array([[1, 7], [5, 5]], np.float32).reshape(1, 2, 2, 1)
    # sqrt((1 + 49 + 25 + 25) / 4) = 5
    (output,) = run_ours(pool(image.shape, (2, 2), padding=VALID).model(), [image])
    assert output.tolist() == [[[[5.0]]]]


def test_the_border_does_not_count() -> None:
    image = np.array([3, 4], np.float32).reshape(1, 1, 2, 1)
    # windows of two columns: (3, 4), and 4 alone
    (output,) = run_ours(pool(image.shape, (1, 2)).model(), [image])
    np.testing.assert_allclose(output.reshape(-1), [np.sqrt(12.5), 4.0], rtol=1e-6)


@pytest.mark.parametrize("padding", [SAME, VALID])
def test_agrees_with_a_plain_loop(padding: Padding) -> None:
    case = pool((1, 6, 5, 2), (3, 2), (2, 1), padding)
    (image,) = random_feeds(case)
    (output,) = run_ours(case.model(), [image])
    before = 0
    if padding is SAME:
        before = max((output.shape[1] - 1) * 2 + 3 - 6, 0) // 2
    for row, column, channel in np.ndindex(output.shape[1:]):
        top = row * 2 - before
        window = image[0, max(top, 0) : top + 3, column : column + 2, channel]
        assert output[0, row, column, channel] == pytest.approx(
            np.sqrt(np.mean(np.square(window))), rel=1e-5
        )


def test_infinities_are_clamped_to_the_largest_float() -> None:
    image = np.full((1, 1, 1, 1), np.inf, np.float32)
    (output,) = run_ours(pool(image.shape, (1, 1)).model(), [image])
    assert output.item() == np.finfo(np.float32).max


REFUSALS = {
    "int8": (pool(kind=np.int8), "the input is INT8"),
    "three dimensions": (
        pool((2, 7, 6), after=(2, 7, 6, 1)),
        "the image has 3 dimensions",
    ),
    "another output shape": (pool(after=(2, 6, 7, 3)), "the output has shape"),
    "no window": (pool(taps=(0, 1), after=(1, 1, 1, 1)), "not positive"),
    "no stride": (pool(strides=(0, 1), after=(1, 1, 1, 1)), "not positive"),
    "a window that does not fit": (
        pool(taps=(8, 1), padding=VALID, after=(1, 1, 1, 1)),
        "does not fit",
    ),
    "two inputs": (
        SingleOp(
            BuiltinOperator.L2_POOL_2D,
            [*pool().inputs, *pool().inputs],
            pool().outputs,
            pool().options,
        ),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
