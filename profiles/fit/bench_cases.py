"""Models of one operator each, of shapes and types that the public models do not have.

They are run like the others, so that a loop's mix rests on more than the models that happen to have
it. The makers are those of the tests.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any

import numpy as np
from bench_cmsis_nn import cmsis_nn_cases
from bench_elements import element_cases
from bench_moves import moving_cases

from tests.runtime.kernels.test_batch_matmul import matmul
from tests.runtime.kernels.test_lstm import lstm
from tests.runtime.kernels.test_pooling import pool
from tests.runtime.kernels.test_reduce import mean
from tests.runtime.kernels.test_reductions import reduction
from tests.runtime.kernels.test_softmax import TO_INT8, TO_INT16, WIDE, softmax
from tests.runtime.kernels.test_svdf import svdf
from tests.runtime.kernels.test_transpose_conv import transpose_conv
from tests.support.layers import conv, dense, depthwise
from tests.support.single_op import SingleOp
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.types import Padding

I8, F32 = np.int8, np.float32
FLOAT: dict[str, Any] = {"kind": "float32", "weights": "float32", "bias": "float32"}
INT16: dict[str, Any] = {"kind": "int16", "weights": "int8", "bias": "int64", "out_scale": 0.5}
KINDS: dict[str, dict[str, Any]] = {
    "int8": {"kind": "int8"},
    "int16": INT16,
    "float32": FLOAT,
    "int4": {"kind": "int8", "weights": "int4"},
}
SAME, VALID = Padding.SAME, Padding.VALID
Named = Iterator[tuple[str, SingleOp]]


@cache
def bench_cases() -> dict[str, SingleOp]:
    """All models, by name."""
    families = (
        *(_convolutions, _dense, _windows, _rows, _states),
        *(element_cases, moving_cases, cmsis_nn_cases),
    )
    return {name: case for family in families for name, case in family()}


def _convolutions() -> Named:
    images: tuple[dict[str, Any], ...] = (
        {"image": (1, 8, 8, 3), "filters": 8},
        {"image": (1, 7, 9, 16), "filters": 6, "strides": (2, 2)},
        {"image": (1, 9, 6, 5), "filters": 7, "padding": VALID},
        {"image": (1, 6, 6, 24), "filters": 12, "taps": (1, 1)},
        {"image": (1, 12, 10, 1), "filters": 8, "taps": (5, 4), "strides": (2, 2)},
        {"image": (1, 1, 40, 8), "filters": 8, "taps": (1, 5)},
        {"image": (1, 12, 12, 2), "filters": 3, "dilations": (2, 2)},
        {"image": (1, 6, 6, 12), "filters": 8, "groups": 2},
        {"image": (1, 7, 5, 9), "filters": 6, "groups": 3, "padding": VALID},
        {"image": (1, 5, 5, 35), "filters": 6, "taps": (1, 1), "strides": (2, 2)},
        {"image": (1, 10, 10, 3), "filters": 5, "taps": (1, 1)},
    )
    for (kind, types), (number, image) in product(KINDS.items(), enumerate(images)):
        yield f"conv {kind} {number}", conv(**types, **image)
    windows: tuple[dict[str, Any], ...] = (
        {"image": (1, 8, 8, 8)},
        {"image": (1, 9, 7, 6), "strides": (2, 2)},
        {"image": (1, 10, 6, 1), "multiplier": 8, "taps": (10, 8), "strides": (2, 2)},
        {"image": (1, 12, 12, 3), "multiplier": 2, "padding": VALID},
        {"image": (1, 5, 5, 32), "taps": (5, 5), "padding": VALID},
        {"image": (1, 30, 1, 12), "taps": (7, 1)},
        {"image": (1, 12, 9, 4), "dilations": (2, 2)},
        {"image": (1, 20, 16, 1), "multiplier": 1},
        {"image": (1, 3, 3, 40), "taps": (1, 1)},
        {"image": (1, 8, 8, 1), "multiplier": 8},
        {"image": (1, 9, 9, 1), "multiplier": 4, "strides": (2, 2)},
        {"image": (1, 7, 6, 2), "multiplier": 5},
        {"image": (1, 10, 10, 1), "multiplier": 6, "taps": (5, 5)},
        {"image": (1, 8, 7, 11)},
        {"image": (1, 6, 6, 7), "taps": (2, 4), "strides": (1, 2)},
    )
    for (kind, types), (number, image) in product(KINDS.items(), enumerate(windows)):
        yield f"depthwise {kind} {number}", depthwise(**types, **image)
    spread: tuple[dict[str, Any], ...] = (
        {"image": (1, 4, 4, 6), "filters": 5},
        {"image": (1, 3, 5, 8), "filters": 4, "taps": (2, 2)},
        {"image": (1, 6, 4, 2), "filters": 12, "strides": (1, 1)},
        {"image": (1, 1, 12, 8), "filters": 3, "taps": (1, 4), "strides": (1, 2)},
        {"image": (1, 5, 5, 3), "filters": 1, "taps": (4, 4), "padding": VALID},
        {"image": (1, 8, 8, 16), "filters": 8},
    )
    types = {"int8": "int32", "int16": "int64", "float32": "float32"}
    for (kind, bias), (number, image) in product(types.items(), enumerate(spread)):
        yield f"transpose_conv {kind} {number}", transpose_conv(kind=kind, bias=bias, **image)


def _dense() -> Named:
    shapes: tuple[dict[str, Any], ...] = (
        {"depth": 64, "units": 10},
        {"depth": 17, "units": 33},
        {"depth": 200, "units": 1},
        {"depth": 12, "units": 12, "lead": (6,)},
        {"depth": 1, "units": 16},
        {"depth": 40, "units": 8, "lead": (1, 5)},
    )
    for (kind, types), (number, shape) in product(KINDS.items(), enumerate(shapes)):
        yield f"dense {kind} {number}", dense(**types, **shape)
    for number, shape in enumerate(shapes):
        yield f"dense int8 per channel {number}", dense(per_channel=True, **shape)
    for kind, (number, (left, right, after)) in product(
        (I8, F32),
        enumerate((((1, 6, 8), (1, 8, 10), (1, 6, 10)), ((4, 5, 16), (4, 16, 3), (4, 5, 3)))),
    ):
        yield f"matmul {kind.__name__} {number}", matmul(left, right, after, kind)


def _windows() -> Named:
    images: tuple[dict[str, Any], ...] = (
        {"image": (1, 8, 8, 8), "strides": (2, 2)},
        {"image": (1, 9, 7, 4), "taps": (3, 3), "strides": (2, 2), "padding": SAME},
        {"image": (1, 6, 6, 32), "taps": (6, 6)},
        {"image": (1, 24, 5, 3), "taps": (4, 1), "strides": (4, 1)},
        {"image": (1, 25, 5, 16), "taps": (25, 5)},
        {"image": (1, 16, 16, 6), "taps": (2, 2), "strides": (2, 2)},
        {"image": (1, 10, 10, 5), "taps": (3, 3), "padding": SAME},
    )
    for kind, operator, (number, image) in product(
        ("int8", "int16", "float32"), (Op.AVERAGE_POOL_2D, Op.MAX_POOL_2D), enumerate(images)
    ):
        yield f"{operator.name.lower()} {kind} {number}", pool(operator, kind, **image)


def _rows() -> Named:
    scales: tuple[tuple[str, float | None], ...] = (
        (TO_INT8, 0.02),
        (TO_INT8, 0.04),
        (TO_INT8, 20.0),
        (TO_INT16, 0.04),
        (TO_INT16, 20.0),
        (WIDE, 0.001),
        ("float32", None),
    )
    for shape, (kind, scale) in product(((1, 2), (1, 12), (6, 40), (200,)), scales):
        yield f"softmax {kind} {scale} {shape}", softmax(kind, shape, scale=scale)
    axes = (((1, 2), (1, 6, 6, 16)), ((1,), (1, 40, 8)), ((2,), (1, 10, 32)))
    for kind, (number, (along, shape)) in product((I8, F32), enumerate(axes)):
        yield f"mean {kind.__name__} {number}", mean(along, shape, kind)
        for operator in (Op.REDUCE_MAX, Op.SUM):
            name = f"{operator.name.lower()} {kind.__name__} {number}"
            yield name, reduction(operator, kind, along, shape)


def _states() -> Named:
    sizes: tuple[dict[str, Any], ...] = (
        {"features": 20, "units": 8, "rank": 1, "memory": 6},
        {"features": 40, "units": 16, "rank": 2, "memory": 10},
        {"features": 8, "units": 12, "rank": 4, "memory": 3},
        {"features": 64, "units": 4, "rank": 1, "memory": 24},
        {"features": 3, "units": 30, "rank": 1, "memory": 5},
        {"features": 10, "units": 10, "rank": 1, "memory": 40},
    )
    for kind, (number, size) in product(("int8", "int16", "float32"), enumerate(sizes)):
        yield f"svdf {kind} {number}", svdf(kind, **size)
    cells: tuple[dict[str, Any], ...] = (
        {"steps": 3, "features": 8, "units": 12},
        {"steps": 6, "features": 30, "units": 4},
        {"steps": 1, "features": 12, "units": 20},
        {"steps": 4, "features": 5, "units": 6, "batch": 2},
        {"steps": 4, "features": 5, "units": 6, "batch": 2, "time_major": True},
    )
    for kind, (number, cell) in product(("int8", "int16", "float32"), enumerate(cells)):
        yield f"lstm {kind} {number}", lstm(kind, **cell)
