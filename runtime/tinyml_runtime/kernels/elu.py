"""ELU: x where x is not negative, exp(x) - 1 where it is.

Shapes    input of any shape -> output of the same shape
Types     float32; int8 with scales; input and output alike
Units     real = scale * (stored - zero point)
Source    tflite-micro `micro/kernels/elu.cc`, `lite/kernels/internal/reference/elu.h`
"""

from __future__ import annotations

import numpy as np

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


def prepare(context: PrepareContext, node: Node) -> UnaryData:
    """Tabulate the function in float32 for int8."""
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    check_same_type(output, "the output", source)
    if source.type is TensorType.FLOAT32:
        return UnaryData(_elu_floats, not source.is_constant)
    check(
        source.type is TensorType.INT8,
        f"ELU only supports float32 and int8 currently, got {source.type.name}.",
    )
    check(source.scale > 0.0 < output.scale, "a scale is not positive")

    def elu(stored: Array) -> Array:
        with np.errstate(all="ignore"):
            real = np.float32(source.scale) * (stored - source.zero_point).astype(np.float32)
            below = np.exp(np.minimum(real, 0), dtype=np.float64).astype(np.float32)
            transformed = np.where(real < 0, below - np.float32(1), real)
            steps = transformed * (np.float32(1) / np.float32(output.scale))
            # In float64 half a step is added without rounding.
            wide = steps.astype(np.float64)
            rounded = np.copysign(np.floor(np.abs(wide) + 0.5), wide)
            return np.clip(rounded + output.zero_point, -128, 127).astype(np.int64)

    return tabulated(source, output, elu)


def _elu_floats(values: Array, out: Array) -> None:
    below = np.expm1(np.minimum(values, 0, dtype=np.float64))
    np.copyto(out, below, casting="unsafe")
    np.copyto(out, values, where=values >= 0)


ELU = Registration(BuiltinOperator.ELU, prepare, evaluate_unary, unary_stacks)
