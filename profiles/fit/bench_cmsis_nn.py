"""More models of one operator, whose shapes tell the loops of CMSIS-NN's kernels from each other.

Kernels take rows by twos and fours, and elements by blocks of 16 and 4: whether a piece of code
costs much once, or little often, shows in remainders, odd numbers of rows, strides, paddings and
groups. Public models have few of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from tests.runtime.kernels.test_arithmetic import binary
from tests.runtime.kernels.test_batch_matmul import matmul
from tests.runtime.kernels.test_lstm import INT16, lstm
from tests.runtime.kernels.test_pad import pad
from tests.runtime.kernels.test_pooling import pool
from tests.runtime.kernels.test_shapes import transpose
from tests.runtime.kernels.test_softmax import TO_INT8, TO_INT16, WIDE, softmax
from tests.runtime.kernels.test_svdf import svdf
from tests.runtime.kernels.test_transpose_conv import transpose_conv
from tests.support.layers import conv, dense, depthwise
from tests.support.single_op import SingleOp
from tinyml_runtime.types import BuiltinOperator, Padding

Settings = dict[str, Any]
Named = Iterator[tuple[str, SingleOp]]
ADD, MUL = BuiltinOperator.ADD, BuiltinOperator.MUL
MAXIMUM = BuiltinOperator.MAXIMUM
AVERAGE, MAX = BuiltinOperator.AVERAGE_POOL_2D, BuiltinOperator.MAX_POOL_2D
VALID = Padding.VALID

CONVOLUTIONS: tuple[Settings, ...] = (
    {"image": (1, 9, 7, 3), "filters": 8},
    {"image": (1, 9, 7, 3), "filters": 5, "strides": (2, 2)},
    {"image": (1, 12, 10, 1), "filters": 7, "taps": (5, 3)},
    {"image": (1, 12, 10, 2), "filters": 6, "taps": (4, 4), "strides": (2, 1)},
    {"image": (1, 7, 7, 5), "filters": 9},
    {"image": (1, 8, 8, 4), "filters": 4, "padding": VALID},
    {"image": (1, 8, 8, 8), "filters": 12, "padding": VALID},
    {"image": (1, 5, 5, 16), "filters": 3},
    {"image": (1, 5, 6, 24), "filters": 10, "taps": (2, 2)},
    {"image": (1, 5, 5, 68), "filters": 4, "taps": (3, 1)},
    {"image": (2, 5, 5, 7), "filters": 3, "taps": (3, 2), "padding": VALID},
    {"image": (1, 9, 9, 6), "filters": 4, "dilations": (2, 2)},
    {"image": (1, 7, 7, 8), "filters": 8, "groups": 2},
    {"image": (1, 6, 7, 12), "filters": 9, "groups": 3, "padding": VALID},
    {"image": (1, 5, 5, 6), "filters": 6, "groups": 2, "taps": (3, 2)},
    {"image": (1, 1, 40, 8), "filters": 8, "taps": (1, 5)},
    {"image": (1, 1, 37, 12), "filters": 5, "taps": (1, 3), "strides": (1, 2)},
    {"image": (1, 1, 30, 16), "filters": 7, "taps": (1, 4), "padding": VALID},
    {"image": (1, 1, 33, 3), "filters": 6, "taps": (1, 5)},
    {"image": (1, 49, 10, 1), "filters": 64, "taps": (10, 4), "strides": (2, 2)},
    {"image": (1, 16, 16, 3), "filters": 16, "strides": (2, 2), "bias": "none"},
    {"image": (1, 5, 5, 16), "filters": 16, "out_scale": 0.0004},
)
POINTWISE: tuple[Settings, ...] = tuple(
    {"image": image, "filters": filters, "taps": (1, 1), "strides": strides}
    for image, filters, strides in (
        ((1, 4, 4, 8), 8, (1, 1)),
        ((1, 5, 5, 8), 16, (1, 1)),
        ((1, 5, 5, 16), 7, (1, 1)),
        ((1, 3, 3, 64), 32, (1, 1)),
        ((1, 3, 4, 35), 6, (1, 1)),
        ((1, 1, 1, 100), 21, (1, 1)),
        ((1, 7, 7, 3), 3, (1, 1)),
        ((1, 6, 2, 18), 2, (1, 1)),
        ((1, 9, 1, 23), 9, (1, 1)),
        ((1, 10, 10, 1), 4, (1, 1)),
        ((1, 8, 8, 16), 8, (2, 2)),
        ((1, 9, 9, 5), 5, (2, 2)),
        ((2, 5, 7, 12), 6, (1, 3)),
    )
)
DEPTHWISE: tuple[Settings, ...] = (
    {"image": (1, 8, 8, 8)},
    {"image": (1, 9, 7, 3)},
    {"image": (1, 9, 7, 13), "strides": (2, 2)},
    {"image": (1, 6, 6, 64), "strides": (2, 1)},
    {"image": (1, 5, 5, 130)},
    {"image": (1, 7, 9, 6), "padding": VALID},
    {"image": (1, 4, 4, 260), "strides": (2, 2)},
    {"image": (1, 3, 3, 16)},
    {"image": (1, 9, 9, 8), "taps": (5, 5)},
    {"image": (1, 12, 6, 7), "taps": (5, 3), "strides": (2, 1)},
    {"image": (1, 9, 9, 16), "taps": (4, 4), "padding": VALID},
    {"image": (1, 25, 5, 12), "taps": (10, 4)},
    {"image": (1, 6, 6, 133), "taps": (2, 2)},
    {"image": (1, 30, 1, 9), "taps": (7, 1)},
    {"image": (1, 9, 9, 8), "dilations": (2, 2)},
    {"image": (1, 9, 8, 5), "dilations": (2, 1), "taps": (2, 3)},
    {"image": (2, 5, 5, 6)},
    {"image": (1, 6, 6, 4), "multiplier": 2},
    {"image": (1, 6, 6, 3), "multiplier": 3, "taps": (2, 2), "padding": VALID},
    {"image": (1, 8, 8, 1), "multiplier": 8},
    {"image": (1, 16, 10, 1), "multiplier": 8, "taps": (10, 8), "strides": (2, 2)},
    {"image": (1, 6, 6, 1), "multiplier": 3, "taps": (3, 3)},
    {"image": (1, 6, 6, 3), "multiplier": 4, "taps": (3, 2)},
    {"image": (1, 6, 6, 2), "multiplier": 12, "taps": (3, 3), "padding": VALID},
    {"image": (1, 7, 7, 8), "bias": "none"},
)
DENSE: tuple[Settings, ...] = (
    *(
        {"depth": depth, "units": units}
        for depth, units in ((8, 4), (9, 5), (64, 10), (100, 3), (3, 1), (250, 12), (33, 33))
    ),
    {"depth": 70, "units": 7, "lead": (3,)},
    {"depth": 16, "units": 6, "bias": "none"},
    *(
        {"depth": depth, "units": units, "per_channel": True}
        for depth, units in ((8, 4), (43, 9), (130, 21), (18, 1))
    ),
    {"depth": 40, "units": 9, "weights_zero_point": 3},
    {"depth": 13, "units": 4, "weights_zero_point": 3},
    {"depth": 16, "units": 6, "lead": (1, 5)},
    {"depth": 40, "units": 11, "lead": (1, 2, 4)},
    {"depth": 20, "units": 3, "lead": (2, 3), "per_channel": True},
    {"depth": 13, "units": 4, "lead": (2, 3)},
)
INT16_BY_DEPTH: Settings = {
    "kind": "int16",
    "bias": "int64",
    "out_scale": 0.5,
    "zero_points": (0, 0),
}
INT4: Settings = {"weights": "int4"}


def cmsis_nn_cases() -> Named:
    """All of them, with a name."""
    families: dict[str, Iterator[SingleOp]] = {
        "conv": (conv(**each) for each in (*CONVOLUTIONS, *POINTWISE)),
        "depthwise": (depthwise(**each) for each in DEPTHWISE),
        "dense": (dense(**each) for each in DENSE),
        "conv16": _conv16(),
        "depthwise16": (depthwise(**{**each, **INT16_BY_DEPTH}) for each in DEPTHWISE[::3]),
        "dense16": (dense(**{**each, **INT16_BY_DEPTH}) for each in DENSE[:8]),
        "conv4": (conv(**{**each, **INT4}) for each in (*CONVOLUTIONS[::4], *POINTWISE[::3])),
        "depthwise4": (depthwise(**{**each, **INT4}) for each in DEPTHWISE[::3]),
        "dense4": (dense(**{**each, **INT4}) for each in DENSE[:8]),
        "elementwise": _elementwise(),
        "pool": _pools(),
        "softmax": _softmaxes(),
        "recurrent": _recurrent(),
        "movement": _movement(),
        "matmul": _matmuls(),
        "transpose_conv": _transposed(),
    }
    for family, cases in families.items():
        for number, case in enumerate(cases):
            yield f"cmsis-nn {family} {number}", case


def _conv16() -> Iterator[SingleOp]:
    for bias, each in product(("int64", "int32"), (*CONVOLUTIONS[:11:2], *POINTWISE[::3])):
        settings: Settings = {**each, **INT16_BY_DEPTH, "bias": bias}
        yield conv(**settings)
    # Sums over more than 512 products are kept in 64 bits.
    for image, filters in (((1, 4, 4, 70), 5), ((1, 3, 3, 60), 4), ((1, 5, 5, 120), 3)):
        yield conv(**INT16_BY_DEPTH, image=image, filters=filters)


def _elementwise() -> Iterator[SingleOp]:
    shapes = ((1, 5), (1, 16), (1, 7, 9, 5), (1, 8, 8, 16), (3,))
    for operator, kind, shape in product((ADD, MUL), (np.int8, np.int16), shapes):
        points = (0, 0, 0) if kind is np.int16 else (3, -4, 5)
        scales = (0.05, 0.03, 0.7)
        yield binary(operator, kind, scales, points, (shape, shape, shape))
    for shape in (*shapes[:3], (1, 4, 4, 40)):
        yield binary(MAXIMUM, np.int8, (0.05, 0.05, 0.05), (0, 0, 0), (shape, shape, shape))
        yield binary(MAXIMUM, np.int8, (0.05, 0.05, 0.05), (0, 0, 0), (shape, (1,), shape))
    row = (1, 1, 1, 8)
    yield binary(MAXIMUM, np.int8, (0.05, 0.05, 0.05), (0, 0, 0), ((1, 3, 4, 8), row, (1, 3, 4, 8)))


def _pools() -> Iterator[SingleOp]:
    cases: tuple[Settings, ...] = (
        {"image": (1, 8, 8, 8), "strides": (2, 2)},
        {"image": (1, 9, 7, 3), "taps": (3, 3), "padding": Padding.SAME},
        {"image": (1, 6, 6, 37), "taps": (3, 2), "strides": (2, 1)},
        {"image": (1, 5, 5, 64), "taps": (5, 5)},
        {"image": (1, 7, 7, 16), "taps": (3, 3), "strides": (2, 2), "padding": Padding.SAME},
        {"image": (2, 4, 4, 5), "taps": (2, 2)},
        {"image": (1, 12, 1, 20), "taps": (4, 1), "strides": (4, 1)},
    )
    for operator, kind, each in product((AVERAGE, MAX), ("int8", "int16"), cases):
        yield pool(operator, kind, **each)


def _softmaxes() -> Iterator[SingleOp]:
    # All exponentials are taken, or only the maximum's: which, does not depend on the values.
    for shape, scale in product(((1, 12), (3, 11), (1, 2), (10, 4), (1, 100)), (0.02, 0.05, 20.0)):
        yield softmax(TO_INT8, shape, scale=scale)
    for kind, shape in product((TO_INT16, WIDE), ((1, 12), (3, 11), (10, 4))):
        yield softmax(kind, shape)


def _recurrent() -> Iterator[SingleOp]:
    sizes: tuple[Settings, ...] = (
        {"features": 40, "units": 12, "rank": 1, "memory": 8},
        {"features": 13, "units": 5, "rank": 3, "memory": 5},
        {"features": 64, "units": 16, "rank": 2, "memory": 10},
        {"features": 7, "units": 9, "rank": 1, "memory": 17},
        {"features": 20, "units": 3, "rank": 2, "memory": 32, "batch": 2},
        {"features": 33, "units": 8, "rank": 4, "memory": 3},
        {"features": 16, "units": 24, "rank": 1, "memory": 8},
        {"features": 32, "units": 10, "rank": 2, "memory": 12},
    )
    for kind, each in product(("int16", "int8"), sizes):
        yield svdf(kind, **each)
    for each in sizes[:3]:
        # The features are scaled up.
        yield svdf("int16", **each, state_scale=0.0001)
    steps: tuple[Settings, ...] = (
        {"steps": 4, "features": 8, "units": 12},
        {"steps": 1, "features": 21, "units": 9},
        {"steps": 7, "features": 28, "units": 20, "time_major": True},
        {"steps": 3, "features": 5, "units": 6, "batch": 2},
        {"steps": 3, "features": 35, "units": 6, "batch": 2, "time_major": True},
    )
    for each in steps:
        yield lstm("int8", **each)
        yield lstm(**{**INT16, **each})
    for each in steps[:3]:
        # Products are scaled down.
        yield lstm("int8", **each, weight_scale=0.001)
        settings: Settings = {**INT16, **each, "weight_scale": 0.00003}
        yield lstm(**settings)


def _movement() -> Iterator[SingleOp]:
    paddings = (
        ((1, 2, 3, 2), ((0, 0), (1, 2), (2, 0), (0, 0))),
        ((1, 8, 8, 16), ((0, 0), (1, 1), (1, 1), (0, 0))),
        ((1, 9, 7, 3), ((0, 0), (0, 1), (0, 1), (0, 0))),
        ((1, 4, 4, 5), ((0, 0), (0, 0), (0, 0), (1, 2))),
        ((1, 6, 6, 8), ((0, 0), (0, 0), (0, 0), (4, 4))),
        ((2, 3, 4, 6), ((1, 0), (2, 0), (0, 3), (0, 0))),
        ((1, 30, 1, 40), ((0, 0), (2, 0), (0, 0), (0, 0))),
        ((12, 10), ((0, 0), (1, 1))),
    )
    for shape, each in paddings:
        yield pad(shape, each)
    orders = (
        ((1, 0), (12, 10)),
        ((1, 0), (5, 33)),
        ((0, 2, 1), (3, 5, 8)),
        ((0, 3, 1, 2), (1, 4, 6, 8)),
        ((0, 1, 3, 2), (1, 4, 6, 9)),
        ((0, 1, 3, 2), (2, 3, 20, 5)),
    )
    for axes, shape in orders:
        yield transpose(axes, shape)


def _matmuls() -> Iterator[SingleOp]:
    cases = ((2, 3, 5, 4), (1, 4, 16, 8), (1, 7, 33, 9), (4, 2, 20, 3))
    for kind, (batch, rows, depth, columns) in product((np.int8, np.int16), cases):
        left, turned = (batch, rows, depth), (batch, columns, depth)
        after = (batch, rows, columns)
        yield matmul(left, turned, after, kind, (False, True))
        yield matmul(left, (batch, depth, columns), after, kind)


def _transposed() -> Iterator[SingleOp]:
    cases: tuple[Settings, ...] = (
        {},
        {"image": (1, 4, 4, 8), "filters": 6},
        {"image": (1, 5, 7, 13), "filters": 3, "taps": (4, 4)},
        {"image": (1, 3, 9, 20), "filters": 4, "strides": (3, 3)},
        {"image": (1, 4, 4, 20), "filters": 8},
        {"image": (1, 5, 5, 33), "filters": 5, "taps": (2, 2)},
        {"image": (1, 4, 3, 24), "filters": 7, "strides": (1, 1)},
        {"image": (1, 4, 4, 8), "filters": 4, "padding": VALID, "bias": None},
    )
    for each in cases:
        yield transpose_conv(**each)
