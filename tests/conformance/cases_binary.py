"""Operators of two tensors, element by element, and those of more: ADD_N, SELECT_V2, PRELU."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from tests.conformance.cases import Case, grid
from tests.runtime.kernels.test_add_n import add_n
from tests.runtime.kernels.test_arithmetic import (
    BROADCASTS,
    CLAMPS,
    NO_POINTS,
    NO_SCALES,
    PRODUCTS,
    SUMS,
    Triple,
    binary,
    with_constant,
)
from tests.runtime.kernels.test_comparisons import comparison
from tests.runtime.kernels.test_division import division
from tests.runtime.kernels.test_logical import negation, pair
from tests.runtime.kernels.test_prelu import prelu
from tests.runtime.kernels.test_select import select
from tests.runtime.kernels.test_squared_difference import squared_difference
from tests.support.single_op import SingleOp
from tinyml_runtime.types import BuiltinOperator as Op

F32, I8, I16, I32, I64 = np.float32, np.int8, np.int16, np.int32, np.int64
ARITHMETIC = (Op.ADD, Op.SUB, Op.MUL)
COMPARISONS = (Op.EQUAL, Op.NOT_EQUAL, Op.GREATER, Op.GREATER_EQUAL, Op.LESS, Op.LESS_EQUAL)
POINTS = {
    "no zero points": {"zero_points": (0, 0, 0)},
    "zero points at the lower end": {"zero_points": (-128, -128, -128)},
    "zero points at the upper end": {"zero_points": (127, 127, 127)},
    "zero points at both ends": {"zero_points": (-128, 127, -128)},
}
SHAPES = {
    "of one shape": {"shapes": ((3, 40), (3, 40))},
    "of a scalar": {"shapes": ((), (5,))},
    "of channels": {"shapes": ((2, 3, 4), (4,))},
    "both ways": {"shapes": ((2, 1, 4), (3, 1))},
    "of four dimensions": {"shapes": ((1,), (2, 3, 4, 5))},
}
EVERY_PAIR = ((256, 1), (256,))
# A product and a quotient of these scales have other bits in float32 than in float64.
ROUNDED: Triple = (0.0016915849409997463, 0.08894140273332596, 0.30170613527297974)
PLAIN: dict[str, Any] = {"scales": NO_SCALES, "zero_points": NO_POINTS}


def _wide(table: Mapping[str, Triple]) -> dict[str, Any]:
    return {name: {"scales": scales, "zero_points": NO_POINTS} for name, scales in table.items()}


def _broadcasts(**settings: Any) -> dict[str, Any]:
    return {f"of {name}": {"shapes": shapes, **settings} for name, shapes in BROADCASTS.items()}


def _constant_operand(position: int, **settings: Any) -> SingleOp:
    return with_constant(binary(**settings), position)


def _arithmetic() -> list[Case]:
    quantized = {"scales": (0.05, 0.03, 0.07), "zero_points": NO_POINTS}
    return [
        *grid(partial(binary, **PLAIN), operator=ARITHMETIC, kind=(F32, I32), activation=CLAMPS),
        *grid(partial(binary, **quantized), operator=ARITHMETIC, kind=(I8, I16), activation=CLAMPS),
        *grid(binary, _wide(SUMS), operator=(Op.ADD, Op.SUB), kind=(I8, I16)),
        *grid(binary, _wide(PRODUCTS), operator=(Op.MUL,), kind=(I8, I16)),
        *grid(
            binary,
            {"scales that float32 rounds": {"scales": ROUNDED, "zero_points": NO_POINTS}},
            operator=(Op.MUL,),
            kind=(I16,),
            shapes=(((4000,),) * 3,),
        ),
        *grid(binary, POINTS, operator=ARITHMETIC, kind=(I8,)),
        *grid(
            binary,
            operator=(Op.ADD, Op.SUB),
            kind=(I16,),
            zero_points=((-32768, 32767, 9), (5, -7, 0)),
        ),
        *grid(binary, _broadcasts(**PLAIN), operator=ARITHMETIC, kind=(F32, I32)),
        *grid(binary, _broadcasts(**quantized), operator=ARITHMETIC, kind=(I8, I16)),
        *grid(
            _constant_operand,
            _broadcasts(**quantized),
            operator=ARITHMETIC,
            kind=(I8,),
            position=(0, 1),
        ),
        *grid(
            _constant_operand,
            _broadcasts(**PLAIN),
            operator=ARITHMETIC,
            kind=(F32, I32),
            position=(1,),
        ),
        *grid(
            binary,
            _broadcasts(**PLAIN),
            operator=(Op.MAXIMUM, Op.MINIMUM),
            kind=(F32, I8, I16, I32, I64),
        ),
    ]


def _divisions() -> list[Case]:
    # A divisor of 0 is undefined in C.
    above_0 = {1: (1, 9)}
    quotients = {
        "like scales": {"scales": (0.1, 0.1, 0.1)},
        "a finer output": {"scales": (0.1, 0.05, 0.01)},
        "a coarser output": {"scales": (0.01, 0.3, 2.0)},
    }
    floats = (Op.DIV, Op.FLOOR_DIV, Op.FLOOR_MOD)
    return [
        *grid(division, SHAPES, operator=floats, kind=(F32,), limits={1: (0.1, 3.0)}),
        *grid(
            division, operator=floats, kind=(F32,), limits={1: (-3.0, -0.1)}, note="by negatives"
        ),
        *grid(division, kind=(F32,), activation=CLAMPS[1:]),
        *grid(division, SHAPES, kind=(I32,), limits=above_0),
        *grid(division, kind=(I32,), activation=CLAMPS[1:], limits=above_0),
        *grid(division, SHAPES, quotients, limits={1: (1, 127)}),
        *grid(division, quotients, shapes=(EVERY_PAIR,), zero_points=((3, -128, 5),)),
        *grid(division, activation=CLAMPS[1:], zero_points=((3, -4, 5),)),
    ]


def _squared_differences() -> list[Case]:
    scales = {
        "like scales": {"scales": (0.05, 0.04, 0.1)},
        "a far finer output": {"scales": (0.9, 0.01, 1e-4)},
        "a far coarser output": {"scales": (0.001, 0.01, 5.0)},
    }
    wide = (1e-4, 3e-4, 1e-3), (1.0, 1.0, 1.0)
    return [
        *grid(squared_difference, SHAPES, kind=(F32, I32, I8, I16)),
        *grid(squared_difference, scales, POINTS, shapes=(EVERY_PAIR,)),
        *grid(squared_difference, kind=(I16,), scales=wide, shapes=(((30, 40), (30, 40)),)),
    ]


def _comparisons() -> list[Case]:
    scales = {
        "one scale": {"scales": (0.05, 0.05)},
        "two scales": {"scales": (0.05, 0.013)},
        "a scale that makes neighbours equal": {"scales": (1e-3, 1e-3)},
        "scales near 1 and near 0": {"scales": (0.999, 1e-8)},
    }
    points = {name: {"zero_points": each["zero_points"][:2]} for name, each in POINTS.items()}
    few = {0: (-2, 2), 1: (-2, 2)}
    return [
        *grid(comparison, SHAPES, operator=COMPARISONS, kind=(F32, I32, I64)),
        *grid(
            comparison, operator=COMPARISONS, kind=(F32, I32, I64), limits=few, note="few values"
        ),
        *grid(comparison, SHAPES, operator=(Op.EQUAL, Op.NOT_EQUAL), kind=(np.bool_,)),
        *grid(comparison, scales, points, operator=COMPARISONS, shapes=(EVERY_PAIR,)),
        *grid(comparison, SHAPES, operator=(Op.GREATER,), kind=(I16,)),
    ]


def _others() -> list[Case]:
    pairs = ((3, 40), (3, 40)), ((2, 1, 5), (3, 1)), ((), (2, 3)), ((4,), (2, 3, 4))
    logical = {f"of {a} and {b}": {"first": a, "second": b} for a, b in pairs}
    choices = {
        "of one shape": {},
        "of channels": {"condition": (4, 30), "first": (4, 30), "second": (30,)},
        "all broadcast": {"condition": (3, 1), "first": (2, 1, 4), "second": (4,)},
        "one condition": {"condition": (1,), "first": (2, 3, 4), "second": (2, 3, 4)},
        "two scalars": {"condition": (2, 3), "first": (), "second": ()},
    }
    slopes = {
        "an alpha for each channel": {},
        "one alpha": {"slopes": (1,)},
        "an alpha for each row": {"slopes": (3, 1, 1)},
        "an alpha that is fed": {"feeds_alpha": True},
        "alphas of the input's shape": {"shape": (3, 5), "slopes": (3, 5)},
    }
    sums = {"scales": (0.05, 0.1)}, {"scales": (0.001, 4.0)}, {"scales": (1.0, 0.0001)}
    return [
        *grid(pair, logical, operator=(Op.LOGICAL_AND, Op.LOGICAL_OR)),
        *grid(negation),
        *grid(select, choices, kind=(F32, I8, I16)),
        *grid(prelu, slopes, kind=(F32, I8, I16)),
        *grid(prelu, POINTS, scales=((0.05, 0.01, 0.04), (0.5, 0.01, 0.003), (0.001, 0.01, 4.0))),
        *grid(
            prelu,
            kind=(I16,),
            zero_points=((300, -5, -1000),),
            scales=((1e-3, 0.1, 2e-4), (1e-3, 0.01, 1e-2)),
        ),
        *grid(add_n, count=(2, 3, 7), kind=(F32,), shape=((2, 3, 5), (), (40,))),
        *grid(
            add_n,
            {f"scales {each['scales']}": each for each in sums},
            count=(2, 3, 7),
            zero_points=((0, 0), (-128, -128), (127, 127), (50, -20)),
        ),
        *grid(add_n, count=(40,), scales=((0.05, 0.9),), zero_points=((-128, 0),)),
    ]


CASES = [
    *_arithmetic(),
    *_divisions(),
    *_squared_differences(),
    *_comparisons(),
    *_others(),
]
