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

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from tinyml_runtime.errors import RunError
from tinyml_runtime.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from tinyml_runtime.kernels.inverse_square_root import inverse_square_root
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.unary import (
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

_QUANTIZED = (TensorType.INT8, TensorType.INT16)
# RSQRT shifts left by this to keep the reciprocal root of an integer an integer.
_ROOT_SHIFT = 20


def prepare_abs(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the magnitude, rescaled only where the scales differ."""
    source, output = _operands(context, node, TensorType.FLOAT32, *_QUANTIZED)
    if source.type not in _QUANTIZED or not _is_scaled(source, output):
        return UnaryData(np.absolute, not source.is_constant)
    factor = quantize_multiplier(source.scale / output.scale)
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
    factor = quantize_multiplier(1.0 / (math.sqrt(source.scale) * output.scale))
    largest = np.iinfo(output.dtype).max

    def root(stored: Array) -> Array:
        centered = stored - source.zero_point
        multiplier, shift = inverse_square_root(centered)
        shifted = multiply_by_quantized_multiplier(1, multiplier, shift + _ROOT_SHIFT)
        scaled = multiply_by_quantized_multiplier(
            shifted, factor.multiplier, factor.shift - _ROOT_SHIFT
        )
        return np.where(centered == 0, largest, _in_range(scaled, output))

    data = tabulated(source, output, root)
    if source.zero_point <= np.iinfo(source.dtype).min:
        return data
    where = f"{node.operator} (node {node.index})"
    compute = partial(_without_negatives, data.compute, source.zero_point, where)
    return UnaryData(compute, data.stackable)


def _without_negatives(
    compute: Callable[[Array, Array], None], zero: int, where: str, values: Array, out: Array
) -> None:
    if values.size and values.min() < zero:
        raise RunError(f"{where}: Rsqrt is only defined for positive values")
    compute(values, out)


def _rsqrt_floats(values: Array, out: Array) -> None:
    with np.errstate(all="ignore"):
        np.sqrt(values, out=out)
        np.divide(np.float32(1.0), out, out=out)


def _round(values: Array, out: Array) -> None:
    np.rint(values, out=out)
    out += 0.0  # TFLM rounds small negative values to a zero without a sign.


def _exactly(function: np.ufunc) -> Callable[[PrepareContext, Node], UnaryData]:
    """`prepare` of an operator whose float32 form NumPy rounds correctly."""

    def compute(values: Array, out: Array) -> None:
        with np.errstate(all="ignore"):
            function(values, out)

    return partial(_prepare, compute)


def _rounded_once(function: np.ufunc) -> Callable[[PrepareContext, Node], UnaryData]:
    """`prepare` of an operator that is computed in float64."""

    def compute(values: Array, out: Array) -> None:
        with np.errstate(all="ignore"):
            np.copyto(out, function(values.astype(np.float64)), casting="unsafe")

    return partial(_prepare, compute)


def _of_same_shape(
    prepare: Callable[[PrepareContext, Node], UnaryData], context: PrepareContext, node: Node
) -> UnaryData:
    """`prepare` of an operator for which TFLM compares shapes, not only counts elements."""
    data = prepare(context, node)
    check_shape(context.output(node, 0), "the output", context.input(node, 0).shape)
    return data


def _prepare(
    compute: Callable[[Array, Array], None], context: PrepareContext, node: Node
) -> UnaryData:
    source, _ = _operands(context, node, TensorType.FLOAT32)
    return UnaryData(compute, not source.is_constant)


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


ABS = _register(BuiltinOperator.ABS, prepare_abs)
RSQRT = _register(BuiltinOperator.RSQRT, prepare_rsqrt)
SIN = _register(BuiltinOperator.SIN, _rounded_once(np.sin))
COS = _register(BuiltinOperator.COS, _rounded_once(np.cos))
LOG = _register(BuiltinOperator.LOG, _rounded_once(np.log))
SQRT = _register(BuiltinOperator.SQRT, _exactly(np.sqrt))
SQUARE = _register(BuiltinOperator.SQUARE, _exactly(np.square))
FLOOR = _register(BuiltinOperator.FLOOR, _exactly(np.floor))
NEG = _register(BuiltinOperator.NEG, _exactly(np.negative))
EXP = _register(BuiltinOperator.EXP, partial(_of_same_shape, _rounded_once(np.exp)))
CEIL = _register(BuiltinOperator.CEIL, partial(_of_same_shape, _exactly(np.ceil)))
ROUND = _register(BuiltinOperator.ROUND, partial(_of_same_shape, partial(_prepare, _round)))
