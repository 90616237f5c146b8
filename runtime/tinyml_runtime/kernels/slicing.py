"""SLICE, STRIDED_SLICE: a box out of a tensor, with steps.

Shapes    SLICE input [any, rank <= 5], begin [rank], size [rank] (-1: to the end) -> output with as
          many elements; STRIDED_SLICE input [any, rank <= 4], begin, end, strides [rank] ->
          output without the axes that are shrunk
Types     float32, int8, int16, int32, bool; begin and size of SLICE int32 or int64, constant or
          not; those of STRIDED_SLICE constants
Source    tflite-micro kernels/slice.cc, strided_slice{,_common}.cc; ellipsis, new axes and offset
          of STRIDED_SLICE are ignored there
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.kernels.binding import bind_copy
from tinyml_runtime.kernels.operands import (
    check_counts,
    check_same_type,
    constant_words,
    samples_of,
)
from tinyml_runtime.model.options import StridedSliceOptions
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
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, BEGIN, SIZE, END, STRIDES = 0, 1, 2, 2, 3
OUTPUT = 0

MAX_SLICE_DIMENSIONS = 5
MAX_STRIDED_SLICE_DIMENSIONS = 4
TO_THE_END = -1

TYPES = (
    TensorType.FLOAT32,
    TensorType.INT8,
    TensorType.INT16,
    TensorType.INT32,
    TensorType.BOOL,
)

Box = tuple[slice | int, ...]


@dataclass(frozen=True, slots=True)
class SlicingData:
    """The `box` to take; None where only the run gives it.

    `seen` is how the input is seen for that: with an axis of samples in front, or empty where the
    tensors are taken as they are.
    """

    stackable: bool
    box: Box | None
    seen: tuple[int, ...] = ()


def prepare_slice(context: PrepareContext, node: Node) -> SlicingData:
    """Check the operands; find the box if begin and size are constants."""
    check_counts(node, (3,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    begin, size = context.input(node, BEGIN), context.input(node, SIZE)
    check_type(source, "the input", *TYPES)
    check_same_type(output, "the output", source)
    rank = len(source.shape)
    check(
        rank <= MAX_SLICE_DIMENSIONS,
        f"the input has {rank} dimensions; this kernel takes at most {MAX_SLICE_DIMENSIONS}",
    )
    check_type(begin, "begin", TensorType.INT32, TensorType.INT64)
    for tensor, role in ((begin, "begin"), (size, "size")):
        check(tensor.type is begin.type, f"{role} is {tensor.type.name}, begin {begin.type.name}")
        check(tensor.size >= rank, f"{role} has {tensor.size} elements for {rank} dimensions")
    if not (begin.is_constant and size.is_constant):
        return SlicingData(stackable=False, box=None)
    return _laid_out(source, output, _slice_box(source, output, begin.values, size.values))


def prepare_strided_slice(context: PrepareContext, node: Node) -> SlicingData:
    """Turn begin, end, strides and masks into a box; NumPy resolves negative ends as TFLM does."""
    check_counts(node, (4,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    options = node.options_as(StridedSliceOptions)
    rank = len(source.shape)
    check(rank <= MAX_STRIDED_SLICE_DIMENSIONS, "input dim should not exceed 4")
    begins = constant_words(context.input(node, BEGIN), "begin", rank)
    ends = constant_words(context.input(node, END), "end", rank)
    strides = constant_words(context.input(node, STRIDES), "strides", rank)
    check(0 not in strides, "stride value has to be non-zero")
    check_type(source, "the input", *TYPES)
    check_same_type(output, "the output", source)
    box: list[slice | int] = []
    for axis, length in enumerate(source.shape):
        bit = 1 << axis
        part = slice(
            None if options.begin_mask & bit else begins[axis],
            None if options.end_mask & bit else ends[axis],
            strides[axis],
        )
        box.append(_only_index(part, axis, length) if options.shrink_axis_mask & bit else part)
    check_shape(output, "the output", _taken_shape(source.shape, box))
    return _laid_out(source, output, box)


def bind(context: EvalContext, node: Node, data: SlicingData) -> Callable[[], None]:
    """Copy the box."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    if data.box is None:

        def copy() -> None:
            output[...] = source[_run_time_box(context, node)].reshape(output.shape)

        return copy
    taken = source.reshape(data.seen or source.shape)[data.box]
    return bind_copy(output.reshape(taken.shape), taken)


def _slice_box(source: Tensor, output: Tensor, begin: Array, size: Array) -> list[slice | int]:
    """The box that begin and size name; NodeError unless it lies inside and fills the output."""
    shape = source.shape
    starts = begin.reshape(-1)[: len(shape)].tolist()
    sizes = size.reshape(-1)[: len(shape)].tolist()
    stops = [
        length if count == TO_THE_END else start + count
        for start, count, length in zip(starts, sizes, shape, strict=True)
    ]
    lengths = [max(0, stop - start) for start, stop in zip(starts, stops, strict=True)]
    check(
        prod(lengths) == output.size,
        f"the slice {lengths} has {prod(lengths)} elements, the output {list(output.shape)} has "
        f"{output.size}",
    )
    if not output.size:
        return [slice(0)] * len(shape)
    check(
        all(start >= 0 for start in starts)
        and all(stop <= length for stop, length in zip(stops, shape, strict=True)),
        f"the slice from {starts} to {stops} is not inside of the input {list(shape)}",
    )
    return [slice(start, stop, 1) for start, stop in zip(starts, stops, strict=True)]


def _run_time_box(context: EvalContext, node: Node) -> Box:
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    begin, size = context.input(node, BEGIN), context.input(node, SIZE)
    try:
        return tuple(_slice_box(source, output, begin.values, size.values))
    except NodeError as error:
        raise RunError(f"{node.operator} (node {node.index}): {error.reason}") from error


def _only_index(part: slice, axis: int, length: int) -> int:
    """The index that is left of a dimension; TFLM writes nothing where there is none."""
    start, _, step = part.indices(length)
    check(
        step > 0 and start < length,
        f"dimension {axis} of {length} is shrunk to index {part.start} with stride {step}: "
        "nothing is left of it",
    )
    return start


def _taken_shape(shape: Sequence[int], box: Sequence[slice | int]) -> tuple[int, ...]:
    return tuple(
        len(range(*part.indices(length)))
        for length, part in zip(shape, box, strict=True)
        if isinstance(part, slice)
    )


def _laid_out(source: Tensor, output: Tensor, box: Sequence[slice | int]) -> SlicingData:
    """Take the box without an axis of samples if it leaves axis 0, along which they lie, whole."""
    shape = source.shape
    stackable = not source.is_constant
    whole = [
        isinstance(part, slice) and part.indices(length) == (0, length, 1)
        for length, part in zip(shape, box, strict=True)
    ]
    parts = tuple(slice(None) if full else part for full, part in zip(whole, box, strict=True))
    if whole[:1] == [True] and output.shape == _taken_shape(shape, box):
        return SlicingData(stackable, parts)
    return SlicingData(stackable, (slice(None), *parts), samples_of(shape))


def _stacks(data: SlicingData) -> bool:
    return data.stackable


SLICE = Registration(BuiltinOperator.SLICE, prepare_slice, BindingEvaluate(bind), _stacks)
STRIDED_SLICE = Registration(
    BuiltinOperator.STRIDED_SLICE, prepare_strided_slice, BindingEvaluate(bind), _stacks
)
