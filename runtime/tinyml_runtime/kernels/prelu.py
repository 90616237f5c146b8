"""PRELU: x where x is not negative, alpha * x where it is.

Shapes    input and alpha that broadcast against each other, of at most 4 dimensions if they are
          float32 -> output
Types     float32; int8; int16 with alpha int8; input and output alike
Units     real = scale * (stored - zero point); the input is rescaled to the output's scale
Source    tflite-micro `micro/kernels/prelu_common.cc`, `lite/kernels/internal/reference/prelu.h`
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    wrap_int32,
)
from tinyml_runtime.kernels.broadcast import (
    FIRST,
    OUTPUT,
    SECOND,
    BroadcastData,
    Compute,
    Operands,
    broadcast,
    broadcast_stacks,
    evaluate_broadcast,
)
from tinyml_runtime.kernels.operands import check_same_type
from tinyml_runtime.kernels.pair_tables import tabulated_pairs
from tinyml_runtime.registration import Node, PrepareContext, Registration, check, check_type
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

_MOST_FLOAT_DIMENSIONS = 4
_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)


def prepare(context: PrepareContext, node: Node) -> BroadcastData:
    """Check the operands; settle two rescalings: of the input, and of its product with alpha."""
    source, alpha = context.input(node, FIRST), context.input(node, SECOND)
    output = context.output(node, OUTPUT)
    check(source.type in _TYPES, f"Input type '{source.type.name}' is not supported.")
    check_same_type(output, "the output", source)
    operands = Operands(source, alpha, output)
    if source.type is TensorType.FLOAT32:
        check_type(alpha, "alpha", TensorType.FLOAT32)
        rank = max(len(tensor.shape) for tensor in (source, alpha, output))
        check(
            rank <= _MOST_FLOAT_DIMENSIONS,
            f"there are {rank} dimensions; this kernel takes at most {_MOST_FLOAT_DIMENSIONS}",
        )
        return broadcast(operands, _prelu_floats)
    check_type(alpha, "alpha", TensorType.INT8)
    return broadcast(operands, _quantized(operands))


def _prelu_floats(values: Array, alpha: Array, out: Array) -> None:
    np.multiply(values, alpha, out=out)
    np.copyto(out, values, where=values >= 0)


def _quantized(operands: Operands) -> Compute:
    source, alpha, output = operands.first, operands.second, operands.output
    check(
        source.scale > 0.0 and alpha.scale > 0.0 and output.scale > 0.0, "a scale is not positive"
    )
    above = quantize_multiplier(source.scale / output.scale)
    below = quantize_multiplier(source.scale * alpha.scale / output.scale)
    limits = np.iinfo(output.dtype)

    def prelu(stored: Array, slopes: Array) -> Array:
        centered = stored - source.zero_point
        product = wrap_int32(centered * (slopes - alpha.zero_point))
        scaled = np.where(
            centered >= 0,
            multiply_by_quantized_multiplier(centered, above.multiplier, above.shift),
            multiply_by_quantized_multiplier(product, below.multiplier, below.shift),
        )
        return np.clip(scaled + output.zero_point, limits.min, limits.max)

    if output.type is TensorType.INT8:
        return tabulated_pairs(prelu, output.dtype)

    def compute(values: Array, slopes: Array, out: Array) -> None:
        np.copyto(out, prelu(values.astype(np.int64), slopes.astype(np.int64)), casting="unsafe")

    return compute


PRELU = Registration(BuiltinOperator.PRELU, prepare, evaluate_broadcast, broadcast_stacks)
