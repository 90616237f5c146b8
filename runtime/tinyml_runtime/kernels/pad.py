"""PAD, PADV2: a border of one value around a tensor.

Shapes    input [any, rank <= 5], paddings [rank, 2] (before, after), pad value [1] (either operator
          may have it) -> output [any], each dimension longer by its paddings
Types     float32, int8, int16, int32; paddings are constants
Units     without a pad value the border is 0.0, an int8 output's zero point, or a stored 0
Source    tflite-micro kernels/pad{,_common}.cc
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod

import numpy as np

from tinyml_runtime.kernels.operands import (
    check_counts,
    check_same_type,
    constant_words,
    samples_of,
)
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
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, PADDINGS, PAD_VALUE = 0, 1, 2
OUTPUT = 0

MAX_DIMENSIONS = 5
TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16, TensorType.INT32)


@dataclass(frozen=True, slots=True)
class PadData:
    """Where the input goes: its first `taken` elements fill `inside`.

    `output_shape` is how the output is seen for that: with an axis of samples in front, or empty
    where the tensors are taken as they are. `pad_value` is None where only the run gives it.
    """

    stackable: bool
    pad_value: float | None
    inside: tuple[slice, ...]
    taken: int
    output_shape: tuple[int, ...] = ()


def prepare(context: PrepareContext, node: Node) -> PadData:
    """Check the operands and find the box of the output that the input fills."""
    check_counts(node, (2, 3))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_same_type(output, "the output", source)
    check_type(source, "the input", *TYPES)
    rank = len(source.shape)
    check(
        rank <= MAX_DIMENSIONS,
        f"the input has {rank} dimensions; this kernel takes at most {MAX_DIMENSIONS}",
    )
    paddings = _paddings(context.input(node, PADDINGS), rank)
    padded = [size + sum(both) for size, both in zip(source.shape, paddings, strict=True)]
    check_shape(output, "the output", padded)
    value = context.optional_input(node, PAD_VALUE)
    pad_value = _default_value(output) if value is None else _given_value(value, output)
    inside = tuple(
        slice(max(0, before), max(0, before, length - max(0, after)))
        for length, (before, after) in zip(padded, paddings, strict=True)
    )
    taken = prod(box.stop - box.start for box in inside)
    stackable = not source.is_constant and pad_value is not None
    if taken == source.size and paddings[:1] == [(0, 0)]:
        return PadData(stackable, pad_value, (slice(None), *inside[1:]), taken)
    seen = samples_of(output.shape)
    return PadData(stackable, pad_value, (slice(None), *inside), taken, seen)


def bind(context: EvalContext, node: Node, data: PadData) -> Callable[[], None]:
    """Fill the output with the pad value, then put the input inside."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    box, taken = output.reshape(data.output_shape or output.shape)[data.inside], source
    if data.output_shape:
        # A negative padding does not cut slices off: TFLM goes on with the next elements in order.
        taken = source.reshape(len(box), -1)[:, : data.taken].reshape(box.shape)
    fixed = data.pad_value
    value = None if fixed is not None else context.input(node, PAD_VALUE).values.reshape(-1)

    def run() -> None:
        output.fill(fixed if value is None else value[0])
        box[...] = taken

    return run


def _paddings(tensor: Tensor, rank: int) -> list[tuple[int, int]]:
    words = constant_words(tensor, "paddings", 2 * rank)
    check(
        tensor.size == 2 * rank,
        f"the paddings {list(tensor.shape)} are not a pair for each of {rank} dimensions",
    )
    return list(zip(words[::2], words[1::2], strict=True))


def _default_value(output: Tensor) -> float:
    """The stored zero that TFLM uses: it knows the zero point of int8 only."""
    if output.type is not TensorType.INT8:
        return 0
    limits = np.iinfo(np.int8)
    check(
        limits.min <= output.zero_point <= limits.max,
        f"the output's zero point {output.zero_point} is not an int8",
    )
    return output.zero_point


def _given_value(value: Tensor, output: Tensor) -> float | None:
    check_same_type(value, "the pad value", output)
    check(value.size == 1, f"the pad value has {value.size} elements, not 1")
    if output.type is TensorType.INT8:
        check(
            value.zero_point == output.zero_point and value.scale == output.scale,
            "the pad value and the output have different scales or zero points",
        )
    return value.values.reshape(-1)[0].item() if value.is_constant else None


def _stacks(data: PadData) -> bool:
    return data.stackable


PAD = Registration(BuiltinOperator.PAD, prepare, BindingEvaluate(bind), _stacks)
PADV2 = Registration(BuiltinOperator.PADV2, prepare, BindingEvaluate(bind), _stacks)
