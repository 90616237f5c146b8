"""Functions of one operand: ABS, RSQRT, SIN, COS, LOG, SQRT, SQUARE, EXP, FLOOR, CEIL, ROUND, NEG.

Shapes    input of any shape -> output of the same shape
Types     float32; ABS and RSQRT also int8 and int16 with scales, ABS also int16 without
Units     real = scale * (stored - zero point); zero points of int16 are 0
Source    tflite-micro `micro/kernels/elementwise.cc`, `exp.cc`, `floor.cc`, `ceil.cc`, `round.cc`,
          `neg.cc`

NumPy's float32 EXP and LOG are up to 3 units in the last place off, as vectors of some processors
compute them. Transcendental functions are computed in float64 and rounded once, which is nearly
always what a C library gives.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from tinyml_runtime.errors import RunError
from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    scale_type,
)
from tinyml_runtime.kernels.fixed_point_functions import inverse_square_root
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.unary import (
    INPUT,
    OUTPUT,
    UnaryData,
    evaluate_unary,
    tabulated,
    unary_operands,
    unary_stacks,
)
from tinyml_runtime.registration import (
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

# From values to results, both flat.
Compute: TypeAlias = Callable[[Array, Array], object]

_QUANTIZED = (TensorType.INT8, TensorType.INT16)
# RSQRT shifts left by this to keep the reciprocal root of an integer an integer.
_ROOT_SHIFT = 20


def prepare_abs(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the magnitude, rescaled only where the scales differ."""
    source, output = _operands(context, node, TensorType.FLOAT32, *_QUANTIZED)
    if source.type not in _QUANTIZED or not _is_scaled(source, output):
        return UnaryData(np.absolute, not source.is_constant)
    number = scale_type()
    factor = quantize_multiplier(float(number(source.scale) / number(output.scale)))
    rescales = source.scale != output.scale

    def magnitude(stored: Array) -> Array:
        magnitudes = np.absolute(stored - source.zero_point)
        if rescales:
            magnitudes = multiply_by_quantized_multiplier(
                magnitudes, factor.multiplier, factor.shift
            )
        return _in_range(magnitudes, output)

    return tabulated(source, output, magnitude)


def prepare_rsqrt(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the rescaled reciprocal root; the largest value stands for that of 0."""
    source, output = _operands(context, node, TensorType.FLOAT32, *_QUANTIZED)
    if source.type is TensorType.FLOAT32:
        return UnaryData(_rsqrt_floats, not source.is_constant)
    check(_is_scaled(source, output), "the input has no scale")
    number = scale_type()
    below = np.sqrt(number(source.scale)) * number(output.scale)
    factor = quantize_multiplier(float(1.0 / np.float64(below)))

    def root(stored: Array) -> Array:
        centered = stored - source.zero_point
        results = np.full_like(centered, np.iinfo(output.dtype).max)
        is_positive = centered > 0
        multiplier, shift = inverse_square_root(centered[is_positive])
        shifted = multiply_by_quantized_multiplier(1, multiplier, shift + _ROOT_SHIFT)
        scaled = multiply_by_quantized_multiplier(
            shifted, factor.multiplier, factor.shift - _ROOT_SHIFT
        )
        results[is_positive] = _in_range(scaled, output)
        return results

    data = tabulated(source, output, root)
    if source.zero_point <= np.iinfo(source.dtype).min:
        return data
    where = f"{node.operator} (node {node.index})"
    compute = partial(_without_negatives, data.compute, source.zero_point, where)
    return UnaryData(compute, data.stackable)


def _without_negatives(compute: Compute, zero: int, where: str, values: Array, out: Array) -> None:
    if values.size and values.min() < zero:
        raise RunError(f"{where}: Rsqrt is only defined for positive values")
    compute(values, out)


def _rsqrt_floats(values: Array, out: Array) -> None:
    np.sqrt(values, out=out)
    np.divide(np.float32(1.0), out, out=out)


def _round(values: Array, out: Array) -> None:
    np.rint(values, out=out)
    out += 0.0  # TFLM rounds small negative values to a zero without a sign.


def _rounded_once(function: np.ufunc) -> Compute:
    """`function`, computed in float64."""

    def compute(values: Array, out: Array) -> None:
        np.copyto(out, function(values.astype(np.float64)), casting="unsafe")

    return compute


def _prepare(compute: Compute, context: PrepareContext, node: Node) -> UnaryData:
    source, _ = _operands(context, node, TensorType.FLOAT32)
    return UnaryData(compute, not source.is_constant)


def _prepare_of_same_shape(compute: Compute, context: PrepareContext, node: Node) -> UnaryData:
    """For an operator of which TFLM compares the shapes, and does not only count elements."""
    data = _prepare(compute, context, node)
    check_shape(context.output(node, OUTPUT), "the output", context.input(node, INPUT).shape)
    return data


def _operands(context: PrepareContext, node: Node, *allowed: TensorType) -> tuple[Tensor, Tensor]:
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    kind = source.type
    check(kind in allowed, f"Input data type {kind.name} ({int(kind)}) is not supported.")
    check_same_type(output, "the output", source)
    return source, output


def _is_scaled(source: Tensor, output: Tensor) -> bool:
    """Whether both have positive scales; NodeError where they must and do not."""
    if source.type is TensorType.INT16:
        if not source.is_quantized:
            return False
        points = source.zero_point, output.zero_point
        check(not any(points), "the zero point of an INT16 is not 0")
    check(source.scale > 0.0 < output.scale, "a scale is not positive")
    return True


def _in_range(results: Array, output: Tensor) -> Array:
    limits = np.iinfo(output.dtype)
    return np.clip(results + output.zero_point, limits.min, limits.max)


def _register(
    operator: BuiltinOperator, prepare: Callable[[PrepareContext, Node], UnaryData]
) -> Registration[UnaryData]:
    return Registration(operator, prepare, evaluate_unary, unary_stacks)


def _floats(operator: BuiltinOperator, compute: Compute) -> Registration[UnaryData]:
    return _register(operator, partial(_prepare, compute))


def _floats_of_same_shape(operator: BuiltinOperator, compute: Compute) -> Registration[UnaryData]:
    return _register(operator, partial(_prepare_of_same_shape, compute))


ABS = _register(BuiltinOperator.ABS, prepare_abs)
RSQRT = _register(BuiltinOperator.RSQRT, prepare_rsqrt)
SIN = _floats(BuiltinOperator.SIN, _rounded_once(np.sin))
COS = _floats(BuiltinOperator.COS, _rounded_once(np.cos))
LOG = _floats(BuiltinOperator.LOG, _rounded_once(np.log))
EXP = _floats_of_same_shape(BuiltinOperator.EXP, _rounded_once(np.exp))
SQRT = _floats(BuiltinOperator.SQRT, np.sqrt)
SQUARE = _floats(BuiltinOperator.SQUARE, np.square)
NEG = _floats(BuiltinOperator.NEG, np.negative)
FLOOR = _floats(BuiltinOperator.FLOOR, np.floor)
CEIL = _floats_of_same_shape(BuiltinOperator.CEIL, np.ceil)
ROUND = _floats_of_same_shape(BuiltinOperator.ROUND, _round)
