"""Pooling and resizing of images."""

from __future__ import annotations

import numpy as np

from tests.conformance.cases import Case, Settings, grid
from tests.conformance.tolerances import sum_of
from tests.runtime.kernels.test_l2_pool import pool as l2_pool
from tests.runtime.kernels.test_pooling import LAYOUTS, pool
from tests.runtime.kernels.test_resize import SIZES, resize
from tests.support.single_op import constant
from tinyml_runtime.types import Activation, Padding
from tinyml_runtime.types import BuiltinOperator as Op

RELUS = (Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1)
KINDS = ("float32", "int8", "int16")
BOTH = (Op.AVERAGE_POOL_2D, Op.MAX_POOL_2D)
CORNERS: dict[str, Settings] = {
    "": {},
    "aligned corners": {"corners": True},
    "half-pixel centers": {"centers": True},
}
RESIZED = {name: {"before": before, "after": after} for name, (before, after) in SIZES.items()}


def _pools() -> list[Case]:
    small = {name: each for name, each in LAYOUTS.items() if "more than" not in name}
    large = {name: each for name, each in LAYOUTS.items() if "more than" in name}
    # A mean of 4,000 elements.
    close = sum_of(4225)
    return [
        *grid(pool, small, operator=BOTH, kind=KINDS),
        *grid(pool, large, operator=BOTH, kind=KINDS, tolerance=close),
        *grid(pool, operator=BOTH, kind=KINDS, activation=RELUS, taps=((2, 2), (3, 3))),
        *grid(
            pool,
            operator=BOTH,
            kind=("int8",),
            zero_point=(-128, 127, 3),
            activation=(Activation.NONE, *RELUS),
        ),
        *grid(pool, operator=BOTH, kind=("int16",), zero_point=(300,), activation=RELUS),
        *grid(
            l2_pool,
            taps=((3, 2), (1, 1), (7, 6)),
            strides=((1, 1), (2, 3)),
            padding=tuple(Padding),
        ),
        *grid(l2_pool, activation=RELUS),
        *grid(l2_pool, image=((1, 1, 1, 5), (3, 9, 2, 1)), taps=((1, 1),)),
    ]


def _resizes() -> list[Case]:
    nearest = {
        **CORNERS,
        "aligned corners and half-pixel centers": {"corners": True, "centers": True},
    }
    third: Settings = {"size": constant(np.array([6, 8, 9], np.int32))}
    return [
        *grid(resize, RESIZED, CORNERS, operator=(Op.RESIZE_BILINEAR,), kind=(np.float32, np.int8)),
        *grid(
            resize,
            RESIZED,
            nearest,
            operator=(Op.RESIZE_NEAREST_NEIGHBOR,),
            kind=(np.float32, np.int8, np.int16),
        ),
        *grid(
            resize,
            {"one channel": {"channels": 1}, "one image": {"batch": 1}},
            operator=(Op.RESIZE_BILINEAR, Op.RESIZE_NEAREST_NEIGHBOR),
        ),
        *grid(resize, {"a third size": third}, operator=(Op.RESIZE_BILINEAR,)),
    ]


CASES = [*_pools(), *_resizes()]
