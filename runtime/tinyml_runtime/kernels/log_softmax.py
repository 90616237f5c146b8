"""LOG_SOFTMAX: log(exp(x) / sum of exp) along the last axis.

Shapes    input [..., depth] -> output of the same shape
Types     float32; int8 with scales; input and output alike
Units     real = scale * (stored - zero point); int8 outputs have scale 1/16 and zero point 127
Source    tflite-micro `micro/kernels/log_softmax.cc`,
          `lite/kernels/internal/reference/log_softmax.h`, `lite/kernels/internal/common.h`,
          `quantization_util.cc`

int8 inputs are taken by their distance to the largest of the row, of which there are 256.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MIN,
    FixedPoint,
    multiply_by_quantized_multiplier,
    quantize_multiplier_above_one,
    quantize_multiplier_below_one,
    rounding_divide_by_pot,
    rounds_once,
    wrap_int32,
)
from tinyml_runtime.kernels.fixed_point_functions import logarithm
from tinyml_runtime.kernels.gemmlowp_functions import exp_on_negative_values
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT = 0
OUTPUT = 0

_INPUT_BITS, _SUM_BITS, _OUTPUT_BITS = 5, 12, 4
_OUTPUT_SCALE, _OUTPUT_ZERO_POINT = 16.0 / 256.0, 127
_LOWEST_FLOAT = np.finfo(np.float32).min


@dataclass(frozen=True, slots=True)
class DistanceTables:
    """By the distance to the largest of the row: the rescaled distance and its exponential.

    Distances that are too large for a sum, as TFLM sees it, have an exponential of 0. `inverse`
    takes rescaled distances back to distances, of which the first `reach` are looked at.
    """

    distances: Array
    exponentials: Array
    inverse: FixedPoint
    reach: int


@dataclass(frozen=True, slots=True)
class LogSoftmaxData:
    """What `prepare` settles; `tables` is None for float32."""

    depth: int
    tables: DistanceTables | None
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> LogSoftmaxData:
    """Check the operands; tabulate exponentials for int8."""
    check_counts(node, (1,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    kind = source.type
    check(
        kind in (TensorType.FLOAT32, TensorType.INT8),
        f"LOG_SOFTMAX only supports float32, int8, got {kind.name}.",
    )
    check_same_type(output, "the output", source)
    check_shape(output, "the output", source.shape)
    check(source.size > 0, "the input has no elements")
    *_, depth = source.shape or (0,)
    check(depth > 0, "the input is a scalar")
    tables = None
    if kind is TensorType.INT8:
        check(
            (output.scale, output.zero_point) == (_OUTPUT_SCALE, _OUTPUT_ZERO_POINT),
            f"the output has scale {output.scale:g} and zero point {output.zero_point}, "
            "it must have 0.0625 and 127",
        )
        tables = _distance_tables(source)
    return LogSoftmaxData(depth, tables, not source.is_constant)


def evaluate(context: EvalContext, node: Node, data: LogSoftmaxData) -> None:
    """Subtract the largest and the logarithm of the sum of exponentials, row by row."""
    rows = context.input(node, INPUT).values.reshape(-1, data.depth)
    out = context.output(node, OUTPUT).values.reshape(-1, data.depth)
    if data.tables is None:
        _evaluate_float(rows, out)
    else:
        _evaluate_int8(rows, out, data.tables)


def _evaluate_float(rows: Array, out: Array) -> None:
    largest = np.fmax.reduce(rows, axis=1, keepdims=True, initial=_LOWEST_FLOAT)
    np.subtract(rows, largest, out=out)
    exponentials = np.exp(out.astype(np.float64)).astype(np.float32)
    # Summed one after another as TFLM does; NumPy's `reduce` would add pairs.
    sums = np.add.accumulate(exponentials, axis=1)[:, -1:]
    out -= np.log(sums.astype(np.float64)).astype(np.float32)


def _evaluate_int8(rows: Array, out: Array, tables: DistanceTables) -> None:
    # In 8 bits without a sign the difference is the distance, whatever the signs were.
    distances = rows.max(axis=1, keepdims=True).view(np.uint8) - rows.view(np.uint8)
    sums = wrap_int32(tables.exponentials.take(distances).sum(axis=1, keepdims=True))
    logarithms = logarithm(sums.item() if sums.size == 1 else sums, _SUM_BITS, _INPUT_BITS)
    lowest = multiply_by_quantized_multiplier(
        wrap_int32(logarithms + INT32_MIN), tables.inverse.multiplier, tables.inverse.shift
    )
    reach = np.minimum(tables.reach + 1, -lowest)
    results = wrap_int32(tables.distances.take(distances) - logarithms)
    steps = rounding_divide_by_pot(results, 31 - _INPUT_BITS - _OUTPUT_BITS) + _OUTPUT_ZERO_POINT
    np.copyto(out, np.where(distances < reach, np.clip(steps, -128, 127), -128), casting="unsafe")


def _distance_tables(source: Tensor) -> DistanceTables:
    largest = (2.0**30 if rounds_once() else 2.0**31) - 1.0
    real = min(source.scale * 2.0 ** (31 - _INPUT_BITS), largest)
    factor = quantize_multiplier_above_one(real)
    inverse = quantize_multiplier_below_one(2.0 ** (31 - factor.shift) / factor.multiplier)
    reach = math.floor((2**_INPUT_BITS - 1) * 2.0 ** (31 - _INPUT_BITS - factor.shift))
    steps = np.arange(2**8, dtype=np.int64)
    distances = multiply_by_quantized_multiplier(-steps, factor.multiplier, factor.shift)
    in_reach = np.where(steps <= reach, distances, INT32_MIN)
    exponentials = rounding_divide_by_pot(exp_on_negative_values(in_reach, _INPUT_BITS), _SUM_BITS)
    exponentials[steps > reach] = 0
    return DistanceTables(distances, exponentials, inverse, reach)


LOG_SOFTMAX = Registration(
    BuiltinOperator.LOG_SOFTMAX, prepare, evaluate, lambda data: data.stackable
)
