"""AVERAGE_POOL_2D and MAX_POOL_2D: by hand, by plain loops, and beside TFLM."""

from __future__ import annotations

from fractions import Fraction
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
    run_stacked,
)
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator, Padding

AVERAGE, MAX = BuiltinOperator.AVERAGE_POOL_2D, BuiltinOperator.MAX_POOL_2D
SAME, VALID = Padding.SAME, Padding.VALID
NONE, RELU, RELU6, RELU1 = (
    Activation.NONE,
    Activation.RELU,
    Activation.RELU6,
    Activation.RELU_N1_TO_1,
)


def pool(
    operator: BuiltinOperator = AVERAGE,
    kind: str = "int8",
    *,
    image: tuple[int, ...] = (1, 6, 5, 3),
    taps: tuple[int, int] = (2, 2),
    strides: tuple[int, int] = (1, 1),
    padding: Padding = VALID,
    activation: Activation = NONE,
    scale: float = 0.05,
    zero_point: int = 0,
    output: tuple[int, ...] | None = None,
) -> SingleOp:
    quantized: tuple[Any, ...] = () if kind == "float32" else (scale, zero_point)
    shape = output or (image[0], *_windows(image, taps, strides, padding), image[3])
    return SingleOp(
        operator,
        [fed(image, kind, *quantized)],
        [fed(shape, kind, *quantized)],
        Pool2DOptions(padding, strides[1], strides[0], taps[1], taps[0], activation),
    )


def _windows(
    image: tuple[int, ...], taps: tuple[int, int], strides: tuple[int, int], padding: Padding
) -> list[int]:
    return [
        -(-size // stride) if padding is SAME else (size - tap) // stride + 1
        for size, tap, stride in zip(image[1:3], taps, strides, strict=True)
    ]


LAYOUTS: dict[str, dict[str, Any]] = {
    "same": {"taps": (3, 3), "padding": SAME},
    "same, even window": {"taps": (2, 4), "padding": SAME, "image": (1, 5, 7, 8)},
    "same, strided": {"taps": (3, 3), "strides": (2, 2), "padding": SAME},
    "same, stride beyond the window": {"taps": (1, 2), "strides": (3, 3), "padding": SAME},
    "same, window beyond the image": {"taps": (9, 12), "padding": SAME},
    "same, one window beyond the image": {"taps": (9, 9), "strides": (7, 7), "padding": SAME},
    "valid": {"taps": (3, 2), "image": (1, 7, 6, 5)},
    "valid, strided": {"taps": (2, 2), "strides": (2, 2), "image": (1, 8, 8, 16)},
    "valid, part of the image": {"taps": (4, 4), "strides": (4, 4)},
    "one element": {"taps": (1, 1)},
    "every second element": {"taps": (1, 1), "strides": (2, 2)},
    "whole image": {"taps": (6, 5), "strides": (6, 5)},
    "whole image, a speech model's": {"taps": (25, 5), "image": (1, 25, 5, 64)},
    "a row": {"taps": (1, 5), "image": (1, 6, 5, 4)},
    "batch": {"taps": (2, 2), "image": (3, 4, 4, 7), "padding": SAME},
    "whole images of a batch": {"taps": (4, 4), "image": (3, 4, 4, 7)},
    "one channel": {"taps": (3, 3), "image": (1, 9, 9, 1), "padding": SAME},
    "more than 256 elements": {"taps": (20, 20), "image": (1, 22, 22, 2)},
    "more than 4096 elements": {"taps": (65, 65), "image": (1, 65, 66, 1)},
}


def _by_loops(case: SingleOp, values: Array) -> Array:
    """Means and maxima of windows in rational numbers; no activation."""
    options = case.options
    assert isinstance(options, Pool2DOptions)
    shape = case.outputs[0].shape
    result = np.empty(shape, values.dtype)
    befores = [
        max(0, (outputs - 1) * stride + tap - size) // 2 if options.padding is SAME else 0
        for outputs, stride, tap, size in (
            (shape[1], options.stride_h, options.filter_height, values.shape[1]),
            (shape[2], options.stride_w, options.filter_width, values.shape[2]),
        )
    ]
    for batch, row, column, channel in np.ndindex(*shape):
        top = row * options.stride_h - befores[0]
        left = column * options.stride_w - befores[1]
        window = values[
            batch,
            max(top, 0) : top + options.filter_height,
            max(left, 0) : left + options.filter_width,
            channel,
        ].reshape(-1)
        if case.operator is MAX:
            result[batch, row, column, channel] = max(window.tolist())
        else:
            mean = Fraction(sum(window.tolist()), window.size)
            away = int(abs(mean) + Fraction(1, 2))
            result[batch, row, column, channel] = away if mean > 0 else -away
    return result


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("kind", ["float32", "int8", "int16"])
@pytest.mark.parametrize("operator", [AVERAGE, MAX])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_windows_give_what_tflm_gives(operator: BuiltinOperator, kind: str, layout: str) -> None:
    assert_like_tflm(pool(operator, kind, **LAYOUTS[layout]))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("activation", [RELU, RELU6, RELU1, Activation.TANH])
@pytest.mark.parametrize(("kind", "zero_point"), [("float32", 0), ("int8", -128), ("int8", 127)])
@pytest.mark.parametrize("operator", [AVERAGE, MAX])
def test_activations_clamp_as_in_tflm(
    operator: BuiltinOperator, kind: str, zero_point: int, activation: Activation
) -> None:
    assert_like_tflm(pool(operator, kind, activation=activation, zero_point=zero_point))


@pytest.mark.parametrize("kind", ["int8", "int16"])
@pytest.mark.parametrize("operator", [AVERAGE, MAX])
@pytest.mark.parametrize("layout", ["same", "same, even window", "valid, strided", "whole image"])
def test_integer_windows_give_the_exact_result(
    operator: BuiltinOperator, kind: str, layout: str
) -> None:
    case = pool(operator, kind, **LAYOUTS[layout])
    feeds = random_feeds(case)
    np.testing.assert_array_equal(run_ours(case.model(), feeds)[0], _by_loops(case, feeds[0]))


@pytest.mark.parametrize("kind", ["float32", "int8"])
@pytest.mark.parametrize("operator", [AVERAGE, MAX])
@pytest.mark.parametrize("layout", ["same", "whole image", "batch"])
def test_stacked_samples_give_what_they_give_alone(
    operator: BuiltinOperator, kind: str, layout: str
) -> None:
    case = pool(operator, kind, **LAYOUTS[layout])
    feeds = random_feeds(case)
    together = run_stacked(case.model(), feeds)[0]
    for sample, result in enumerate(together):
        alone = np.roll(feeds[0], sample)
        np.testing.assert_array_equal(result, run_ours(case.model(), [alone])[0])


@pytest.mark.parametrize(
    ("values", "mean"),
    [
        ([1, 2], 2),  # 1.5
        ([-1, -2], -2),  # -1.5
        ([0, -1], -1),  # -0.5
        ([0, 1], 1),  # 0.5
        ([127, 126], 127),  # 126.5
        ([-128, -127], -128),  # -127.5
        ([1, 1, 2], 1),  # 1.333
        ([-1, -1, -2], -1),  # -1.333
        ([1, 2, 2], 2),  # 1.667
    ],
)
@pytest.mark.parametrize("kind", ["int8", "int16"])
def test_a_mean_is_rounded_with_ties_away_from_zero(
    kind: str, values: list[int], mean: int
) -> None:
    case = pool(AVERAGE, kind, image=(1, 1, len(values), 1), taps=(1, len(values)))
    source = np.array(values, kind).reshape(1, 1, -1, 1)
    assert run_ours(case.model(), [source])[0].tolist() == [[[[mean]]]]


@pytest.mark.parametrize("count", [2, 6, 4096, 4098])
def test_means_one_part_away_from_a_tie_are_rounded_to_the_nearest(count: int) -> None:
    case = pool(AVERAGE, image=(1, 2, count // 2, 3), taps=(2, count // 2))
    source = np.zeros((1, 2, count // 2, 3), np.int8)
    flat = source.reshape(count, 3)
    flat[: count // 2] = 127
    flat[count // 2 :] = 126  # 126.5
    flat[0, 1] -= 1  # less
    flat[-1, 2] += 1  # more
    assert run_ours(case.model(), [source])[0].ravel().tolist() == [127, 126, 127]
    assert run_ours(case.model(), [-source])[0].ravel().tolist() == [-127, -126, -127]


def test_the_border_of_same_padding_does_not_count() -> None:
    case = pool(AVERAGE, "float32", image=(1, 2, 2, 1), taps=(2, 2), padding=SAME)
    source = np.array([1.0, 2.0, 3.0, 6.0], np.float32).reshape(1, 2, 2, 1)
    # windows: all four, the right column, the lower row, the last element
    assert run_ours(case.model(), [source])[0].ravel().tolist() == [3.0, 4.0, 4.5, 6.0]


def test_a_maximum_of_negative_numbers_is_not_that_of_the_border() -> None:
    case = pool(MAX, "int8", image=(1, 2, 2, 1), taps=(3, 3), padding=SAME)
    source = np.full((1, 2, 2, 1), -100, np.int8)
    assert set(run_ours(case.model(), [source])[0].ravel().tolist()) == {-100}


def test_a_maximum_leaves_out_what_is_not_a_number() -> None:
    case = pool(MAX, "float32", image=(1, 1, 4, 1), taps=(1, 2), strides=(1, 2))
    source = np.array([np.nan, 1.0, -np.inf, -np.inf], np.float32).reshape(1, 1, 4, 1)
    lowest = float(np.finfo(np.float32).min)
    assert run_ours(case.model(), [source])[0].ravel().tolist() == [1.0, lowest]


def test_a_huge_window_is_cut_to_the_image() -> None:
    case = pool(MAX, image=(1, 3, 3, 1), taps=(2**30, 2**30), padding=SAME)
    source = np.arange(9, dtype=np.int8).reshape(1, 3, 3, 1)
    assert set(run_ours(case.model(), [source])[0].ravel().tolist()) == {8}


REFUSED = {
    "an unknown type": (pool(AVERAGE, "int32"), "Type INT32"),
    "no stride": (pool(strides=(0, 1), output=(1, 6, 5, 3)), "not positive"),
    "no window": (pool(taps=(0, 1), output=(1, 6, 5, 3)), "not positive"),
    "a window beyond the image": (pool(taps=(7, 2), output=(1, 1, 4, 3)), "does not fit"),
    "another output shape": (pool(output=(1, 5, 5, 3)), "the operator makes"),
    "other channels": (pool(output=(1, 5, 4, 2)), "the operator makes"),
    "three dimensions": (
        SingleOp(AVERAGE, [fed((6, 5, 3), "int8", 1.0)], [fed((5, 4, 3), "int8", 1.0)]),
        "3 dimensions",
    ),
    "another scale": (
        SingleOp(
            MAX,
            [fed((1, 2, 2, 1), "int8", 0.5)],
            [fed((1, 1, 1, 1), "int8", 0.6)],
            Pool2DOptions(VALID, 1, 1, 2, 2),
        ),
        "different scales",
    ),
    "another zero point": (
        SingleOp(
            MAX,
            [fed((1, 2, 2, 1), "int8", 0.5, 1)],
            [fed((1, 1, 1, 1), "int8", 0.5, 2)],
            Pool2DOptions(VALID, 1, 1, 2, 2),
        ),
        "different zero points",
    ),
    "another output type": (
        SingleOp(
            MAX,
            [fed((1, 2, 2, 1), "int8", 0.5)],
            [fed((1, 1, 1, 1), "int16", 0.5)],
            Pool2DOptions(VALID, 1, 1, 2, 2),
        ),
        "output INT16",
    ),
    "an activation without a scale": (pool(scale=0.0, activation=RELU), "no positive scale"),
    "no options": (
        SingleOp(MAX, [constant(np.zeros((1, 2, 2, 1), np.float32))], [fed((1, 1, 1, 1), "f4")]),
        "not positive",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_pooled_is_refused(name: str) -> None:
    case, reason = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
