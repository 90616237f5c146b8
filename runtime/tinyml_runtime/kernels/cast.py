"""CAST: the same numbers in another element type, as a C cast converts them.

Shapes    input of any shape -> output of the same shape
Types     bool, int8, int16, int32, uint32, float32 -> any of them
Units     as stored: scales and zero points are not looked at
Source    tflite-micro `micro/kernels/cast.cc`; bool outputs as in builds after the named commit

Of a bool, true is 1; any number but 0 is true, and so is NaN. Integers keep their low bits. Floats
lose their fraction. What the integer type cannot hold is undefined in C: it saturates, and NaN
becomes 0, as in current builds of TFLM.
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.unary import UnaryData, evaluate_unary, unary_operands, unary_stacks
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

_TYPES = (
    TensorType.INT8,
    TensorType.INT16,
    TensorType.INT32,
    TensorType.UINT32,
    TensorType.FLOAT32,
    TensorType.BOOL,
)


def prepare_cast(context: PrepareContext, node: Node) -> UnaryData:
    """Check the types; they count, not those that the options name."""
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    for role, kind in (("Input", source.type), ("Output", output.type)):
        check(kind in _TYPES, f"{role} type {kind.name} ({int(kind)}) not supported.")
    stackable = not source.is_constant
    if source.type is TensorType.FLOAT32 and output.dtype.kind in "iu":
        return UnaryData(_saturate, stackable)
    return UnaryData(_cast, stackable)


def _cast(values: Array, out: Array) -> None:
    np.copyto(out, values, casting="unsafe")


def _saturate(values: Array, out: Array) -> None:
    limits = np.iinfo(out.dtype)
    within = np.clip(values, limits.min, limits.max, dtype=np.float64)
    np.copyto(within, 0.0, where=np.isnan(within))
    np.copyto(out, within, casting="unsafe")


CAST = Registration(BuiltinOperator.CAST, prepare_cast, evaluate_unary, unary_stacks)
