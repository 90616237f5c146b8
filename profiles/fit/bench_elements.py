"""More models of one operator: those that work element by element."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from tests.runtime.kernels.test_activations import unary as activation
from tests.runtime.kernels.test_arithmetic import binary
from tests.runtime.kernels.test_cast import cast
from tests.runtime.kernels.test_comparisons import comparison
from tests.runtime.kernels.test_division import division
from tests.runtime.kernels.test_elementwise import unary as elementwise
from tests.runtime.kernels.test_hard_swish import hard_swish
from tests.runtime.kernels.test_quantize import dequantize, quantize
from tests.runtime.kernels.test_squared_difference import squared_difference
from tests.support.single_op import SingleOp, fed
from tinyml_runtime.types import BuiltinOperator as Op

F32, I8, I16, I32 = np.float32, np.int8, np.int16, np.int32
Named = Iterator[tuple[str, SingleOp]]


def element_cases() -> Named:
    """Models of one operator on every element, or every pair of elements."""
    for family in (_pairs, _signs, _elements, _conversions):
        yield from family()


def _pairs() -> Named:
    shapes = {
        "equal": ((1, 8, 8, 12), (1, 8, 8, 12)),
        "short": ((1, 10), (1, 10)),
        "one": ((1,), (1,)),
        "row and scalar": ((40,), (1,)),
        "long row and scalar": ((1, 100), (1, 1)),
        "vector": ((300,), (300,)),
        "scalar": ((1, 6, 6, 10), (1,)),
        "of scalar": ((1,), (4, 50)),
        "channels": ((1, 8, 8, 6), (6,)),
        "pixels": ((1, 7, 9, 5), (1, 7, 9, 1)),
        "image": ((1, 6, 8, 16), (1, 1, 1, 16)),
    }
    makers = {
        "add": (Op.ADD, (I8, I16, I32, F32)),
        "sub": (Op.SUB, (I8, I16, I32, F32)),
        "mul": (Op.MUL, (I8, I16, I32, F32)),
        "maximum": (Op.MAXIMUM, (I8, I32, F32)),
        "minimum": (Op.MINIMUM, (I8, F32)),
        "div": (Op.DIV, (I8, I32, F32)),
        "squared_difference": (Op.SQUARED_DIFFERENCE, (I8, F32)),
        "less": (Op.LESS, (I8, F32)),
    }
    for (name, (operator, kinds)), (label, pair) in product(makers.items(), shapes.items()):
        for kind in kinds:
            yield f"{name} {kind.__name__} {label}", _pair(operator, kind, pair)


def _signs() -> Named:
    shape = (1, 8, 8, 12)
    for operator, points in product(
        (Op.ADD, Op.SUB, Op.MUL),
        ((-128, -128, -128), (-128, 4, -128), (-17, 4, 0), (38, -2, -128), (100, 100, 0)),
    ):
        name = f"{operator.name.lower()} int8 zero points {points}"
        yield name, binary(operator, I8, (0.05, 0.03, 0.07), points, (shape, shape, shape))
    for point in (-128, -60, 60):
        name = f"leaky_relu int8 zero point {point}"
        yield name, activation(Op.LEAKY_RELU, I8, zero_points=(point, 0), shape=(1, 8, 8, 6))


def _pair(operator: Op, kind: Any, pair: tuple[tuple[int, ...], tuple[int, ...]]) -> SingleOp:
    shapes = (*pair, np.broadcast_shapes(*pair))
    if operator is Op.LESS:
        scale = 0.05 if kind is I8 else None
        return comparison(operator, kind, (scale, scale), shapes=pair)
    if operator is Op.DIV:
        return division(operator, kind, shapes=pair)
    if operator is Op.SQUARED_DIFFERENCE:
        return squared_difference(kind, shapes=pair)
    if operator in (Op.MAXIMUM, Op.MINIMUM):
        return binary(operator, kind, (0.05, 0.05, 0.05), (0, 0, 0), shapes)
    if kind is I32 and operator is not Op.MUL:
        return binary(operator, kind, (None, None, None), (0, 0, 0), shapes)
    points = (3, -4, 5) if kind is I8 else (0, 0, 0)
    return binary(operator, kind, (0.05, 0.03, 0.07), points, shapes)


SHAPES: dict[str, tuple[int, ...]] = {
    "image": (1, 8, 8, 6),
    "row": (1, 10),
    "vector": (500,),
    "one": (1,),
}
_CURVES: tuple[tuple[Any, float | None], ...] = ((I8, 0.03), (I8, 0.1), (I16, 0.0003), (F32, None))
_CASTS = (
    (I8, F32),
    (F32, I8),
    (I32, F32),
    (F32, I32),
    (I8, I32),
    (I32, I8),
    (I16, I32),
    (I32, np.uint32),
    (np.uint32, I32),
)
_CONVERSIONS: tuple[tuple[Any, Any], ...] = (
    ((F32, None, 0), (I8, 0.01, 3)),
    ((F32, None, 0), (I16, 0.0001, 0)),
    ((I8, 0.1, 3), (I8, 0.2, -5)),
    ((I8, 0.1, 3), (I16, 0.01, 0)),
    ((I8, 0.1, 3), (I32, 0.001, 0)),
    ((I16, 0.01, 0), (I8, 2.0, 4)),
    ((I16, 0.01, 0), (I16, 0.02, 0)),
    ((I16, 0.01, 0), (I32, 0.001, 0)),
    ((I32, 0.01, 0), (I8, 2.0, 4)),
    ((I32, 0.01, 0), (I16, 2.0, 0)),
)


def _elements() -> Named:
    for label, shape in SHAPES.items():
        for kind in (I8, I16, F32):
            name = f"leaky_relu {kind.__name__} {label}"
            yield name, activation(Op.LEAKY_RELU, kind, shape=shape)
        for kind, operator in product((I8, F32), (Op.RELU, Op.RELU6)):
            name = f"{operator.name.lower()} {kind.__name__} {label}"
            yield name, activation(operator, kind, shape=shape)
        for (kind, scale), operator in product(_CURVES, (Op.LOGISTIC, Op.TANH)):
            name = f"{operator.name.lower()} {kind.__name__} {scale} {label}"
            yield name, _curve(operator, kind, scale, shape)
        yield f"hard_swish int8 {label}", hard_swish(shape=shape)
        for operator in (Op.ABS, Op.EXP, Op.SQRT, Op.RSQRT, Op.SQUARE, Op.LOG):
            name = f"{operator.name.lower()} float32 {label}"
            yield name, elementwise(operator, F32, shape=shape)


def _conversions() -> Named:
    for label, shape in SHAPES.items():
        for number, (source, output) in enumerate(_CONVERSIONS):
            yield f"quantize {number} {label}", quantize(source, output, shape)
        for kind, scale in ((I8, 0.1), (I16, 0.001)):
            yield f"dequantize {kind.__name__} {label}", dequantize((kind, scale, 0), shape)
        for before, after in _CASTS:
            name = f"cast {before.__name__} {after.__name__} {label}"
            yield name, cast(before, after, shape)


def _curve(operator: Op, kind: Any, scale: float | None, shape: tuple[int, ...]) -> SingleOp:
    if scale is None:
        return SingleOp(operator, [fed(shape, kind)], [fed(shape, kind)])
    output = {
        (Op.LOGISTIC, I8): (1 / 256, -128),
        (Op.TANH, I8): (1 / 128, 0),
    }.get((operator, kind), (1 / 32768, 0))
    return SingleOp(operator, [fed(shape, kind, scale, 0)], [fed(shape, kind, *output)])
