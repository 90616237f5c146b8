"""FILL: every element the same value; ZEROS_LIKE: all elements 0.

Shapes    FILL: dims [rank], value [] -> output of the shape that `dims` gives;
          ZEROS_LIKE: input of any shape -> output of the same shape
Types     FILL: dims int8, int16, int32, int64, a constant; value and output float32, int32, int8;
          ZEROS_LIKE: float32, int8, int32, int64; input and output alike
Source    tflite-micro `micro/kernels/fill.cc`, `zeros_like.cc`
"""

from __future__ import annotations

from tinyml_runtime.kernels.operands import check_same_type
from tinyml_runtime.kernels.unary import (
    UnaryData,
    evaluate_unary,
    unary_operands,
    unary_stacks,
)
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    always_stacks,
    check,
    check_type,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

DIMS, VALUE = 0, 1
OUTPUT = 0

_DIMS_TYPES = (TensorType.INT8, TensorType.INT16, TensorType.INT32, TensorType.INT64)
_FILL_TYPES = (TensorType.FLOAT32, TensorType.INT32, TensorType.INT8)
_ZEROS_TYPES = (*_FILL_TYPES, TensorType.INT64)


def prepare_fill(context: PrepareContext, node: Node) -> None:
    """Check that the output has the shape that the constant gives."""
    dims, value = context.input(node, DIMS), context.input(node, VALUE)
    output = context.output(node, OUTPUT)
    check(not value.shape, f"the value has shape {list(value.shape)}, it must be a scalar")
    check_same_type(output, "the output", value)
    check(
        value.type in _FILL_TYPES,
        f"Fill only currently supports float32 for input 1, got {value.type.name}.",
    )
    check(dims.is_constant, "Non-constant >dims< tensor is not supported")
    check_type(dims, "dims", *_DIMS_TYPES)
    given = dims.values.tolist()
    check(
        given == list(output.shape),
        f"the output has shape {list(output.shape)}, 'dims' is {given}",
    )


def evaluate_fill(context: EvalContext, node: Node, data: None) -> None:
    """Copy the value, one for every sample where it is not a constant."""
    value, out = context.input(node, VALUE).values, context.output(node, OUTPUT).values
    out.reshape(value.size, -1)[...] = value.reshape(-1, 1)


def prepare_zeros_like(context: PrepareContext, node: Node) -> UnaryData:
    """Check types and sizes."""
    source, output = unary_operands(context, node)
    check(
        source.type in _ZEROS_TYPES,
        f"ZerosLike only currently supports int64, int32, and float32, got {int(source.type)}.",
    )
    check_same_type(output, "the output", source)
    return UnaryData(_zero, stackable=True)


def _zero(values: Array, out: Array) -> None:
    out[...] = 0


FILL = Registration(BuiltinOperator.FILL, prepare_fill, evaluate_fill, always_stacks)
ZEROS_LIKE = Registration(
    BuiltinOperator.ZEROS_LIKE, prepare_zeros_like, evaluate_unary, unary_stacks
)
