"""HARD_SWISH: x * relu6(x + 3) / 6.

Shapes    input of any shape -> output of the same shape
Types     float32; int8 with scales; input and output alike
Units     real = scale * (stored - zero point)
Source    tflite-micro `micro/kernels/hard_swish_common.cc`,
          `lite/kernels/internal/reference/hard_swish.h`
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint, float32_ratio, quantize_multiplier
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.unary import (
    UnaryData,
    evaluate_unary,
    tabulated,
    unary_operands,
    unary_stacks,
)
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

INT16_MIN, INT16_MAX = -(2**15), 2**15 - 1
# int8 inputs are shifted left by this, to use 16 bits.
_INPUT_SHIFT = 7
# In 16 bits, one step of what rises from -1 to 1 while x goes from -3 to 3.
_RAMP_SCALE = float(np.float32(3.0) / np.float32(32768.0))
_ZERO, _THREE, _SIX = np.float32(0.0), np.float32(3.0), np.float32(6.0)


def prepare(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the function in 16-bit fixed point for int8."""
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    check_same_type(output, "the output", source)
    if source.type is TensorType.FLOAT32:
        return UnaryData(_hard_swish_floats, not source.is_constant)
    check(source.type is TensorType.INT8, f"Unsupported type {source.type.name}")
    check(source.scale > 0.0 < output.scale, "a scale is not positive")
    shifted_scale = source.scale / 2**_INPUT_SHIFT
    result = _halved(quantize_multiplier(float32_ratio(shifted_scale, output.scale)))
    ramp = _halved(quantize_multiplier(float32_ratio(shifted_scale, _RAMP_SCALE)))
    check(result.shift <= 0, "params->output_multiplier_exponent <= 0 was not true.")

    def hard_swish(stored: Array) -> Array:
        shifted = _wrap(_wrap(stored - source.zero_point) << _INPUT_SHIFT)
        gate = (_on_ramp(shifted, ramp) + 2**15) >> 1
        product = gate * _multiply(shifted, result.multiplier)
        truncated = np.where(product < 0, -(-product >> 15), product >> 15)
        scaled = _wrap(_divide(truncated, -result.shift) + output.zero_point)
        return np.clip(scaled, -128, 127)

    return tabulated(source, output, hard_swish)


def _hard_swish_floats(values: Array, out: Array) -> None:
    gate = values + _THREE
    gate.clip(_ZERO, _SIX, out=gate)
    np.multiply(values, gate, out=out)
    np.divide(out, _SIX, out=out)


def _on_ramp(values: Array, factor: FixedPoint) -> Array:
    """Rescaled so that 2**15 stands for 3, saturating only with the last bit of a left shift."""
    left_shift = min(factor.shift, 30)
    if left_shift > 0:
        values = _saturating_shift(values, left_shift - 1)
    values = _multiply(values, factor.multiplier)
    if left_shift > 0:
        return _saturating_shift(values, 1)
    return _divide(values, -factor.shift)


def _halved(factor: FixedPoint) -> FixedPoint:
    """The multiplier in 16 bits."""
    return FixedPoint(min((factor.multiplier + 2**15) >> 16, INT16_MAX), factor.shift)


def _saturating_shift(values: Array, bits: int) -> Array:
    return np.clip(values << bits, INT16_MIN, INT16_MAX)


def _multiply(values: Array, by: int) -> Array:
    """The product of Q0.15 numbers, ties toward plus infinity."""
    return (values * by + 2**14) >> 15


def _divide(values: Array, bits: int) -> Array:
    """Divide by 2**bits, ties away from zero; more than 15 bits leave the sign, 1 or -1."""
    if bits > 15:
        return np.where(values < 0, -1, 1)
    half = (1 << bits) >> 1
    return (values + half - ((values < 0) & (bits > 0))) >> bits


def _wrap(values: Array) -> Array:
    return values.astype(np.int16).astype(np.int64)


HARD_SWISH = Registration(BuiltinOperator.HARD_SWISH, prepare, evaluate_unary, unary_stacks)
