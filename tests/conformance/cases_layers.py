"""Operators with weights: convolutions, fully connected and recurrent layers, matrix products."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tests.conformance.cases import Case, Settings, grid
from tests.conformance.tolerances import sum_of
from tests.runtime.kernels.test_batch_matmul import AT_THE_ENDS, LARGE, SMALL, matmul
from tests.runtime.kernels.test_transpose_conv import LAYOUTS, transpose_conv
from tests.support.layers import conv, dense, depthwise
from tests.support.single_op import SingleOp
from tinyml_runtime.model.options import Conv2DOptions, FullyConnectedOptions
from tinyml_runtime.types import Activation, Padding, TensorType

RELUS = (Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)
FLOAT: Settings = {"kind": "float32", "weights": "float32", "bias": "float32"}
INT8: Settings = {"kind": "int8", "weights": "int8", "bias": "int32"}
INT4: Settings = {"kind": "int8", "weights": "int4", "bias": "int32"}
INT16: Settings = {"kind": "int16", "weights": "int8", "bias": "int64", "out_scale": 0.5}
INT16_32: Settings = {**INT16, "bias": "int32"}
FINE = {name: {"out_scale": scale} for name, scale in (("fine", 1e-5), ("saturated", 0.0004))}
COARSE = {name: {"out_scale": scale} for name, scale in (("coarse", 40.0), ("dead", 3000.0))}
OUTPUTS = {f"{name} output": each for name, each in {**FINE, **COARSE}.items()}
SCALES = {"one scale": {"per_channel": False}, "a scale per channel": {"per_channel": True}}
POINTS = {
    "no zero points": {"zero_points": (0, 0)},
    "zero points at the lower end": {"zero_points": (-128, -128)},
    "zero points at the upper end": {"zero_points": (127, 127)},
    "zero points at both ends": {"zero_points": (-128, 127)},
}
PADDINGS = (Padding.SAME, Padding.VALID)
WINDOWS: dict[str, Settings] = {
    "3 by 3": {},
    "3 by 3, strides 2": {"strides": (2, 2)},
    "3 by 3, strides 1 and 3": {"strides": (1, 3)},
    "3 by 3, dilated": {"dilations": (2, 2), "image": (1, 9, 8, 3)},
    "3 by 3, dilated, strides 2": {
        "dilations": (2, 3),
        "strides": (2, 2),
        "image": (1, 11, 12, 2),
    },
    "1 by 1": {"taps": (1, 1)},
    "1 by 1, strides 2": {"taps": (1, 1), "strides": (2, 2)},
    "2 by 4 of one channel": {"taps": (2, 4), "image": (1, 7, 7, 1)},
    "a column": {"taps": (5, 1), "image": (1, 12, 1, 4)},
    "the whole image": {"taps": (6, 5)},
    "a batch": {"image": (3, 6, 5, 7)},
}


def _with_bias_type(make: Any, **settings: Any) -> SingleOp:
    """LiteRT goes by the option that names the type of the bias, TFLM by the tensor."""
    source: SingleOp = make(**settings)
    options = source.options
    assert isinstance(options, Conv2DOptions | FullyConnectedOptions)
    return replace(source, options=replace(options, quantized_bias_type=TensorType.INT32))


def _windowed(make: Any, *types: Settings) -> list[Case]:
    cases: list[Case] = []
    for settings in types:
        of = partial(make, **settings)
        row = partial(grid, tolerance=sum_of(30 if settings is FLOAT else 0))
        cases += row(of, WINDOWS, padding=PADDINGS)
        cases += row(of, activation=RELUS[1:])
        cases += row(of, bias=("none",))
        if settings is not FLOAT:
            cases += grid(of, OUTPUTS, SCALES)
        if settings["kind"] == "int8":
            cases += grid(of, POINTS, activation=RELUS[:2])
    return cases


def _convolutions() -> list[Case]:
    groups: dict[str, Settings] = {
        "3 groups": {"groups": 3, "filters": 6},
        "2 groups": {"groups": 2, "image": (2, 5, 5, 4), "filters": 2, "strides": (2, 2)},
        "as many groups as channels": {"groups": 4, "image": (1, 5, 5, 4), "taps": (1, 1)},
    }
    sizes: dict[str, Settings] = {
        "33 filters": {"filters": 33, "image": (1, 20, 20, 9)},
        "130 filters": {"filters": 130, "image": (1, 3, 3, 40)},
        "large": {"image": (2, 37, 31, 12), "taps": (5, 5), "filters": 3},
    }
    types = (INT8, INT4, INT16)
    return [
        *_windowed(conv, FLOAT, INT8, INT4, INT16),
        *grid(partial(_with_bias_type, conv, **INT16_32), WINDOWS),
        *grid(partial(_with_bias_type, conv, **INT16_32), OUTPUTS, activation=RELUS[:2]),
        *(case for each in types for case in grid(partial(conv, **each), groups)),
        *grid(partial(conv, **FLOAT), groups),
        *grid(conv, sizes),
        *grid(partial(conv, **FLOAT), sizes, tolerance=sum_of(360)),
    ]


def _depthwise() -> list[Case]:
    multipliers: dict[str, Settings] = {
        "multiplier 2": {"multiplier": 2},
        "multiplier 3": {"multiplier": 3, "strides": (2, 2), "image": (2, 6, 5, 2)},
        "multiplier 8 of one channel": {"multiplier": 8, "image": (1, 9, 7, 1), "taps": (4, 3)},
        "16 channels": {"image": (1, 24, 24, 16)},
        "70 channels": {"image": (1, 3, 3, 70), "strides": (2, 2)},
    }
    types = (FLOAT, INT8, INT4, INT16)
    return [
        *_windowed(depthwise, *types),
        *(case for each in types for case in grid(partial(depthwise, **each), multipliers)),
    ]


def _dense() -> list[Case]:
    leads: dict[str, Settings] = {
        "one row": {},
        "four rows": {"lead": (4,)},
        "rows in two dimensions": {"lead": (2, 3)},
        "odd sizes": {"depth": 7, "units": 3},
        "one unit": {"units": 1},
    }
    large: dict[str, Settings] = {"large": {"depth": 700, "units": 130}}
    points: dict[str, Settings] = {
        "weights of zero point 7": {"weights_zero_point": 7},
        "weights of zero point -128": {"weights_zero_point": -128},
    }
    cases: list[Case] = []
    for settings in (FLOAT, INT8, INT4, INT16, INT16_32):
        of = partial(dense, **settings)
        if settings is INT16_32:
            of = partial(_with_bias_type, of)
        per_channel = {} if settings in (FLOAT, INT4) else SCALES
        cases += grid(of, leads, activation=RELUS)
        if settings is not INT16_32:
            cases += grid(of, leads, bias=("none",))
        if per_channel:
            cases += grid(of, OUTPUTS, per_channel)
            cases += grid(of, leads, per_channel, note="scales")
        if settings["kind"] == "int8":
            cases += grid(of, POINTS, activation=RELUS[:2])
            cases += grid(of, points)
    return [
        *cases,
        *grid(dense, large, SCALES),
        *grid(partial(dense, **FLOAT), large, tolerance=sum_of(700)),
    ]


def _transposed() -> list[Case]:
    types: tuple[Settings, ...] = (
        {"kind": "float32", "bias": "float32"},
        {"kind": "int8", "bias": "int32"},
        {"kind": "int16", "bias": "int64", "out_scale": 0.02},
        {"kind": "int16", "bias": "int16", "out_scale": 0.02},
    )
    cases: list[Case] = []
    for settings in types:
        of = partial(transpose_conv, **settings)
        row = partial(grid, tolerance=sum_of(100 if settings is types[0] else 0))
        cases += row(of, LAYOUTS)
        cases += row(of, activation=RELUS[1:])
        if settings is not types[0]:
            cases += grid(of, OUTPUTS, SCALES)
        if settings["kind"] == "int8":
            cases += grid(of, POINTS)
        if settings["bias"] != "int16":
            cases += row(of, bias=(None,))
    return [*cases, *grid(transpose_conv, largest_weight=(128,))]


def _matrix_products() -> list[Case]:
    kinds = (np.float32, np.int8, np.int16)
    shapes: dict[str, Settings] = {
        "one each": {},
        "left broadcast": {"left": (1, 3, 5), "right": (4, 5, 2), "after": (4, 3, 2)},
        "right broadcast": {"left": (4, 3, 5), "right": (1, 5, 2), "after": (4, 3, 2)},
        "right of two dimensions": {
            "left": (2, 3, 3, 5),
            "right": (5, 2),
            "after": (2, 3, 3, 2),
        },
        "left of two dimensions": {"left": (3, 5), "right": (2, 3, 5, 2), "after": (2, 3, 3, 2)},
        "both broadcast": {"left": (3, 1, 2, 5), "right": (2, 5, 2), "after": (3, 2, 2, 2)},
        "vectors": {"left": (1, 7), "right": (7, 1), "after": (1, 1)},
    }
    adjoints: dict[str, Settings] = {
        "left adjoint": {"left": (2, 5, 3), "adjoint": (True, False)},
        "right adjoint": {"right": (2, 4, 5), "adjoint": (False, True)},
        "both adjoint": {"left": (2, 5, 3), "right": (2, 4, 5), "adjoint": (True, True)},
    }
    constants = ((False, False), (True, False), (False, True))
    scales = {"large": LARGE, "small": SMALL, "at the ends": AT_THE_ENDS}
    named = {f"scales {name}": {"scales": each} for name, each in scales.items()}
    return [
        *grid(matmul, shapes, kind=kinds, constants=constants),
        *grid(matmul, adjoints, kind=kinds, constants=constants),
        *grid(matmul, named, kind=kinds[1:]),
        *grid(
            matmul,
            left=((2, 300),),
            right=((300, 3),),
            after=((2, 3),),
            kind=kinds,
            tolerance=sum_of(300),
        ),
    ]


CASES = [
    *_convolutions(),
    *_depthwise(),
    *_dense(),
    *_transposed(),
    *_matrix_products(),
]
