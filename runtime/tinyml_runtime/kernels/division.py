"""DIV, FLOOR_DIV, FLOOR_MOD of two operands; DIV with a fused clamp.

Shapes    two inputs that broadcast against each other -> output
Types     DIV float32, int32 without scales, int8 with scales; the others float32; all alike
Units     real = scale * (stored - zero point); int32 quotients are truncated
Source    tflite-micro `micro/kernels/div.cc`, `floor_div.cc`, `floor_mod.cc`,
          `lite/kernels/internal/reference/div.h`, `floor_div.h`, `floor_mod.h`

DIV of int8 multiplies by a reciprocal and shifts to the right, by more than 31 bits where the
quotient is small: C++ leaves open what that gives, so here it is what x86 processors do. Division
by an int8 zero is what the reciprocal's iteration makes of it.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tinyml_runtime.errors import RunError
from tinyml_runtime.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    multiply_rounding_once,
    quantize_multiplier,
    rounds_once,
    saturating_rounding_doubling_high_mul,
    scale_type,
    wrap_int32,
)
from tinyml_runtime.kernels.broadcast import (
    BroadcastData,
    Compute,
    Operands,
    broadcast,
    broadcast_operands,
    broadcast_stacks,
    evaluate_broadcast,
)
from tinyml_runtime.kernels.fused_activation import float_range, quantized_range
from tinyml_runtime.kernels.gemmlowp_functions import one_over_one_plus_x
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.pair_tables import tabulated_pairs
from tinyml_runtime.model.options import DivOptions
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

_LARGEST_FLOAT = float(np.finfo(np.float32).max)
_RECIPROCAL_OF_ZERO = -1515870788


def prepare_div(context: PrepareContext, node: Node) -> BroadcastData:
    """Check the operands; tabulate int8 quotients."""
    operands = broadcast_operands(context, node)
    activation = node.options_as(DivOptions).fused_activation
    kind = operands.output.type
    if kind is TensorType.FLOAT32:
        limits = float_range(activation) or (-_LARGEST_FLOAT, _LARGEST_FLOAT)
        return broadcast(operands, partial(_divide_floats, *map(np.float32, limits)))
    if kind is TensorType.INT32:
        for tensor in (operands.first, operands.second):
            check(not tensor.is_quantized, f"INT32 tensor '{tensor.name}' has a scale")
        low, high = float_range(activation) or (INT32_MIN, INT32_MAX)
        # Arrays without dimensions spare NumPy the conversion of numbers.
        limits = np.array(low, np.float64), np.array(min(high, INT32_MAX), np.float64)
        compute = partial(_divide_words, _place(node), *limits)
        return broadcast(operands, compute)
    check(
        kind is TensorType.INT8,
        "DIV only supports FLOAT32, INT32, quantized INT8 now, "
        f"got type {kind.name} ({int(kind)}).",
    )
    return broadcast(operands, _quotients(operands, activation))


def prepare_floor_div(context: PrepareContext, node: Node) -> BroadcastData:
    """Check types and shapes."""
    return broadcast(_floats(context, node), partial(_floor_divide, _place(node)))


def prepare_floor_mod(context: PrepareContext, node: Node) -> BroadcastData:
    """Check types and shapes."""
    return broadcast(_floats(context, node), _floor_modulo)


def _floats(context: PrepareContext, node: Node) -> Operands:
    check_counts(node, (2,))
    operands = broadcast_operands(context, node)
    kind = operands.first.type
    check(kind is TensorType.FLOAT32, f"Type '{kind.name}' is not supported by {node.operator}.")
    return operands


def _place(node: Node) -> str:
    return f"{node.operator} (node {node.index})"


def _check_divisor(place: str, divisor: Array) -> None:
    if np.count_nonzero(divisor) < divisor.size:
        raise RunError(f"{place}: Division by 0")


def _divide_floats(
    low: np.float32, high: np.float32, first: Array, second: Array, out: Array
) -> None:
    np.divide(first, second, out=out)
    out.clip(low, high, out=out)


def _divide_words(
    place: str, low: Array, high: Array, first: Array, second: Array, out: Array
) -> None:
    _check_divisor(place, second)
    # The float64 quotient of 32-bit integers is not rounded up to an integer: it is further away.
    quotients = np.divide(first, second, dtype=np.float64)
    np.maximum(quotients, low, out=quotients)
    np.minimum(quotients, high, out=quotients)
    out[...] = quotients


def _floor_divide(place: str, first: Array, second: Array, out: Array) -> None:
    _check_divisor(place, second)
    quotients = np.divide(first, second, dtype=np.float64)
    np.floor(quotients, out=quotients)
    np.copyto(out, quotients, casting="unsafe")


def _floor_modulo(first: Array, second: Array, out: Array) -> None:
    np.fmod(first, second, out=out)
    other_sign = (out != 0) & ((second < 0) != (out < 0))
    np.add(out, second, out=out, where=other_sign)


def _quotients(operands: Operands, activation: Activation) -> Compute:
    first, second, output = operands.first, operands.second, operands.output
    check(
        first.scale > 0.0 and second.scale > 0.0 and output.scale > 0.0, "a scale is not positive"
    )
    low, high = quantized_range(activation, output)
    number = scale_type()
    below = number(second.scale) * number(output.scale)
    factor = quantize_multiplier(float(number(first.scale) / below))

    def quotient(x: Array, y: Array) -> Array:
        dividend, divisor = x - first.zero_point, y - second.zero_point
        sign = np.where(divisor < 0, -1, 1)
        dividend, divisor = dividend * sign, divisor * sign
        reciprocal, reciprocal_shift = _reciprocal(divisor)
        headroom = 31 - _bits(np.where(dividend < 0, ~dividend, dividend))
        unscaled = saturating_rounding_doubling_high_mul(
            wrap_int32(dividend << headroom), reciprocal
        )
        shift = reciprocal_shift + headroom - factor.shift
        if rounds_once():
            scaled = multiply_rounding_once(unscaled, factor.multiplier, -shift)
        else:
            product = saturating_rounding_doubling_high_mul(unscaled, factor.multiplier)
            scaled = _rounding_right_shift(product, shift)
        return np.clip(wrap_int32(scaled + output.zero_point), low, high)

    return tabulated_pairs(quotient, output.dtype)


def _reciprocal(values: Array) -> tuple[Array, Array]:
    """1 / value of integers from 0 on: multiplier * 2**-(31 + shift), multiplier 2**30 to 2**31."""
    leading_zeros = 32 - _bits(values)
    fraction = (values << leading_zeros) - 2**31
    multipliers = one_over_one_plus_x(np.where(values == 0, 0, fraction))
    return np.where(values == 0, _RECIPROCAL_OF_ZERO, multipliers), 31 - leading_zeros


def _bits(values: Array) -> Array:
    """Length of the binary form of integers from 0 on."""
    return np.frexp(values.astype(np.float64))[1].astype(np.int64)


def _rounding_right_shift(values: Array, shift: Array) -> Array:
    """Shift int32 to the right, ties away from zero; processors take shifts modulo 32."""
    mask = wrap_int32((np.int64(1) << (shift & 63)) - 1)
    threshold = (mask >> 1) + (values < 0)
    return (values >> (shift & 31)) + ((values & mask) > threshold)


DIV = Registration(BuiltinOperator.DIV, prepare_div, evaluate_broadcast, broadcast_stacks)
FLOOR_DIV = Registration(
    BuiltinOperator.FLOOR_DIV, prepare_floor_div, evaluate_broadcast, broadcast_stacks
)
FLOOR_MOD = Registration(
    BuiltinOperator.FLOOR_MOD, prepare_floor_mod, evaluate_broadcast, broadcast_stacks
)
