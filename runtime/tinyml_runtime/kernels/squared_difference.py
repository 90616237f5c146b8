"""SQUARED_DIFFERENCE of two operands.

Shapes    two inputs that broadcast against each other -> output
Types     float32; int32; int8 and int16 with scales; inputs and output alike
Units     real = scale * (stored - zero point); zero points of int16 are 0
Source    tflite-micro `micro/kernels/squared_difference.cc`
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multiplier_below_one,
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
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.pair_tables import tabulated_pairs
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

# Operands are shifted left before they are rescaled, as far as their square fits 32 bits.
_LEFT_SHIFT = {TensorType.INT8: 7, TensorType.INT16: 0}


def prepare(context: PrepareContext, node: Node) -> BroadcastData:
    """Settle three rescalings: of both operands to twice the larger scale, of the square."""
    check_counts(node, (2,))
    operands = broadcast_operands(context, node)
    kind = operands.output.type
    if kind in (TensorType.FLOAT32, TensorType.INT32):
        return broadcast(operands, _square_difference)
    check(
        kind in _LEFT_SHIFT,
        f"SquaredDifference only supports FLOAT32, INT32 , INT16 and INT8 now, got {int(kind)}.",
    )
    return broadcast(operands, _quantized(operands))


def _square_difference(first: Array, second: Array, out: Array) -> None:
    np.subtract(first, second, out=out)
    np.square(out, out=out)


def _quantized(operands: Operands) -> Compute:
    first, second, output = operands.first, operands.second, operands.output
    limits = np.iinfo(output.dtype)
    for tensor in (first, second, output):
        if output.type is TensorType.INT16:
            check(tensor.zero_point == 0, "the zero point of an INT16 is not 0")
        check(
            limits.min <= tensor.zero_point <= limits.max,
            f"zero point {tensor.zero_point} is out of the range of {tensor.type.name}",
        )
    left_shift = _LEFT_SHIFT[output.type]
    unit = 2.0 * max(first.scale, second.scale)
    check(unit > 0.0 < output.scale, "a scale is not positive")
    first_factor = quantize_multiplier_below_one(first.scale / unit)
    second_factor = quantize_multiplier_below_one(second.scale / unit)
    factor = quantize_multiplier(unit * unit / (4**left_shift * output.scale))

    def squared(x: Array, y: Array) -> Array:
        scaled_x = multiply_by_quantized_multiplier(
            (x - first.zero_point) << left_shift, first_factor.multiplier, first_factor.shift
        )
        scaled_y = multiply_by_quantized_multiplier(
            (y - second.zero_point) << left_shift, second_factor.multiplier, second_factor.shift
        )
        square = np.square(scaled_x - scaled_y)
        scaled = multiply_by_quantized_multiplier(square, factor.multiplier, factor.shift)
        return np.clip(scaled + output.zero_point, limits.min, limits.max)

    if output.type is TensorType.INT8:
        return tabulated_pairs(squared, output.dtype)

    def compute(x: Array, y: Array, out: Array) -> None:
        np.copyto(out, squared(x.astype(np.int64), y.astype(np.int64)), casting="unsafe")

    return compute


SQUARED_DIFFERENCE = Registration(
    BuiltinOperator.SQUARED_DIFFERENCE, prepare, evaluate_broadcast, broadcast_stacks
)
