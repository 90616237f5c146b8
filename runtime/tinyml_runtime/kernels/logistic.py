"""LOGISTIC, TANH: the two bounded curves.

Shapes    input of any shape -> output of the same shape
Types     float32, int8, int16; input and output alike
Units     real = scale * (stored - zero point). int8 results have scale 1/256 and zero point -128
          (LOGISTIC) or 1/128 and 0 (TANH), whatever the file says; int16 results have 2**-15 and 0
Source    tflite-micro `micro/kernels/logistic_common.cc`, `tanh.cc`,
          `lite/kernels/internal/reference/logistic.h`, `tanh.h` and `integer_ops/`
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from tinyml_runtime.kernels import gemmlowp_functions
from tinyml_runtime.kernels.int16_tables import logistic_table, tanh_table
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.unary import (
    UnaryData,
    evaluate_unary,
    table_look_up,
    tabulated,
    unary_operands,
    unary_stacks,
)
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

_INTEGER_BITS = 4
_UINT16 = np.dtype(np.uint16)
# From here on the logistic is 1 in float32; and below there is no difference from exp(x), for TFLM.
_ONE_FROM, _EXP_BELOW = np.float32(18.0), np.float32(-9.0)
_ONE = np.float32(1.0)


def prepare_logistic(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the logistic of every stored value."""
    source, output = _operands(context, node)
    if source.type is TensorType.FLOAT32:
        return UnaryData(_logistic_floats, not source.is_constant)
    if source.type is TensorType.INT16:
        multiplier, shift = _int16_scaling(source, output, powers_of_two=(0,))
        table = logistic_table(multiplier, shift)
        return UnaryData(table_look_up(table, _UINT16), not source.is_constant)
    check(
        output.zero_point == -128, f"the zero point of the output is {output.zero_point}, not -128"
    )
    return _tabulate_int8(source, output, gemmlowp_functions.logistic, result_bits=8, offset=-128)


def prepare_tanh(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the hyperbolic tangent of every stored value."""
    check_counts(node, (1,))
    source, output = _operands(context, node)
    if source.type is TensorType.FLOAT32:
        return UnaryData(_tanh_floats, not source.is_constant)
    if source.type is TensorType.INT16:
        multiplier, shift = _int16_scaling(source, output, powers_of_two=(0, 1))
        table = tanh_table(multiplier, shift)
        return UnaryData(table_look_up(table, _UINT16), not source.is_constant)
    return _tabulate_int8(source, output, gemmlowp_functions.tanh, result_bits=7, offset=0)


def _operands(context: PrepareContext, node: Node) -> tuple[Tensor, Tensor]:
    source, output = unary_operands(context, node)
    check(
        source.type in (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16),
        f"Input {source.type.name}, output {output.type.name} not supported.",
    )
    check_same_type(output, "output", source)
    return source, output


def _tabulate_int8(
    source: Tensor,
    output: Tensor,
    function: Callable[[Array, int], Array],
    *,
    result_bits: int,
    offset: int,
) -> UnaryData:
    """The function on inputs in Q4; beyond what Q4 holds it has its limits."""
    factor = quantize_multiplier(source.scale * 2.0 ** (31 - _INTEGER_BITS))
    radius = math.floor(math.ldexp(2**_INTEGER_BITS - 1, 31 - _INTEGER_BITS - factor.shift))

    def formula(stored: Array) -> Array:
        centered = stored - source.zero_point
        inside = np.clip(centered, -radius, radius)
        scaled = multiply_by_quantized_multiplier(inside, factor.multiplier, factor.shift)
        result = function(scaled, _INTEGER_BITS)
        result = np.clip(rounding_divide_by_pot(result, 31 - result_bits) + offset, -128, 127)
        result[centered >= radius] = 127
        result[centered <= -radius] = -128
        return result

    return tabulated(source, output, formula)


def _int16_scaling(
    source: Tensor, output: Tensor, powers_of_two: tuple[int, ...]
) -> tuple[int, int]:
    """Multiplier and left shift of `int16_tables`; multiplier 0 if the scale is 2**(shift - 12)."""
    check(source.zero_point == output.zero_point == 0, "the zero point of an INT16 is not 0")
    check(source.scale > 0.0 < output.scale, "a scale is not positive")
    check(
        _float32_log2(output.scale) == -15, f"the scale of the output is {output.scale}, not 2**-15"
    )
    log2 = _float32_log2(source.scale)
    if log2 is not None and log2 + 12 in powers_of_two:
        return 0, log2 + 12
    multiplier, shift = source.scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    return min(int(multiplier), INT32_MAX), shift


def _float32_log2(scale: float) -> int | None:
    """The exponent if `scale` is close to a power of two, in float32 as TFLM judges it."""
    log2 = np.log(np.float32(scale)) * (np.float32(1.0) / np.log(np.float32(2.0)))
    rounded = round(float(log2))
    return rounded if abs(float(log2) - rounded) < 1e-3 else None


def _logistic_floats(values: Array, out: Array) -> None:
    np.minimum(values, _ONE_FROM, out=out)
    np.exp(out, out=out)
    denominator = out + _ONE
    np.copyto(denominator, _ONE, where=values < _EXP_BELOW)
    out /= denominator


def _tanh_floats(values: Array, out: Array) -> None:
    np.tanh(values, out=out)


LOGISTIC = Registration(BuiltinOperator.LOGISTIC, prepare_logistic, evaluate_unary, unary_stacks)
TANH = Registration(BuiltinOperator.TANH, prepare_tanh, evaluate_unary, unary_stacks)
