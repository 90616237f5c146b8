"""LOGISTIC, TANH: of int8 a fixed-point curve, which has an end on either side.

How many elements lie beyond the ends depends on the values. Where these are not known, all are
taken as equally frequent.

Source    tflite-micro `lite/kernels/internal/reference/integer_ops/{logistic,tanh}.h`,
          `lite/micro/kernels/logistic_common.cc`
"""

from __future__ import annotations

from math import frexp

import numpy as np

from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import CountLoops, LoopWork, WorkContext, Workload, operand

_INPUT_BITS = 4
_VALUES = np.arange(-128, 128)


def _count(name: str) -> CountLoops:
    def count(context: WorkContext, node: Node) -> Workload:
        source = operand(context.input(node, 0))
        kind = f"{name}_{source.type.name.lower()}"
        beyond = 0.0
        if source.type is TensorType.INT8:
            values = context.values(node, 0)
            beyond = source.size * _share_beyond(source, _VALUES if values is None else values)
        return (
            LoopWork(f"{kind}.call", entries=1),
            LoopWork(f"{kind}.dimension", trips=len(source.shape)),
            LoopWork(f"{kind}.element", trips=source.size - beyond),
            LoopWork(f"{kind}.beyond", trips=beyond),
        )

    return count


def _share_beyond(source: Tensor, values: Array) -> float:
    """The share of values of int8 that lie at an end of the curve or beyond it."""
    shift = frexp(source.scale * 2.0 ** (31 - _INPUT_BITS))[1]
    radius = int((2**_INPUT_BITS - 1) * 2.0 ** (31 - _INPUT_BITS - shift))
    distances = np.abs(values.astype(np.int64) - source.zero_point)
    return int(np.count_nonzero(distances >= radius)) / max(1, values.size)


LOGISTIC = _count("logistic")
TANH = _count("tanh")
