"""BATCH_MATMUL: products of matrices, one for every index of the dimensions before the last two.

Shapes    left [batch dims, rows, depth], right [batch dims, depth, columns], ranks 2 to 5, batch
          dims broadcast -> output [batch dims, rows, columns]; adj_x: left [..., depth, rows],
          adj_y: right [..., columns, depth]
Types     float32; int8; int16, without zero points; each operand a constant or not
Units     real = scale * (stored - zero point), one scale a tensor
Source    tflite-micro `micro/kernels/batch_matmul.cc`, `batch_matmul_common.cc`,
          `lite/kernels/internal/reference/batch_matmul.h`

Products go through BLAS: sums of integers are exact in float32 below 2**24, in float64 below 2**53.
float32 sums have another order than TFLM's, whose difference grows with the number of summands.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint, quantize_multiplier
from tinyml_runtime.kernels.operands import check_counts, check_same_type, samples_of
from tinyml_runtime.model.options import BatchMatMulOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.requantize import (
    FLOAT64_EXACT,
    OutputRange,
    Requantizer,
    accumulator_dtype,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

LEFT, RIGHT = 0, 1
OUTPUT = 0

MIN_DIMENSIONS, MAX_DIMENSIONS = 2, 5
TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Matrices:
    """How an operand is read: its shape, then perhaps transposed, then less its zero point.

    The first axis of the shape holds the samples. `values` are those of a constant, as read.
    """

    shape: Shape
    is_transposed: bool
    zero_point: int
    values: Array | None = None


@dataclass(frozen=True, slots=True)
class BatchMatMulData:
    """Both operands, the type in which they are multiplied, and what makes outputs of products."""

    stackable: bool
    left: Matrices
    right: Matrices
    output_shape: Shape
    dtype: np.dtype[Any]
    requantizer: Requantizer | None


def prepare(context: PrepareContext, node: Node) -> BatchMatMulData:
    """Check the operands; settle how they are read, in which type, and how they are rescaled."""
    check_counts(node, (2,))
    left, right = context.input(node, LEFT), context.input(node, RIGHT)
    output = context.output(node, OUTPUT)
    _check_operands(left, right, output)
    options = node.options_as(BatchMatMulOptions)
    made, depth = _product_shape(left.shape, right.shape, options)
    check_shape(output, "the output", made)
    left_shape, right_shape = _with_samples(left, len(made)), _with_samples(right, len(made))
    output_shape = samples_of(made)
    if depth and right.is_constant and prod(right.shape[:-2]) == 1 and not options.adj_x:
        # One matrix for all: the batches of the left operand are but more rows.
        left_shape, right_shape = (-1, depth), right.shape[-2:]
        output_shape = (-1, made[-1])
    dtype, requantizer = np.dtype(np.float32), None
    if left.type is not TensorType.FLOAT32:
        bound = _bound(left, right, options, depth)
        # Rows too long for exact floats are slow in integers, which may wrap as TFLM's do.
        dtype = accumulator_dtype(bound) if bound < FLOAT64_EXACT else np.dtype(np.int64)
        requantizer = _requantizer(left, right, output, bound)
    return BatchMatMulData(
        stackable=depth > 0 and not (left.is_constant and right.is_constant),
        left=_matrices(left, left_shape, options.adj_x, dtype),
        right=_matrices(right, right_shape, options.adj_y, dtype),
        output_shape=output_shape,
        dtype=dtype,
        requantizer=requantizer,
    )


def evaluate(context: EvalContext, node: Node, data: BatchMatMulData) -> None:
    """Multiply the matrices; rescale integers."""
    left, right = data.left.values, data.right.values
    if left is None:
        left = _read(context.input(node, LEFT).values, data.left, data.dtype)
    if right is None:
        right = _read(context.input(node, RIGHT).values, data.right, data.dtype)
    output = context.output(node, OUTPUT).values
    if data.requantizer is None:
        np.matmul(left, right, out=output.reshape(data.output_shape))
    else:
        data.requantizer(np.matmul(left, right), output)


def _check_operands(left: Tensor, right: Tensor, output: Tensor) -> None:
    check_type(left, "the left operand", *TYPES)
    for tensor, role in ((left, "left operand"), (right, "right operand"), (output, "output")):
        check_same_type(tensor, f"the {role}", left)
        check(
            tensor.type is not TensorType.INT16 or tensor.zero_point == 0,
            f"the {role} has a zero point of {tensor.zero_point}; int16 must have none here",
        )
    for tensor, role in ((left, "left operand"), (right, "right operand")):
        rank = len(tensor.shape)
        check(
            MIN_DIMENSIONS <= rank <= MAX_DIMENSIONS,
            f"the {role} has {rank} dimensions, not {MIN_DIMENSIONS} to {MAX_DIMENSIONS}",
        )


def _product_shape(left: Shape, right: Shape, options: BatchMatMulOptions) -> tuple[Shape, int]:
    """The output's shape, and the number of products in a sum."""
    rank = max(len(left), len(right))
    batches: list[int] = []
    for a, b in zip(_extended(left, rank)[:-2], _extended(right, rank)[:-2], strict=True):
        check(a == b or 1 in (a, b), f"{list(left)} and {list(right)} have other batches")
        batches.append(b if a == 1 else a)
    depth, rows = left[-2:] if options.adj_x else left[:-3:-1]
    columns, right_depth = right[-2:] if options.adj_y else right[:-3:-1]
    check(
        depth == right_depth,
        f"{list(left)} and {list(right)} are {depth} and {right_depth} deep",
    )
    return (*batches, rows, columns), depth


def _bound(left: Tensor, right: Tensor, options: BatchMatMulOptions, depth: int) -> int:
    """The largest magnitude of a sum."""
    if right.is_constant:
        return _largest_sum(right, -1 if options.adj_y else -2) * _limit(left)
    if left.is_constant:
        return _largest_sum(left, -2 if options.adj_x else -1) * _limit(right)
    return depth * _limit(left) * _limit(right)


def _largest_sum(tensor: Tensor, axis: int) -> int:
    magnitudes = np.abs(tensor.values.astype(np.int64) - tensor.zero_point)
    return int(magnitudes.sum(axis=axis).max(initial=0))


def _limit(tensor: Tensor) -> int:
    limits = np.iinfo(tensor.dtype)
    return max(int(limits.max) - tensor.zero_point, tensor.zero_point - int(limits.min))


def _requantizer(left: Tensor, right: Tensor, output: Tensor, bound: int) -> Requantizer:
    limits = np.iinfo(output.dtype)
    bits = 8 * output.dtype.itemsize
    return Requantizer(
        (_factor(left, right, output),),
        OutputRange(output.zero_point, int(limits.min), int(limits.max), bits),
        channels=1,
        rows=output.size,
        bounds=bound,
        wide=left.type is TensorType.INT16,
    )


def _factor(left: Tensor, right: Tensor, output: Tensor) -> FixedPoint:
    """TFLM multiplies the scales in float32; without scales every output is the zero point."""
    with np.errstate(over="ignore"):
        product = float(np.float32(left.scale) * np.float32(right.scale))
    check(product >= 0.0, "input_product_scale >= 0 was not true.")
    check(output.scale >= 0.0, "the output's scale is negative")
    return quantize_multiplier(product / output.scale if output.scale else 0.0)


def _matrices(tensor: Tensor, shape: Shape, is_transposed: bool, dtype: np.dtype[Any]) -> Matrices:
    zero_point = 0 if tensor.type is TensorType.FLOAT32 else tensor.zero_point
    matrices = Matrices(shape, is_transposed, zero_point)
    if not tensor.is_constant:
        return matrices
    return Matrices(shape, is_transposed, zero_point, _read(tensor.values, matrices, dtype))


def _read(values: Array, matrices: Matrices, dtype: np.dtype[Any]) -> Array:
    shaped = values.reshape(matrices.shape)
    if matrices.is_transposed:
        shaped = shaped.swapaxes(-1, -2)
    if matrices.zero_point:
        return np.subtract(shaped, matrices.zero_point, dtype=dtype)
    return shaped.astype(dtype, copy=False)


def _with_samples(tensor: Tensor, rank: int) -> Shape:
    extended = _extended(tensor.shape, rank)
    return (1, *extended) if tensor.is_constant else samples_of(extended)


def _extended(shape: Shape, rank: int) -> Shape:
    return (1,) * (rank - len(shape)) + shape


def _stacks(data: BatchMatMulData) -> bool:
    return data.stackable


BATCH_MATMUL = Registration(BuiltinOperator.BATCH_MATMUL, prepare, evaluate, _stacks)
