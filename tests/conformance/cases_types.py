"""Operators that change the type of elements."""

from __future__ import annotations

from itertools import product

import numpy as np

from tests.conformance.cases import Case, Settings, grid
from tests.runtime.kernels.test_cast import NUMBERS, SPECIAL, cast
from tests.runtime.kernels.test_quantize import FLOAT, dequantize, quantize
from tinyml_runtime.tensor import Array

I8, U8, I16, I32 = np.int8, np.uint8, np.int16, np.int32
PAIRS: dict[str, Settings] = {
    "finer": {"scales": (0.1, 0.013)},
    "coarser": {"scales": (0.01, 0.7)},
    "alike": {"scales": (0.1, 0.1)},
}
# What each type is quantized to; the scales suit 8 bits and are made finer for wider types.
TARGETS = {I8: (I8, U8, I16, I32), U8: (I8,), I16: (I8, I16, I32), I32: (I8, I16)}
FINER = {I8: 1.0, U8: 1.0, I16: 2.0**-8, I32: 2.0**-24}
POINTS = {I8: (-128, 0, 127), U8: (0, 128, 255), I16: (0, 300), I32: (0,)}


def _requantized() -> list[Case]:
    cases: list[Case] = []
    for source, targets in TARGETS.items():
        for target in targets:
            ways: dict[str, Settings] = {
                f"{name}, zero points {first} and {second}": {
                    "source": (source, pair["scales"][0] * FINER[source], first),
                    "output": (target, pair["scales"][1] * FINER[target], second),
                }
                for name, pair in PAIRS.items()
                for first, second in product(POINTS[source], POINTS[target])
            }
            cases += grid(quantize, ways, shape=((257,),))
    return cases


def _from_and_to_floats() -> list[Case]:
    outputs: dict[str, Settings] = {
        f"{kind.__name__} of scale {scale}, zero point {point}": {
            "source": FLOAT,
            "output": (kind, scale, point),
        }
        for kind, scale in ((I8, 0.02), (I8, 1.5), (I16, 1e-4), (I16, 0.3))
        for point in (POINTS[I8] if kind is I8 else (0, 300, -32768))
    }
    sources: dict[str, Settings] = {
        f"{kind.__name__} of scale {scale}, zero point {point}": {"source": (kind, scale, point)}
        for kind, scale in product((I8, U8, I16), (0.031, 1e-6))
        for point in POINTS[kind]
    }
    return [
        *grid(quantize, outputs, shape=((300,), ())),
        *grid(dequantize, sources, shape=((300,), (2, 7, 9))),
    ]


def _casts() -> list[Case]:
    special: Array = SPECIAL
    return [
        *(
            case
            for source in (*NUMBERS, np.bool_)
            for case in grid(
                cast,
                source=(source,),
                output=(*NUMBERS, np.bool_),
                shape=((3, 5, 7),),
                limits={0: (0, 100)},
            )
        ),
        *(
            case
            for source in (*NUMBERS[:4], np.bool_)
            for case in grid(
                cast, source=(source,), output=(*NUMBERS, np.bool_), note="whole range"
            )
        ),
        *grid(
            cast,
            source=(np.float32,),
            output=(*NUMBERS, np.bool_),
            shape=(special.shape,),
            given=[[special]],
        ),
    ]


CASES = [*_requantized(), *_from_and_to_floats(), *_casts()]
