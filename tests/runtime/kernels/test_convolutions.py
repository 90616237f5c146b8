"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: by hand, by plain loops, and beside TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.layers import SAME, VALID, conv, dense, depthwise
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
from tinyml_runtime.model.options import Conv2DOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator

RELU, RELU6, RELU1 = Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1
FLOAT = {"kind": "float32", "weights": "float32", "bias": "float32"}
INT16 = {"kind": "int16", "bias": "int64", "out_scale": 0.5}
WINDOWED: list[dict[str, Any]] = [
    {},
    {"padding": VALID},
    {"strides": (2, 2)},
    {"strides": (2, 1), "padding": VALID},
    {"strides": (1, 3)},
    {"strides": (3, 2), "taps": (2, 2)},
    {"dilations": (2, 2), "image": (1, 9, 8, 3)},
    {"dilations": (1, 2), "padding": VALID},
    {"dilations": (2, 3), "strides": (2, 2), "image": (1, 11, 12, 2)},
    {"taps": (1, 1)},
    {"taps": (1, 1), "strides": (2, 2)},
    {"taps": (2, 4), "image": (1, 7, 7, 1)},
    {"taps": (5, 1), "image": (1, 12, 1, 4)},
    {"taps": (6, 5), "padding": VALID},
    {"image": (3, 6, 5, 7)},
    {"image": (2, 4, 4, 1)},
    {"activation": RELU},
    {"activation": RELU6},
    {"activation": RELU1},
    {"bias": "none"},
    {"per_channel": False},
    {"zero_points": (-128, -128), "activation": RELU},
    {"zero_points": (127, 127)},
    {"zero_points": (-128, 127)},
    {"out_scale": 0.0004},
    {"out_scale": 1e-5},
    {"out_scale": 40.0},
    {"out_scale": 3000.0},
    {"weights": "int4"},
    {"weights": "int4", "image": (2, 5, 5, 5), "per_channel": False},
    FLOAT,
    {**FLOAT, "padding": VALID, "strides": (2, 2), "activation": RELU},
    {**FLOAT, "activation": RELU6, "image": (2, 6, 5, 3), "dilations": (2, 1)},
    {**FLOAT, "activation": RELU1, "bias": "none", "image": (1, 5, 5, 1)},
    INT16,
    {**INT16, "strides": (2, 2), "activation": RELU},
    {**INT16, "padding": VALID, "per_channel": False},
    {**INT16, "out_scale": 0.001},
    {**INT16, "bias": "none", "image": (2, 6, 5, 2)},
]
CONV: list[dict[str, Any]] = [
    *WINDOWED,
    {**INT16, "bias": "int32"},
    {**INT16, "bias": "int32", "out_scale": 0.01, "activation": RELU},
    {"groups": 3, "filters": 6},
    {"groups": 2, "image": (2, 5, 5, 4), "filters": 2, "strides": (2, 2)},
    {"groups": 4, "image": (1, 5, 5, 4), "filters": 4, "taps": (1, 1)},
    {**FLOAT, "groups": 3, "filters": 3},
    {"filters": 33, "image": (1, 20, 20, 9)},
    {"filters": 130, "image": (1, 3, 3, 40)},
    # More windows than are copied at once.
    {"image": (2, 37, 31, 20), "taps": (5, 5), "filters": 3},
    {"image": (2, 37, 31, 20), "taps": (5, 5), "filters": 4, "groups": 2, "padding": VALID},
    {**FLOAT, "image": (2, 37, 31, 12), "taps": (5, 5), "filters": 3},
]
DEPTHWISE: list[dict[str, Any]] = [
    *WINDOWED,
    {"multiplier": 2},
    {"multiplier": 3, "strides": (2, 2), "image": (2, 6, 5, 2)},
    {"multiplier": 8, "image": (1, 9, 7, 1), "taps": (4, 3)},
    {**FLOAT, "multiplier": 2, "strides": (2, 1)},
    {**INT16, "multiplier": 4},
    {"image": (1, 24, 24, 16)},
    {"image": (1, 3, 3, 70), "strides": (2, 2)},
]
DENSE: list[dict[str, Any]] = [
    {},
    {"per_channel": True},
    {"weights": "int4"},
    {"weights": "int4", "depth": 7, "units": 3},
    {"activation": RELU},
    {"activation": RELU6},
    {"activation": RELU1},
    {"lead": (4,)},
    {"lead": (2, 3)},
    {"lead": (2, 3), "per_channel": True, "activation": RELU},
    {"bias": "none"},
    {"bias": "none", "per_channel": True},
    {"zero_points": (-128, -128), "activation": RELU},
    {"zero_points": (127, 127)},
    {"zero_points": (-128, 127)},
    {"weights_zero_point": 7},
    {"weights_zero_point": -128, "zero_points": (-128, 3)},
    {"out_scale": 0.0004},
    {"out_scale": 1e-5},
    {"out_scale": 4000.0},
    {"depth": 700, "units": 130},
    FLOAT,
    {**FLOAT, "activation": RELU, "lead": (2, 2)},
    {**FLOAT, "activation": RELU6, "bias": "none"},
    INT16,
    {**INT16, "bias": "int32"},
    {**INT16, "bias": "none"},
    {**INT16, "per_channel": True, "lead": (3,)},
    {**INT16, "per_channel": True, "bias": "int32", "activation": RELU},
    {**INT16, "zero_points": (0, 0), "activation": RELU6, "out_scale": 0.0005},
]
CASES = [
    *((conv, case) for case in CONV),
    *((depthwise, case) for case in DEPTHWISE),
    *((dense, case) for case in DENSE),
]
IDS = [f"{make.__name__}-{'-'.join(map(str, case.values()))}" for make, case in CASES]


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize(("make", "case"), CASES, ids=IDS)
def test_gives_the_outputs_of_tflm(make: Any, case: dict[str, Any]) -> None:
    # 300 products of about 1 in another order: each sum may be off by some units in the last place.
    assert_like_tflm(make(**case), atol=2e-5 if case.get("taps") == (5, 5) else 1e-6)


def test_fully_connected_by_hand() -> None:
    case = SingleOp(
        BuiltinOperator.FULLY_CONNECTED,
        [
            fed((1, 2), np.int8, 1.0, 1),
            constant(np.array([[1, 2], [3, 4]], np.int8), 1.0),
            constant(np.array([10, 0], np.int32), 1.0),
        ],
        [fed((1, 2), np.int8, 1.0, -1)],
    )
    # (3 - 1) * 1 + (5 - 1) * 2 + 10 = 20; (3 - 1) * 3 + (5 - 1) * 4 = 22; then zero point -1
    (output,) = run_ours(case.model(), [np.array([[3, 5]], np.int8)])
    assert output.tolist() == [[19, 21]]


def test_convolution_leaves_padding_out_of_the_sum() -> None:
    case = SingleOp(
        BuiltinOperator.CONV_2D,
        [
            fed((1, 2, 2, 1), np.int8, 1.0, 10),
            constant(np.ones((1, 3, 3, 1), np.int8), 1.0),
            constant(np.zeros(1, np.int32), 1.0),
        ],
        [fed((1, 2, 2, 1), np.int8, 1.0, 0)],
        Conv2DOptions(padding=SAME, stride_w=1, stride_h=1),
    )
    # every window sees the whole image: (11 - 10) + (12 - 10) + (13 - 10) + (14 - 10)
    (output,) = run_ours(case.model(), [np.array([11, 12, 13, 14], np.int8).reshape(1, 2, 2, 1)])
    assert output.ravel().tolist() == [10, 10, 10, 10]


def _plain_convolution(case: SingleOp, source: Array) -> Array:
    """Real-valued convolution of dequantized operands by plain loops, in float64."""
    options = case.options
    assert isinstance(options, Conv2DOptions)
    weights, bias, output = case.inputs[1], case.inputs[2], case.outputs[0]
    assert weights is not None
    assert weights.values is not None
    assert bias is not None
    assert bias.values is not None
    filters, rows, columns, depth = weights.shape
    result = np.zeros(output.shape)
    top = max(0, (output.shape[1] - 1) * options.stride_h + rows - source.shape[1]) // 2
    left = max(0, (output.shape[2] - 1) * options.stride_w + columns - source.shape[2]) // 2
    for b, y, x, f in np.ndindex(*output.shape):
        total = float(bias.values[f])
        for r, c, d in np.ndindex(rows, columns, depth):
            row, column = y * options.stride_h + r - top, x * options.stride_w + c - left
            if 0 <= row < source.shape[1] and 0 <= column < source.shape[2]:
                total += float(source[b, row, column, d]) * float(weights.values[f, r, c, d])
        result[b, y, x, f] = total
    assert filters == output.shape[3]
    return result


@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (1, 3)])
def test_float_convolution_is_the_plain_sum(strides: tuple[int, int]) -> None:
    settings: dict[str, Any] = {**FLOAT, "strides": strides, "image": (2, 6, 5, 3)}
    case = conv(**settings)
    feeds = random_feeds(case)
    (output,) = run_ours(case.model(), feeds)
    np.testing.assert_allclose(output, _plain_convolution(case, feeds[0]), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", [conv, depthwise, dense])
def test_stacked_samples_give_what_single_ones_give(make: Any) -> None:
    case = make()
    feeds = random_feeds(case)
    stacked = run_stacked(case.model(), feeds, samples=5)[0]
    for sample in range(5):
        single = run_ours(case.model(), [np.roll(feed, sample) for feed in feeds])[0]
        np.testing.assert_array_equal(stacked[sample], single)


def test_weights_that_are_no_constants_are_multiplied_too() -> None:
    case = dense(bias="none")
    weights = case.inputs[1]
    assert weights is not None
    assert weights.values is not None
    moving = fed(weights.shape, np.int8, weights.scales[0])
    fixed = run_ours(case.model(), random_feeds(case))
    moved = SingleOp(case.operator, [case.inputs[0], moving, None], case.outputs, case.options)
    outputs = run_ours(moved.model(), [*random_feeds(case), weights.values])
    np.testing.assert_array_equal(outputs[0], fixed[0])


REFUSED: list[tuple[SingleOp, str]] = [
    (conv(weights="float32"), "Hybrid models are not supported on TFLite Micro."),
    (conv(kind="float32", bias="float32"), "Hybrid models are not supported on TFLite Micro."),
    (depthwise(kind="float32", bias="float32"), "Hybrid models"),
    (dense(kind="float32", bias="float32"), "Input type: FLOAT32 with filter type: INT8"),
    (conv(strides=(0, 1)), "not positive"),
    (conv(taps=(9, 9), padding=VALID), "does not fit"),
    (dense(bias="int32", weights="int8", zero_points=(0, 0), out_scale=0.0), "no positive scale"),
]


@pytest.mark.parametrize(("case", "reason"), REFUSED)
def test_says_why_a_layer_cannot_run(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason.replace(".", r"\.")):
        run_ours(case.model(), [])
