"""TRANSPOSE_CONV: by hand, by plain loops, and beside TFLM."""

from __future__ import annotations

from dataclasses import replace
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
    run_stacked,
    run_tflm,
)
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    quantize_multiplier,
)
from tinyml_runtime.model.options import TransposeConvOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator, Padding, TensorType

SAME, VALID = Padding.SAME, Padding.VALID
IN_SCALE = 0.05


def transpose_conv(
    kind: str = "int8",
    *,
    image: tuple[int, ...] = (1, 3, 4, 3),
    filters: int = 5,
    taps: tuple[int, int] = (3, 3),
    strides: tuple[int, int] = (2, 2),
    padding: Padding = SAME,
    size: tuple[int, int] | None = None,
    activation: Activation = Activation.NONE,
    bias: str | None = "int32",
    per_channel: bool = True,
    zero_points: tuple[int, int] = (-3, 5),
    out_scale: float = 0.1,
    largest_weight: int = 127,
    fixed: bool = True,
    shape_fed: bool = False,
) -> SingleOp:
    """A case; weights and bias are inputs of the model unless `fixed`."""
    generator = np.random.default_rng(0)
    height, width = size or (
        image[axis] * strides[axis - 1]
        if padding is SAME
        else (image[axis] - 1) * strides[axis - 1] + taps[axis - 1]
        for axis in (1, 2)
    )
    output = image[0], height, width, filters
    weights_shape = filters, *taps, image[3]
    scales: Any = generator.uniform(0.001, 0.02, filters) if per_channel else 0.01
    if kind == "float32":
        values = (0.1 * generator.standard_normal(weights_shape)).astype(np.float32)
        weights = constant(values)
    else:
        values = generator.integers(-largest_weight, largest_weight + 1, weights_shape)
        weights = constant(values.astype(np.int8), scales)
    operands: list[Operand | None] = [
        fed((4,), "int32") if shape_fed else constant(np.array(output, np.int32)),
        weights,
        _moving(image, kind, IN_SCALE, zero_points[0]),
    ]
    if bias is not None:
        operands.append(_bias(generator, filters, bias, scales))
    if not fixed:
        operands[1:2] = [replace(weights, values=None)]
        operands[3:] = [o and replace(o, values=None) for o in operands[3:]]
    return SingleOp(
        BuiltinOperator.TRANSPOSE_CONV,
        operands,
        [_moving(output, kind, out_scale, zero_points[1])],
        TransposeConvOptions(padding, strides[1], strides[0], activation),
    )


def _moving(shape: tuple[int, ...], kind: str, scale: float, zero_point: int) -> Operand:
    if kind == "float32":
        return fed(shape, kind)
    return fed(shape, kind, scale, 0 if kind == "int16" else zero_point)


def _bias(generator: np.random.Generator, count: int, kind: str, scales: Any) -> Operand:
    if kind == "float32":
        return constant(generator.standard_normal(count).astype(np.float32))
    return constant(generator.integers(-3000, 3000, count).astype(kind), IN_SCALE * scales)


def _given(operand: Operand | None) -> Operand:
    assert operand is not None
    return operand


def _values(operand: Operand) -> Array:
    assert operand.values is not None
    return operand.values


def _by_loops(case: SingleOp, image: Array) -> Array:
    """Every product of a weight and an element, added where it belongs, in Python's integers."""
    options, output = case.options, case.outputs[0]
    assert isinstance(options, TransposeConvOptions)
    weights, source, bias = (_given(case.inputs[position]) for position in (1, 2, 3))
    weight_values, bias_values = _values(weights), _values(bias)
    _, height, width, filters = output.shape
    strides, taps = (options.stride_h, options.stride_w), weights.shape[1:3]
    before = [
        max(0, (-(-size // stride) - 1) * stride + tap - size) // 2 * (options.padding is SAME)
        for size, stride, tap in zip((height, width), strides, taps, strict=True)
    ]
    sums = np.zeros(output.shape, np.int64) + bias_values
    centred = image.astype(np.int64) - source.zero_points[0]
    for sample, row, column, down, right in np.ndindex(*image.shape[:3], *taps):
        y = row * strides[0] - before[0] + down
        x = column * strides[1] - before[1] + right
        if 0 <= y < height and 0 <= x < width:
            sums[sample, y, x] += (
                weight_values[:, down, right].astype(int) @ centred[sample, row, column]
            )
    factors = [
        quantize_multiplier(source.scales[0] * scale / output.scales[0])
        for scale in np.broadcast_to(weights.scales, (filters,)).tolist()
    ]
    is_int16 = output.type is TensorType.INT16
    rescale = (
        multiply_wide_by_quantized_multiplier if is_int16 else multiply_by_quantized_multiplier
    )
    multipliers = np.array([factor.multiplier for factor in factors])
    scaled = rescale(sums, multipliers, np.array([factor.shift for factor in factors]))
    limits = np.iinfo("int16" if is_int16 else "int8")
    return np.clip(scaled + output.zero_points[0], limits.min, limits.max).astype(limits.dtype)


LAYOUTS: dict[str, dict[str, Any]] = {
    "same": {},
    "same, even window": {"taps": (4, 2)},
    "same, window as long as the stride": {"taps": (2, 2)},
    "same, stride beyond the window": {"taps": (1, 2), "strides": (3, 4)},
    "same, stride 1": {"taps": (3, 2), "strides": (1, 1)},
    "same, large window": {"taps": (7, 5), "strides": (2, 3)},
    "valid": {"padding": VALID},
    "valid, stride 1": {"padding": VALID, "taps": (5, 5), "strides": (1, 1)},
    "valid, one row": {"padding": VALID, "image": (1, 1, 9, 4), "taps": (3, 4), "strides": (1, 2)},
    "valid, output cut off": {"padding": VALID, "size": (4, 7)},
    "valid, output beyond the last window": {"padding": VALID, "size": (11, 13)},
    "same, output of another size": {"size": (5, 9)},
    "one output": {"size": (1, 1)},
    "batch": {"image": (3, 2, 3, 2), "filters": 3},
    "one channel": {"image": (1, 4, 4, 1), "filters": 1},
    "many channels": {"image": (1, 3, 3, 40), "filters": 24, "out_scale": 0.5},
}
TYPES: dict[str, dict[str, Any]] = {
    "float32": {"kind": "float32", "bias": "float32"},
    "int8": {"kind": "int8", "bias": "int32"},
    "int16, bias int64": {"kind": "int16", "bias": "int64", "out_scale": 0.02},
    "int16, bias int16": {"kind": "int16", "bias": "int16", "out_scale": 0.02},
}
QUANTIZATIONS: dict[str, dict[str, Any]] = {
    "no bias": {"bias": None},
    "int16 without bias": {"kind": "int16", "bias": None},
    "float32 without bias": {"kind": "float32", "bias": None},
    "per tensor": {"per_channel": False},
    "zero points at the ends": {"zero_points": (-128, 127)},
    "zero points at the other ends": {"zero_points": (127, -128)},
    "left shifts": {"out_scale": 0.0001},
    "left shifts, int16": {"kind": "int16", "bias": "int64", "out_scale": 0.0001},
    "right shifts": {"out_scale": 20.0},
    "dead output": {"out_scale": 1e9},
    "saturated": {"out_scale": 0.003},
    "weights of -128": {"largest_weight": 128},
    "relu": {"activation": Activation.RELU},
    "relu6": {"activation": Activation.RELU6},
    "relu -1 to 1": {"activation": Activation.RELU_N1_TO_1},
    "float32 relu6": {"kind": "float32", "bias": "float32", "activation": Activation.RELU6},
    "int16 relu": {"kind": "int16", "bias": "int64", "activation": Activation.RELU},
    "sums beyond 2**24": {"image": (1, 2, 2, 600), "filters": 2, "out_scale": 3.0},
    "an output shape that is an input": {"shape_fed": True},
}


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_give_what_tflm_gives(kind: str, layout: str) -> None:
    assert_like_tflm(transpose_conv(**{**TYPES[kind], **LAYOUTS[layout]}))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("name", QUANTIZATIONS)
def test_scales_and_activations_give_what_tflm_gives(name: str) -> None:
    assert_like_tflm(transpose_conv(**QUANTIZATIONS[name]))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("kind", TYPES)
def test_weights_that_are_inputs_give_what_tflm_gives(kind: str) -> None:
    case = transpose_conv(**TYPES[kind], fixed=False)
    generator = np.random.default_rng(1)
    model = case.model()
    feeds = [
        generator.integers(-100, 100, operand.shape).astype(kind_of)
        for operand, kind_of in zip(
            case.inputs[1:], _dtypes(TYPES[kind]["kind"], TYPES[kind]["bias"]), strict=True
        )
        if operand is not None
    ]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))
    assert_same([array[0] for array in run_stacked(model, feeds)], run_ours(model, feeds))


def _dtypes(kind: str, bias: str) -> tuple[str, str, str]:
    return ("float32" if kind == "float32" else "int8"), kind, bias


@pytest.mark.parametrize("kind", ["int8", "int16, bias int64", "int16, bias int16"])
@pytest.mark.parametrize("layout", ["same", "same, large window", "valid, output cut off"])
def test_integer_results_are_those_of_plain_loops(kind: str, layout: str) -> None:
    case = transpose_conv(**{**TYPES[kind], **LAYOUTS[layout]})
    feeds = random_feeds(case)
    np.testing.assert_array_equal(run_ours(case.model(), feeds)[0], _by_loops(case, feeds[0]))


def test_neighbouring_windows_add_up_where_they_overlap() -> None:
    case = SingleOp(
        BuiltinOperator.TRANSPOSE_CONV,
        [
            constant(np.array([1, 1, 5, 1], np.int32)),
            constant(np.array([1.0, 2.0, 3.0], np.float32).reshape(1, 1, 3, 1)),
            fed((1, 1, 2, 1), "float32"),
        ],
        [fed((1, 1, 5, 1), "float32")],
        TransposeConvOptions(VALID, 2, 1),
    )
    source = np.array([10.0, 100.0], np.float32).reshape(1, 1, 2, 1)
    # 10 * [1 2 3 . .] + 100 * [. . 1 2 3]
    result = run_ours(case.model(), [source])[0]
    assert result.ravel().tolist() == [10.0, 20.0, 130.0, 200.0, 300.0]


def test_a_stride_beyond_the_output_takes_no_memory() -> None:
    case = transpose_conv(strides=(2**30, 2**30), padding=VALID, size=(3, 3))
    near = transpose_conv(strides=(3, 3), padding=VALID, size=(3, 3))
    feeds = random_feeds(case)
    assert_same(run_ours(case.model(), feeds), run_ours(near.model(), feeds))


def _with_input(case: SingleOp, position: int, operand: Operand | None) -> SingleOp:
    inputs = list(case.inputs)
    inputs[position] = operand
    return replace(case, inputs=inputs)


def _int8(*shape: int, scales: Any = 0.01) -> Operand:
    return constant(np.ones(shape, np.int8), scales)


CASE = transpose_conv()
REFUSED = {
    "float weights for int8": (
        _with_input(CASE, 1, constant(np.ones((5, 3, 3, 3), np.float32))),
        "Hybrid models are not supported",
    ),
    "int4 weights": (
        _with_input(CASE, 1, constant(np.ones((5, 3, 3, 3), np.int8), 0.01, kind=TensorType.INT4)),
        "Hybrid models are not supported",
    ),
    "an unknown type": (
        SingleOp(
            BuiltinOperator.TRANSPOSE_CONV,
            [fed((4,), "int32"), _int8(1, 1, 1, 1), fed((1, 1, 1, 1), "int32")],
            [fed((1, 1, 1, 1), "int32")],
        ),
        "Type INT32",
    ),
    "another output type": (replace(CASE, outputs=[fed((1, 6, 8, 5), "int16", 0.1)]), "INT16"),
    "weights for other channels": (_with_input(CASE, 1, _int8(5, 3, 3, 2)), "weights for 2"),
    "another number of filters": (_with_input(CASE, 1, _int8(4, 3, 3, 3)), "not 4"),
    "weights of three dimensions": (_with_input(CASE, 1, _int8(5, 3, 3)), "3 dimensions"),
    "scales along another dimension": (
        _with_input(CASE, 1, replace(_int8(5, 3, 3, 3, scales=[0.1] * 5), dimension=1)),
        "along dimension 1",
    ),
    "too few scales": (
        _with_input(CASE, 1, replace(_int8(5, 3, 3, 3, scales=[0.1] * 3), dimension=3)),
        "dimension 3|3 weight scales",
    ),
    "a bias of another type": (
        _with_input(CASE, 3, constant(np.ones(5, np.int64), 0.01)),
        "Bias type INT64",
    ),
    "a 32-bit bias for int16": (
        transpose_conv("int16", bias="int32"),
        "Bias type INT32",
    ),
    "a bias of another length": (
        _with_input(CASE, 3, constant(np.ones(4, np.int32), 0.01)),
        "4 values",
    ),
    "another batch": (replace(CASE, outputs=[fed((2, 6, 8, 5), "int8", 0.1)]), "batches"),
    "no stride": (transpose_conv(strides=(0, 2), size=(6, 8)), "not positive"),
    "no output scale": (replace(CASE, outputs=[fed((1, 6, 8, 5), "int8")]), "no positive scale"),
    "no weight scale": (
        _with_input(CASE, 1, constant(np.ones((5, 3, 3, 3), np.int8))),
        "weights have no scale",
    ),
    "no weights": (_with_input(CASE, 1, None), "input 1 is missing"),
    "two inputs": (replace(CASE, inputs=CASE.inputs[:2]), "2 inputs"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_convolved_is_refused(name: str) -> None:
    case, reason = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), [])
