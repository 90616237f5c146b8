"""Operators of one tensor, element by element."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tests.conformance.cases import Case, grid
from tests.conformance.tolerances import PROMISE, two_ulps
from tests.runtime.kernels.test_activations import unary as activation
from tests.runtime.kernels.test_elementwise import SPECIAL, unary
from tests.runtime.kernels.test_elu import elu
from tests.runtime.kernels.test_hard_swish import hard_swish
from tests.runtime.kernels.test_logistic import curve, floats
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator as Op

FUNCTIONS: dict[Op, Callable[[Array], Array]] = {
    Op.SIN: np.sin,
    Op.COS: np.cos,
    Op.LOG: np.log,
    Op.EXP: np.exp,
    Op.SQRT: np.sqrt,
    Op.RSQRT: lambda values: 1.0 / np.sqrt(values),
    Op.TANH: np.tanh,
    Op.LOGISTIC: lambda values: 1.0 / (1.0 + np.exp(-values)),
}
PLAIN = (Op.ABS, Op.SQUARE, Op.FLOOR, Op.CEIL, Op.ROUND, Op.NEG)
TRANSCENDENTAL = (Op.SIN, Op.COS, Op.LOG, Op.EXP, Op.SQRT, Op.RSQRT)
RANGES: dict[str, tuple[float, float]] = {
    "within 1": (-1.0, 1.0),
    "within 80": (-80.0, 80.0),
    "positive": (1e-3, 1e3),
    "tiny": (0.0, 1e-30),
}
EVERY8, EVERY16 = (256,), (65536,)
SHAPES = ((2, 3, 5), (7,), (), (1, 2, 3, 1, 4))
POINTS = {
    "no zero points": {"zero_points": (0, 0)},
    "zero points at the lower end": {"zero_points": (-128, -128)},
    "zero points at the upper end": {"zero_points": (127, 127)},
    "zero points at both ends": {"zero_points": (-128, 127)},
}
SCALES = {
    "one scale": {"scales": (0.1, 0.1)},
    "a finer output": {"scales": (0.1, 0.0123)},
    "a coarser output": {"scales": (0.1, 1.7)},
    "a far coarser output": {"scales": (0.001, 4.0)},
}
WIDE_SCALES = {
    "one scale": {"scales": (1e-3, 1e-3)},
    "a finer output": {"scales": (1e-3, 3.1e-4)},
    "a coarser output": {"scales": (2e-4, 1.3e-3)},
}
# A quotient of these scales has other bits in float32 than in float64.
ROUNDED = (0.16596315801143646, 0.17051522433757782)
RELUS = (Op.RELU, Op.RELU6)


def _floats() -> list[Case]:
    cases: list[Case] = []
    of = partial(unary, kind=np.float32)
    for operator in (*PLAIN, *TRANSCENDENTAL):
        function = FUNCTIONS.get(operator)
        row = partial(
            grid,
            of,
            operator=(operator,),
            tolerance=PROMISE if function is None else two_ulps(function),
        )
        cases += row(shape=SHAPES)
        cases += row(shape=((len(SPECIAL),),), note="special values", given=[[_special()]])
        for name, limits in RANGES.items():
            cases += row(shape=((500,),), note=name, limits={0: limits})
    return cases


def _special() -> Array:
    return np.array(SPECIAL, np.float32)


def _curves() -> list[Case]:
    cases: list[Case] = []
    for operator in (Op.LOGISTIC, Op.TANH):
        exactly = two_ulps(FUNCTIONS[operator])
        cases += grid(floats, operator=(operator,), shape=SHAPES, tolerance=exactly)
        for name, limits in RANGES.items():
            row: dict[str, Any] = {"limits": {0: limits}, "note": name, "tolerance": exactly}
            cases += grid(floats, operator=(operator,), shape=((500,),), **row)
        cases += grid(
            curve,
            operator=(operator,),
            kind=(np.int8,),
            scale=(1e-4, 0.02, 0.05, 0.1, 1.0, 40.0),
            zero_point=(-128, 0, 127),
        )
        cases += grid(
            curve,
            operator=(operator,),
            kind=(np.int16,),
            scale=(2**-12, 2**-11, 2**-13, 10 / 32768, 1e-3, 0.03, 1.0, 1e-7),
        )
    return cases


def _activations() -> list[Case]:
    no_scales: dict[str, Any] = {"kind": np.float32, "scales": (None, None)}
    wide: dict[str, Any] = {"kind": np.int16, "shape": EVERY16}
    every: dict[str, Any] = {"kind": np.int8, "shape": EVERY8}
    leaky = partial(activation, Op.LEAKY_RELU)
    return [
        *grid(partial(activation, **no_scales), operator=RELUS, shape=SHAPES),
        *grid(partial(activation, **every), SCALES, POINTS, operator=RELUS),
        *grid(partial(activation, **wide), WIDE_SCALES, operator=RELUS),
        *grid(
            partial(activation, **wide),
            operator=(Op.RELU6,),
            scales=((1e-3, 1e-3),),
            zero_points=((700, 0),),
        ),
        *grid(partial(leaky, **no_scales), shape=SHAPES, alpha=(0.2, 1.5, -0.3)),
        *grid(partial(leaky, **every), SCALES, POINTS, alpha=(0.2, -0.3)),
        *grid(partial(leaky, **every), alpha=(0.0, 1.0, 1.5, 1e-12)),
        *grid(partial(leaky, **wide), WIDE_SCALES, alpha=(0.2, 1.5, -0.3)),
        *grid(
            partial(leaky, **wide),
            {"scales that float32 rounds": {"scales": ROUNDED}},
            alpha=(0.4686397612094879,),
        ),
        *grid(
            partial(leaky, **wide), scales=((1e-3, 1.1e-3),), zero_points=((700, -9000), (-5, 3))
        ),
    ]


def _tables() -> list[Case]:
    return [
        *grid(unary, SCALES, POINTS, operator=(Op.ABS,), shape=(EVERY8,)),
        *grid(unary, WIDE_SCALES, operator=(Op.ABS,), kind=(np.int16,), shape=(EVERY16,)),
        *grid(unary, operator=(Op.ABS,), kind=(np.int16,), shape=(EVERY16,), note="without scales"),
        *grid(
            unary,
            operator=(Op.RSQRT,),
            scales=((0.05, 0.03), (0.001, 1.0), (3.0, 0.004)),
            zero_points=((-128, 0), (-128, -128), (-128, 127)),
            shape=(EVERY8,),
        ),
        *grid(
            unary,
            operator=(Op.RSQRT,),
            kind=(np.int16,),
            scales=((0.001, 0.01), (0.05, 0.0005), (1e-4, 1e-2)),
            shape=(EVERY16,),
            limits={0: (1, 32767)},
        ),
        *grid(elu, kind=(np.float32,), shape=SHAPES, tolerance=two_ulps(_elu)),
        *grid(elu, SCALES, POINTS),
        *grid(elu, scales=((0.0001, 0.00007), (3.0, 0.01))),
        *grid(hard_swish, kind=(np.float32,), shape=SHAPES),
        *grid(hard_swish, POINTS, scales=((0.05, 0.05), (0.03, 0.4), (1.5, 0.8), (0.0001, 0.0002))),
        *grid(hard_swish, scales=((0.03, 0.004), (30.0, 12.0), (1e-8, 1e-8), (1e-9, 1.0))),
    ]


def _elu(values: Array) -> Array:
    return np.where(values < 0, np.expm1(values), values)


CASES = [*_floats(), *_curves(), *_activations(), *_tables()]
