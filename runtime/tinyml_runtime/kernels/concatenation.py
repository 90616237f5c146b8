"""CONCATENATION, PACK: tensors joined along an axis; SPLIT, SPLIT_V, UNPACK: a tensor taken apart.

Shapes    both are seen as rows: [outer dimensions, joined axis x inner dimensions], in which each
          part has some columns; PACK and UNPACK have an axis of their own for the parts
Types     CONCATENATION float32, int8, int16, int32, int64, bool; PACK the same without bool;
          SPLIT, SPLIT_V, UNPACK float32, int8, int16, int32
Units     values are copied: int8 parts of a CONCATENATION have the output's scale and zero point,
          int16 ones a zero point of 0; the scale of int16 parts and of the others is not looked at
Source    tflite-micro kernels/concatenation.cc, pack.cc, unpack.cc, split.cc, split_v.cc
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import prod

from tinyml_runtime.kernels.binding import bind_copies
from tinyml_runtime.kernels.operands import (
    check_counts,
    check_same_type,
    constant_words,
    resolve_axis,
)
from tinyml_runtime.model.options import ConcatenationOptions, PackOptions, UnpackOptions
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
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

SPLIT_AXIS, SPLIT_INPUT = 0, 1
SPLIT_V_INPUT, SPLIT_V_AXIS = 0, 2
UNPACK_INPUT = 0
OUTPUT = 0

MAX_CONCATENATION_INPUTS = 10
MAX_CONCATENATION_DIMENSIONS = 6

SPLIT_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.INT32)
PACK_TYPES = (*SPLIT_TYPES, TensorType.INT64)
CONCATENATION_TYPES = (*PACK_TYPES, TensorType.BOOL)


@dataclass(frozen=True, slots=True)
class PartsData:
    """Parts that have columns: their positions among the operands and their widths.

    `width` is that of the whole, whose position among the inputs is `whole` where it is taken
    apart.
    """

    stackable: bool
    width: int
    parts: tuple[tuple[int, int], ...]
    whole: int = 0


def prepare_concatenation(context: PrepareContext, node: Node) -> PartsData:
    """Check that the inputs fill the output, without rescaling."""
    inputs = [context.input(node, position) for position in range(max(1, len(node.inputs)))]
    output = context.output(node, OUTPUT)
    options = node.options_as(ConcatenationOptions)
    check(
        options.fused_activation is Activation.NONE,
        f"a fused {options.fused_activation.name} is not supported by this kernel",
    )
    check(
        len(inputs) <= MAX_CONCATENATION_INPUTS,
        f"the node has {len(inputs)} inputs; this kernel takes at most {MAX_CONCATENATION_INPUTS}",
        "concatenate in several steps",
    )
    check_type(output, "the output", *CONCATENATION_TYPES)
    for position, tensor in enumerate(inputs):
        _check_part(tensor, f"input {position}", output)
    axis = resolve_axis(options.axis, len(output.shape))
    lengths = _lengths_along(axis, inputs, output)
    inner = prod(output.shape[axis + 1 :])
    return _joined(inputs, [length * inner for length in lengths])


def prepare_pack(context: PrepareContext, node: Node) -> PartsData:
    """Check that the inputs fill the output."""
    output = context.output(node, OUTPUT)
    options = node.options_as(PackOptions)
    count = options.values_count
    check_type(output, "the output", *PACK_TYPES)
    axis = resolve_axis(options.axis, len(output.shape))
    check(
        count == output.shape[axis],
        f"the options tell of {count} values, the output {list(output.shape)} holds "
        f"{output.shape[axis]}",
    )
    inputs = [context.input(node, position) for position in range(count)]
    elements = output.size // max(1, count)
    for position, tensor in enumerate(inputs):
        check_same_type(tensor, f"input {position}", output)
        _check_size(tensor, f"input {position}", elements)
    return _joined(inputs, [prod(output.shape[axis + 1 :])] * count)


def prepare_split(context: PrepareContext, node: Node) -> PartsData:
    """Check that the outputs share the input equally; the option `num_splits` does not count."""
    source = context.input(node, SPLIT_INPUT)
    axis = _split_axis(context.input(node, SPLIT_AXIS), source)
    outputs = _outputs(context, node, source, len(node.outputs))
    check(len(outputs) > 0, "output 0 is missing")
    _check_rank_of(outputs[0], "output 0", axis)
    length = outputs[0].shape[axis]
    return _taken_apart(source, outputs, axis, [length] * len(outputs), SPLIT_INPUT)


def prepare_split_v(context: PrepareContext, node: Node) -> PartsData:
    """Check that the outputs share the input; their shapes say how, not the second input."""
    check_counts(node, (3,), len(node.outputs))
    source = context.input(node, SPLIT_V_INPUT)
    axis = _split_axis(context.input(node, SPLIT_V_AXIS), source)
    outputs = _outputs(context, node, source, len(node.outputs))
    check(len(outputs) > 0, "output 0 is missing")
    for position, output in enumerate(outputs):
        _check_rank_of(output, f"output {position}", axis)
    lengths = [output.shape[axis] for output in outputs]
    return _taken_apart(source, outputs, axis, lengths, SPLIT_V_INPUT)


def prepare_unpack(context: PrepareContext, node: Node) -> PartsData:
    """Check that there is an output for each index along the axis."""
    source = context.input(node, UNPACK_INPUT)
    options = node.options_as(UnpackOptions)
    check_type(source, "the input", *SPLIT_TYPES)
    axis = resolve_axis(options.axis, len(source.shape))
    outputs = _outputs(context, node, source, options.num)
    return _taken_apart(source, outputs, axis, [1] * options.num, UNPACK_INPUT)


def bind_join(context: EvalContext, node: Node, data: PartsData) -> Callable[[], None]:
    """Put the parts beside each other, in every row."""
    parts = [context.input(node, part).values.reshape(-1, width) for part, width in data.parts]
    columns = _columns(context.output(node, OUTPUT).values, data)
    return bind_copies(list(zip(columns, parts, strict=True)))


def bind_take_apart(context: EvalContext, node: Node, data: PartsData) -> Callable[[], None]:
    """Give every part its columns of all rows."""
    parts = [context.output(node, part).values.reshape(-1, width) for part, width in data.parts]
    columns = _columns(context.input(node, data.whole).values, data)
    return bind_copies(list(zip(parts, columns, strict=True)))


def _columns(whole: Array, data: PartsData) -> list[Array]:
    """The columns of the whole, seen as rows, that belong to each part."""
    if not data.parts:
        return []
    rows = whole.reshape(-1, data.width)
    ends = list(accumulate(width for _, width in data.parts))
    return [rows[:, end - width : end] for end, (_, width) in zip(ends, data.parts, strict=True)]


def _check_part(tensor: Tensor, role: str, output: Tensor) -> None:
    check_same_type(tensor, role, output)
    rank = len(tensor.shape)
    check(
        rank <= MAX_CONCATENATION_DIMENSIONS,
        "Op Concatenation does not currently support num dimensions > "
        f"{MAX_CONCATENATION_DIMENSIONS} Tensor has {rank} dimensions.",
    )
    if output.type is TensorType.INT8:
        check(
            tensor.scale == output.scale and tensor.zero_point == output.zero_point,
            f"{role} and the output have different scales or zero points",
            "quantize all inputs and the output alike: this kernel does not rescale",
        )
    if output.type is TensorType.INT16:
        check(
            tensor.zero_point == 0 and output.zero_point == 0,
            f"{role} or the output has a zero point; int16 tensors must not have one here",
        )


def _lengths_along(axis: int, inputs: Sequence[Tensor], output: Tensor) -> list[int]:
    """Length of every input along the axis; NodeError unless together they make the output."""
    lengths: list[int] = []
    for position, tensor in enumerate(inputs):
        _check_rank_of(tensor, f"input {position}", axis)
        length = tensor.shape[axis]
        check_shape(
            tensor, f"input {position}", (*output.shape[:axis], length, *output.shape[axis + 1 :])
        )
        lengths.append(length)
    check(
        sum(lengths) == output.shape[axis],
        f"the inputs are {sum(lengths)} long along axis {axis}, the output "
        f"{list(output.shape)} is {output.shape[axis]}",
    )
    return lengths


def _joined(inputs: Sequence[Tensor], widths: Sequence[int]) -> PartsData:
    parts = tuple(
        (position, width)
        for position, (tensor, width) in enumerate(zip(inputs, widths, strict=True))
        if tensor.size
    )
    stackable = not any(tensor.is_constant for tensor in inputs)
    return PartsData(stackable, sum(widths), parts)


def _split_axis(tensor: Tensor, source: Tensor) -> int:
    (axis,) = constant_words(tensor, "axis", 1)
    check_type(source, "the input", *SPLIT_TYPES)
    return resolve_axis(axis, len(source.shape))


def _outputs(context: PrepareContext, node: Node, source: Tensor, count: int) -> list[Tensor]:
    outputs = [context.output(node, position) for position in range(count)]
    for position, output in enumerate(outputs):
        check_same_type(output, f"output {position}", source)
    return outputs


def _taken_apart(
    source: Tensor, outputs: Sequence[Tensor], axis: int, lengths: Sequence[int], whole: int
) -> PartsData:
    check(
        sum(lengths) == source.shape[axis],
        f"the outputs are {sum(lengths)} long along axis {axis}, the input "
        f"{list(source.shape)} is {source.shape[axis]}",
    )
    outer, inner = prod(source.shape[:axis]), prod(source.shape[axis + 1 :])
    for position, (output, length) in enumerate(zip(outputs, lengths, strict=True)):
        _check_size(output, f"output {position}", outer * length * inner)
    parts = tuple(
        (position, length * inner)
        for position, length in enumerate(lengths)
        if outer * length * inner
    )
    return PartsData(not source.is_constant, source.shape[axis] * inner, parts, whole)


def _check_rank_of(tensor: Tensor, role: str, axis: int) -> None:
    check(axis < len(tensor.shape), f"{role} {list(tensor.shape)} has no dimension {axis}")


def _check_size(tensor: Tensor, role: str, elements: int) -> None:
    check(
        tensor.size == elements,
        f"{role} {list(tensor.shape)} has {tensor.size} elements, its part of the whole has "
        f"{elements}",
    )


def _stacks(data: PartsData) -> bool:
    return data.stackable


CONCATENATION = Registration(
    BuiltinOperator.CONCATENATION, prepare_concatenation, BindingEvaluate(bind_join), _stacks
)
PACK = Registration(BuiltinOperator.PACK, prepare_pack, BindingEvaluate(bind_join), _stacks)
SPLIT = Registration(
    BuiltinOperator.SPLIT, prepare_split, BindingEvaluate(bind_take_apart), _stacks
)
SPLIT_V = Registration(
    BuiltinOperator.SPLIT_V, prepare_split_v, BindingEvaluate(bind_take_apart), _stacks
)
UNPACK = Registration(
    BuiltinOperator.UNPACK, prepare_unpack, BindingEvaluate(bind_take_apart), _stacks
)
