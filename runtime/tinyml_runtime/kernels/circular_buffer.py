"""CIRCULAR_BUFFER: the last steps of a stream; lets what follows run in some invocations only.

Shapes    input [batch, 1, width, depth] -> output [batch, steps, width, depth]; only the first of
          the batch is moved
Types     int8
Units     values are copied
Source    tflite-micro `micro/kernels/circular_buffer.cc`, `circular_buffer_common.cc`

Every `period` invocations the nodes behind this one run too, the other invocations end here. The
output, a variable tensor, is the memory: the input comes in at its end.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_runtime.errors import NodeError
from tinyml_runtime.model.flatbuffer import Defect
from tinyml_runtime.model.flexbuffer import FlexMap
from tinyml_runtime.registration import (
    EndOfInvocation,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_type,
)
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import TensorType

INPUT = 0
OUTPUT = 0
STEPS = 1
CYCLES_MAX = 0

# Older models do not state the period: TFLM knows two of them by the shapes of their buffers.
LAST_STEPS = (5, 13, 25)
LAST_SHAPE = (2, 96)
LAST_COUNT = 5


@dataclass(slots=True)
class CircularBufferData:
    """Elements of a step and of the buffer; the period, and how far it has gone."""

    step: int
    size: int
    period: int
    is_stated: bool
    until_run: int


def prepare(context: PrepareContext, node: Node) -> CircularBufferData:
    """Check that input and output agree; find the period."""
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_type(source, "the input", TensorType.INT8)
    check_type(output, "the output", TensorType.INT8)
    _check_shapes(source, output)
    stated = _stated_period(node)
    period = stated if stated > 0 else _usual_period(context, output)
    step = output.shape[2] * output.shape[3]
    return CircularBufferData(step, output.shape[STEPS] * step, period, stated > 0, period)


def evaluate(context: EvalContext, node: Node, data: CircularBufferData) -> None:
    """Move the buffer by a step; end the invocation unless the period is over."""
    source = context.input(node, INPUT).values.reshape(-1)
    buffer = context.output(node, OUTPUT).values.reshape(-1)[: data.size]
    buffer[: -data.step] = buffer[data.step :].copy()
    buffer[-data.step :] = source[: data.step]
    data.until_run -= 1
    if data.until_run:
        raise EndOfInvocation
    data.until_run = data.period


def reset(data: CircularBufferData) -> None:
    """Start the period anew; the buffer is a variable tensor of the model."""
    data.until_run = data.period


def _check_shapes(source: Tensor, output: Tensor) -> None:
    for role, tensor in (("input", source), ("output", output)):
        check(
            len(tensor.shape) >= 4,
            f"the {role} has {len(tensor.shape)} dimensions; this operator needs 4",
        )
    check(source.shape[STEPS] == 1, f"the input has {source.shape[STEPS]} steps, not 1")
    for dimension in (0, 2, 3):
        check(
            source.shape[dimension] == output.shape[dimension],
            f"input {list(source.shape)} and output {list(output.shape)} differ in dimension "
            f"{dimension}",
        )


def _stated_period(node: Node) -> int:
    """What the options say; they have one entry, whatever its name."""
    if not node.custom_options:
        return 0
    try:
        return FlexMap(node.custom_options).stored_integer(CYCLES_MAX)
    except Defect as defect:
        raise NodeError(f"custom options: {defect.reason}") from None


def _usual_period(context: PrepareContext, output: Tensor) -> int:
    """1 for the last buffer of the models without a stated period, 2 for those before it."""
    if output.shape[STEPS] in LAST_STEPS:
        return 1
    count = 1
    for earlier in context.prepared(CircularBufferData):
        if not earlier.is_stated:
            count = 1 if earlier.period == 1 else count + 1
    return 1 if count == LAST_COUNT and output.shape[2:4] == LAST_SHAPE else 2


CIRCULAR_BUFFER = Registration("CIRCULAR_BUFFER", prepare, evaluate, reset=reset)
