"""RESHAPE, SQUEEZE, EXPAND_DIMS: the same elements in another shape; TRANSPOSE: another order.

Shapes    input [any], (shape | axis | permutation) -> output, whose shape the file gives; RESHAPE
          ignores its second input, constant or not
Types     RESHAPE, SQUEEZE any of a fixed size; EXPAND_DIMS, TRANSPOSE float32, int8, int16
Source    tflite-micro kernels/reshape{,_common}.cc, squeeze.cc, expand_dims.cc,
          transpose{,_common}.cc
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tinyml_runtime.kernels.binding import bind_copy
from tinyml_runtime.kernels.operands import (
    check_counts,
    check_same_type,
    constant_words,
    samples_of,
)
from tinyml_runtime.model.options import ReshapeOptions, SqueezeOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Tensor, unallocated
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, AXIS, PERMUTATION = 0, 1, 1
OUTPUT = 0

# Options hold their dimensions in an array of this length.
MAX_OPTION_DIMENSIONS = 8
MAX_SQUEEZE_DIMENSIONS = 8
MAX_TRANSPOSE_DIMENSIONS = 5

MOVED_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)
UNSIZED_TYPES = (
    TensorType.STRING,
    TensorType.VARIANT,
    TensorType.INT2,
    TensorType.UINT4,
    TensorType.FLOAT8_E4M3FN,
    TensorType.FLOAT8_E5M2,
)


@dataclass(frozen=True, slots=True)
class ShapesData:
    """How the input is read: `shape` (empty: as it is), then its axes in the order `axes`."""

    stackable: bool
    shape: tuple[int, ...] = ()
    axes: tuple[int, ...] = ()


def prepare_reshape(context: PrepareContext, node: Node) -> ShapesData:
    """Settle the output's shape, which must have room for exactly the input's elements."""
    check_counts(node, (1, 2))
    _check_option("reshape", node.options_as(ReshapeOptions).new_shape)
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(source.type not in UNSIZED_TYPES, f"Type {source.type.name} not supported.")
    check_same_type(output, "the output", source)
    if len(node.inputs) == 1 and output.shape == (0,):
        # So old files, which give no shape operand, write the shape of a scalar.
        output.shape, output.values = (), unallocated(output.type, ())
    _check_sizes(source, output)
    return ShapesData(stackable=not source.is_constant)


def prepare_squeeze(context: PrepareContext, node: Node) -> ShapesData:
    """Check that what is squeezed has one element along it, and that the output has room."""
    check_counts(node, (1,))
    squeezed = node.options_as(SqueezeOptions).squeeze_dims
    _check_option("squeeze", squeezed)
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(source.type not in UNSIZED_TYPES, f"Type {source.type.name} not supported.")
    check_same_type(output, "the output", source)
    rank = len(source.shape)
    check(
        rank <= MAX_SQUEEZE_DIMENSIONS,
        f"the input has {rank} dimensions; this kernel takes at most {MAX_SQUEEZE_DIMENSIONS}",
    )
    gone = {axis + rank if axis < 0 else axis for axis in squeezed}
    for axis in gone:
        check(
            0 <= axis < rank and source.shape[axis] == 1,
            f"the input {list(source.shape)} has no dimension {axis} of 1 to squeeze",
        )
    kept = [
        length
        for axis, length in enumerate(source.shape)
        if (axis not in gone if squeezed else length != 1)
    ]
    check(
        len(output.shape) >= len(kept)
        and all(room >= length for room, length in zip(output.shape, kept, strict=False)),
        f"the output {list(output.shape)} is smaller than the squeezed input {kept}",
    )
    _check_sizes(source, output)
    return ShapesData(stackable=not source.is_constant)


def prepare_expand_dims(context: PrepareContext, node: Node) -> ShapesData:
    """Check the constant axis and the output's shape."""
    check_counts(node, (2,))
    source, axis_tensor = context.input(node, INPUT), context.input(node, AXIS)
    output = context.output(node, OUTPUT)
    check_type(source, "the input", *MOVED_TYPES)
    check_same_type(output, "the output", source)
    check(len(axis_tensor.shape) <= 1, "Axis has only one element for Expand_Dims.")
    check(
        axis_tensor.type is TensorType.INT32,
        f"Axis type {axis_tensor.type.name} not supported by Expand_Dims.",
    )
    (axis,) = constant_words(axis_tensor, "axis", 1)
    rank = len(source.shape)
    position = axis + rank + 1 if axis < 0 else axis
    check(0 <= position <= rank, f"axis {axis} is out of range for {rank} dimensions")
    check_shape(output, "the output", (*source.shape[:position], 1, *source.shape[position:]))
    return ShapesData(stackable=not source.is_constant)


def prepare_transpose(context: PrepareContext, node: Node) -> ShapesData:
    """Check the constant permutation and the output's shape."""
    check_counts(node, (2,))
    source, order = context.input(node, INPUT), context.input(node, PERMUTATION)
    output = context.output(node, OUTPUT)
    rank = len(source.shape)
    check(
        rank <= MAX_TRANSPOSE_DIMENSIONS,
        "Transpose op only supports 1D-5D input arrays.",
    )
    check_same_type(output, "the output", source)
    check_type(source, "the input", *MOVED_TYPES)
    check(order.shape == (rank,), f"the permutation {list(order.shape)} is not for rank {rank}")
    axes = constant_words(order, "perm", rank)
    check(
        all(0 <= axis < rank for axis in axes),
        "Transpose op permutations array is out of bounds.",
    )
    check(len(set(axes)) == rank, f"the permutation {axes} names a dimension twice")
    check_shape(output, "the output", [source.shape[axis] for axis in axes])
    stackable = not source.is_constant
    if axes[:1] == [0]:
        return ShapesData(stackable, axes=tuple(axes))
    return ShapesData(stackable, samples_of(source.shape), (0, *(axis + 1 for axis in axes)))


def bind_copy_in_order(context: EvalContext, node: Node, data: ShapesData) -> Callable[[], None]:
    """Copy the elements in order."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    return bind_copy(output.reshape(-1), source.reshape(-1))


def bind_transpose(context: EvalContext, node: Node, data: ShapesData) -> Callable[[], None]:
    """Copy the elements in the order of the permuted dimensions."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    moved = source.reshape(data.shape or source.shape).transpose(data.axes)
    return bind_copy(output.reshape(moved.shape), moved)


_evaluate_copy = BindingEvaluate(bind_copy_in_order)


def _check_option(operator: str, dimensions: tuple[int, ...]) -> None:
    check(
        len(dimensions) <= MAX_OPTION_DIMENSIONS,
        f"Found too many dimensions in the input array of operation '{operator}'.",
    )


def _check_sizes(source: Tensor, output: Tensor) -> None:
    check(
        source.size == output.size,
        f"the input has {source.size} elements, the output {list(output.shape)} has {output.size}",
    )


def _stacks(data: ShapesData) -> bool:
    return data.stackable


RESHAPE = Registration(BuiltinOperator.RESHAPE, prepare_reshape, _evaluate_copy, _stacks)
SQUEEZE = Registration(BuiltinOperator.SQUEEZE, prepare_squeeze, _evaluate_copy, _stacks)
EXPAND_DIMS = Registration(
    BuiltinOperator.EXPAND_DIMS, prepare_expand_dims, _evaluate_copy, _stacks
)
TRANSPOSE = Registration(
    BuiltinOperator.TRANSPOSE, prepare_transpose, BindingEvaluate(bind_transpose), _stacks
)
