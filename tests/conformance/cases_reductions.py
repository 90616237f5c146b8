"""Reductions along axes, and functions of whole rows: softmax, norms, sums so far."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tests.conformance.cases import Case, Settings, grid
from tests.conformance.tolerances import sum_of
from tests.runtime.kernels.test_arg_min_max import arg
from tests.runtime.kernels.test_cumsum import cumsum
from tests.runtime.kernels.test_l2_normalization import normalization
from tests.runtime.kernels.test_log_softmax import SCALES as LOG_SCALES
from tests.runtime.kernels.test_log_softmax import log_softmax
from tests.runtime.kernels.test_reduce import mean
from tests.runtime.kernels.test_reductions import AXES, reduction
from tests.runtime.kernels.test_softmax import KINDS as SOFTMAX_KINDS
from tests.runtime.kernels.test_softmax import SHAPES as SOFTMAX_SHAPES
from tests.runtime.kernels.test_softmax import softmax
from tests.support.single_op import SingleOp
from tinyml_runtime.model.options import ArgMaxOptions, ArgMinOptions
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.types import TensorType

F32, I8, I16 = np.float32, np.int8, np.int16
BOOLS = (False, True)
SCALES: dict[str, Settings] = {
    "a larger input scale": {"scales": (2.0, 0.03)},
    "a smaller input scale": {"scales": (0.003, 3.0)},
    "a far larger input scale": {"scales": (30.0, 1e-3)},
}
NONE = (0, 0)
POINTS = ((-128, -128), (127, 127), NONE)
ARG_OPTIONS: dict[Op, Any] = {
    Op.ARG_MAX: ArgMaxOptions(TensorType.INT32),
    Op.ARG_MIN: ArgMinOptions(TensorType.INT32),
}


def _arg(operator: Op, **settings: Any) -> SingleOp:
    return replace(arg(operator, **settings), options=ARG_OPTIONS[operator])


def _reductions() -> list[Case]:
    shapes: dict[str, Settings] = {
        "an axis of 1": {"axes": (1,), "shape": (4, 1, 3)},
        "one dimension": {"axes": (0,), "shape": (40,)},
        "many elements": {"axes": (1, 2), "shape": (1, 60, 50, 3)},
        "five dimensions": {"axes": (0, 2, 4), "shape": (2, 3, 2, 3, 2)},
    }
    close = sum_of(3000)
    summed = partial(reduction, Op.SUM)
    return [
        *grid(mean, kind=(F32, I8), axes=AXES, keep_dims=BOOLS),
        *grid(mean, kind=(I16,), axes=AXES, keep_dims=BOOLS, zero_points=(NONE,)),
        *grid(mean, shapes, kind=(F32, I8), tolerance=close),
        *grid(mean, shapes, kind=(I16,), zero_points=(NONE,)),
        *grid(mean, SCALES, kind=(I8, I16), zero_points=(NONE, (-7, 12))),
        *grid(mean, kind=(I8,), zero_points=POINTS),
        *grid(summed, kind=(F32, I8), axes=AXES, keep_dims=BOOLS, tolerance=sum_of(200)),
        *grid(summed, kind=(I16,), axes=AXES, keep_dims=BOOLS, zero_points=(NONE,)),
        *grid(summed, shapes, kind=(F32, I8), tolerance=sum_of(30000)),
        *grid(summed, shapes, kind=(I16,), zero_points=(NONE,)),
        *grid(summed, SCALES, kind=(I8, I16), zero_points=(NONE, (-7, 12))),
        *grid(summed, kind=(I8,), zero_points=POINTS),
        *grid(
            reduction,
            operator=(Op.REDUCE_MAX, Op.REDUCE_MIN),
            kind=(F32, I8),
            axes=AXES,
            keep_dims=BOOLS,
        ),
        *grid(reduction, operator=(Op.REDUCE_ALL,), kind=(np.bool_,), axes=AXES, keep_dims=BOOLS),
        *grid(
            _arg, operator=(Op.ARG_MAX, Op.ARG_MIN), kind=(F32, I8), axis=(0, 1, 2, -1, -3)
        ),
        *grid(
            _arg,
            operator=(Op.ARG_MAX, Op.ARG_MIN),
            kind=(F32, I8),
            axis=(1,),
            shape=((3, 1000), (4, 1, 3)),
            limits={0: (-3, 3)},
            note="equal elements",
        ),
    ]  # fmt: skip


def _sums_so_far() -> list[Case]:
    return [
        *grid(cumsum, kind=(F32, I8), axis=(0, 1, -1), exclusive=BOOLS, reverse=BOOLS),
        *grid(cumsum, SCALES),
        *grid(cumsum, zero_points=POINTS),
        *grid(cumsum, kind=(F32, I8), axis=(0,), shape=((7,),)),
    ]


def _rows() -> list[Case]:
    shapes = {name: {"shape": shape} for name, shape in SOFTMAX_SHAPES.items()}
    norms = ((2, 3, 10), (10,), (1, 128), (50, 1), (2, 3, 4, 5))
    quantized = [kind for kind in SOFTMAX_KINDS if kind != "float32"]
    close = sum_of(100)
    return [
        *_named(softmax, shapes, tuple(SOFTMAX_KINDS), beta=(1.0, 0.3, 2.0)),
        *_named(softmax, {"": {}}, tuple(quantized), scale=(1e-6, 0.001, 0.5, 30.0)),
        *_named(softmax, {"": {}}, tuple(quantized[:2]), zero_point=(-128, -77, 127)),
        *grid(log_softmax, kind=(F32, I8), shape=((10,), (5, 1), (20, 30), (2, 3, 4)),
              tolerance=close),
        *grid(log_softmax, scale=LOG_SCALES, zero_point=(0, -77, 127)),
        *grid(normalization, kind=(F32, I8), shape=norms, tolerance=close),
        *grid(normalization, zero_point=(-128, 5, 127), shape=norms[:2]),
    ]  # fmt: skip


def _named(make: Any, shapes: Any, kinds: tuple[str, ...], **values: Any) -> list[Case]:
    return [case for kind in kinds for case in grid(partial(make, kind), shapes, **values)]


CASES = [*_reductions(), *_sums_so_far(), *_rows()]
