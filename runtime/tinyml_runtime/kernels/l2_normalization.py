"""L2_NORMALIZATION: every row of the last axis divided by its Euclidean length.

Shapes    input [..., depth] of 1 to 4 dimensions -> output of the same shape
Types     float32; int8; input and output alike
Units     real = scale * (stored - zero point) for the input; int8 outputs always have scale 1/128
          and zero point 0, whatever the file says
Source    tflite-micro `micro/kernels/l2norm.cc`,
          `lite/kernels/internal/reference/l2normalization.h`, `integer_ops/l2normalization.h`
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.fixed_point import multiply_by_quantized_multiplier, wrap_int32
from tinyml_runtime.kernels.fixed_point_functions import inverse_square_root
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.model.options import L2NormOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

INPUT = 0
OUTPUT = 0

_MOST_DIMENSIONS = 4
_OUTPUT_BITS = 7
_SHORTEST = np.float32(1e-6)


@dataclass(frozen=True, slots=True)
class L2NormalizationData:
    """Length of a row and the input's zero point."""

    depth: int
    zero_point: int
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> L2NormalizationData:
    """Check the operands."""
    check_counts(node, (1,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(
        1 <= len(source.shape) <= _MOST_DIMENSIONS,
        f"the input has {len(source.shape)} dimensions; this kernel takes 1 to {_MOST_DIMENSIONS}",
    )
    check_type(source, "the input", TensorType.FLOAT32, TensorType.INT8)
    check_same_type(output, "the output", source)
    check_shape(output, "the output", source.shape)
    check(source.size > 0, "the input has no elements")
    activation = node.options_as(L2NormOptions).fused_activation
    check(activation is Activation.NONE, "params->activation == kTfLiteActNone was not true.")
    return L2NormalizationData(source.shape[-1], source.zero_point, not source.is_constant)


def evaluate(context: EvalContext, node: Node, data: L2NormalizationData) -> None:
    """Square, sum, and multiply by the reciprocal root of the sum."""
    rows = context.input(node, INPUT).values.reshape(-1, data.depth)
    out = context.output(node, OUTPUT).values.reshape(-1, data.depth)
    if rows.dtype == np.float32:
        _evaluate_float(rows, out)
        return
    centered = rows.astype(np.int64) - data.zero_point
    sums = wrap_int32(np.square(centered).sum(axis=1, keepdims=True))
    multipliers, shifts = inverse_square_root(sums.item() if sums.size == 1 else sums)
    scaled = multiply_by_quantized_multiplier(centered, multipliers, shifts + _OUTPUT_BITS)
    np.copyto(out, np.clip(scaled, -128, 127), casting="unsafe")


def _evaluate_float(rows: Array, out: Array) -> None:
    # Summed one after another as TFLM does; NumPy's `reduce` would add pairs.
    sums = np.add.accumulate(np.square(rows), axis=1)[:, -1:]
    lengths = np.maximum(np.sqrt(sums), _SHORTEST)
    np.divide(rows, lengths, out=out)


L2_NORMALIZATION = Registration(
    BuiltinOperator.L2_NORMALIZATION, prepare, evaluate, lambda data: data.stackable
)
