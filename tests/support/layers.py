"""Models of one layer for tests: convolutions, fully connected layers, curves."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.support.single_op import Operand, SingleOp, constant, fed
from tinyml_runtime.model.options import (
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
)
from tinyml_runtime.types import Activation, BuiltinOperator, Padding, TensorType

SAME, VALID = Padding.SAME, Padding.VALID
NONE = Activation.NONE


def curve(
    operator: BuiltinOperator,
    kind: Any = np.int8,
    scales: tuple[float, float] = (0.05, 0.05),
    zero_points: tuple[int, int] = (0, 0),
    shape: tuple[int, ...] = (256,),
) -> SingleOp:
    """An operator that maps every element by itself, on int8 or float32."""
    source, output = (
        fed(shape, kind, float(np.float32(scale)) if kind is np.int8 else None, point)
        for scale, point in zip(scales, zero_points, strict=True)
    )
    return SingleOp(operator, [source], [output])


def _bias(generator: np.random.Generator, count: int, kind: str, scales: Any) -> Operand | None:
    if kind == "none":
        return None
    if kind == "float32":
        return constant(generator.standard_normal(count).astype(np.float32))
    limit = 2000 if kind == "int32" else 200_000
    values = generator.integers(-limit, limit, count).astype(kind)
    return constant(values, np.atleast_1d(scales).tolist())


def _weights(
    generator: np.random.Generator, shape: tuple[int, ...], kind: str, scales: Any, axis: int
) -> Operand:
    if kind == "float32":
        return constant(generator.standard_normal(shape).astype(np.float32))
    low, high = (-8, 8) if kind == "int4" else (-127, 128)
    values = generator.integers(low, high, shape).astype(np.int8)
    return constant(
        values, scales, 0, axis, kind=TensorType.INT4 if kind == "int4" else TensorType.INT8
    )


def _scales(generator: np.random.Generator, count: int, *, per_channel: bool) -> Any:
    return generator.uniform(0.001, 0.02, count) if per_channel else 0.01


def _out(shape: tuple[int, ...], kind: str, zero_point: int, scale: float) -> Operand:
    if kind == "float32":
        return fed(shape, np.float32)
    return fed(shape, kind, scale, 0 if kind == "int16" else zero_point)


def conv(
    kind: str = "int8",
    *,
    image: tuple[int, ...] = (1, 6, 5, 3),
    filters: int = 4,
    taps: tuple[int, int] = (3, 3),
    strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1),
    padding: Padding = SAME,
    activation: Activation = NONE,
    weights: str = "int8",
    bias: str = "int32",
    groups: int = 1,
    per_channel: bool = True,
    zero_points: tuple[int, int] = (-3, 5),
    out_scale: float = 0.1,
    seed: int = 0,
) -> SingleOp:
    generator = np.random.default_rng(seed)
    depth = image[3] // groups
    w_scales = _scales(generator, filters, per_channel=per_channel)
    in_scale = 0.05
    source = _out(image, kind, zero_points[0], in_scale)
    shape = (image[0], *_windows(image, taps, strides, dilations, padding), filters)
    return SingleOp(
        BuiltinOperator.CONV_2D,
        [
            source,
            _weights(generator, (filters, *taps, depth), weights, w_scales, 0),
            _bias(generator, filters, bias, in_scale * w_scales),
        ],
        [_out(shape, kind, zero_points[1], out_scale)],
        Conv2DOptions(
            padding=padding,
            stride_h=strides[0],
            stride_w=strides[1],
            dilation_h_factor=dilations[0],
            dilation_w_factor=dilations[1],
            fused_activation=activation,
        ),
    )


def depthwise(
    kind: str = "int8",
    *,
    image: tuple[int, ...] = (1, 6, 5, 3),
    multiplier: int = 1,
    taps: tuple[int, int] = (3, 3),
    strides: tuple[int, int] = (1, 1),
    dilations: tuple[int, int] = (1, 1),
    padding: Padding = SAME,
    activation: Activation = NONE,
    weights: str = "int8",
    bias: str = "int32",
    per_channel: bool = True,
    zero_points: tuple[int, int] = (-3, 5),
    out_scale: float = 0.05,
    seed: int = 0,
) -> SingleOp:
    generator = np.random.default_rng(seed)
    channels = image[3] * multiplier
    w_scales = _scales(generator, channels, per_channel=per_channel)
    in_scale = 0.05
    shape = (image[0], *_windows(image, taps, strides, dilations, padding), channels)
    operands: list[Operand | None] = [
        _out(image, kind, zero_points[0], in_scale),
        _weights(generator, (1, *taps, channels), weights, w_scales, 3),
        _bias(generator, channels, bias, in_scale * w_scales),
    ]
    return SingleOp(
        BuiltinOperator.DEPTHWISE_CONV_2D,
        # TFLM does not survive a third input of -1 here.
        [operand for operand in operands if operand is not None],
        [_out(shape, kind, zero_points[1], out_scale)],
        DepthwiseConv2DOptions(
            padding=padding,
            stride_h=strides[0],
            stride_w=strides[1],
            dilation_h_factor=dilations[0],
            dilation_w_factor=dilations[1],
            fused_activation=activation,
            depth_multiplier=multiplier,
        ),
    )


def dense(
    kind: str = "int8",
    *,
    lead: tuple[int, ...] = (1,),
    depth: int = 9,
    units: int = 5,
    activation: Activation = NONE,
    weights: str = "int8",
    bias: str = "int32",
    per_channel: bool = False,
    zero_points: tuple[int, int] = (-3, 5),
    weights_zero_point: int = 0,
    out_scale: float = 0.1,
    seed: int = 0,
) -> SingleOp:
    generator = np.random.default_rng(seed)
    w_scales = _scales(generator, units, per_channel=per_channel)
    in_scale = 0.05
    operand = _weights(generator, (units, depth), weights, w_scales, 0)
    if weights_zero_point:
        assert operand.values is not None
        operand = constant(operand.values, operand.scales, weights_zero_point, kind=operand.type)
    return SingleOp(
        BuiltinOperator.FULLY_CONNECTED,
        [
            _out((*lead, depth), kind, zero_points[0], in_scale),
            operand,
            _bias(generator, units, bias, in_scale * w_scales),
        ],
        [_out((*lead, units), kind, zero_points[1], out_scale)],
        FullyConnectedOptions(fused_activation=activation),
    )


def _windows(
    image: tuple[int, ...],
    taps: tuple[int, int],
    strides: tuple[int, int],
    dilations: tuple[int, int],
    padding: Padding,
) -> tuple[int, int]:
    def count(size: int, tap: int, stride: int, dilation: int) -> int:
        if padding is SAME:
            return -(-size // max(1, stride))
        return max(1, -(-(size - (tap - 1) * dilation) // stride))

    return (
        count(image[1], taps[0], strides[0], dilations[0]),
        count(image[2], taps[1], strides[1], dilations[1]),
    )
