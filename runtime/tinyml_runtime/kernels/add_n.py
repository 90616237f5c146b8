"""ADD_N: the sum of two or more operands of one shape.

Shapes    inputs, all of the same shape -> output of the same shape
Types     float32; int8, all inputs with one scale and zero point
Units     real = scale * (stored - zero point), with the exception that `running_sums.py` states
Source    tflite-micro `micro/kernels/add_n.cc`, `lite/kernels/internal/reference/add_n.h`
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.operands import check_same_type
from tinyml_runtime.kernels.running_sums import RunningSumRescaler
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
)
from tinyml_runtime.tensor import Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

OUTPUT = 0


@dataclass(frozen=True, slots=True)
class AddNData:
    """How sums are rescaled, None for float32; `zero_points` is the sum of the inputs' ones."""

    rescale: RunningSumRescaler | None
    zero_points: int
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> AddNData:
    """Check that the operands are alike; settle the rescaling of the sum."""
    check(len(node.inputs) >= 2, f"the node has {len(node.inputs)} inputs, at least 2 are needed")
    check(len(node.outputs) == 1, f"the node has {len(node.outputs)} outputs, not 1")
    first, *others = (context.input(node, index) for index in range(len(node.inputs)))
    output = context.output(node, OUTPUT)
    kind = first.type
    check(
        kind in (TensorType.FLOAT32, TensorType.INT8),
        f"ADD_N only supports FLOAT32 and INT8, got {kind.name}.",
    )
    check_same_type(output, "the output", first)
    check_shape(output, "the output", first.shape)
    for tensor in others:
        _check_alike(tensor, first)
    stackable = not any(tensor.is_constant for tensor in (first, *others))
    if kind is TensorType.FLOAT32:
        return AddNData(None, 0, stackable)
    count = len(node.inputs)
    rescale = RunningSumRescaler(first, output, count)
    return AddNData(rescale, count * first.zero_point, stackable)


def evaluate(context: EvalContext, node: Node, data: AddNData) -> None:
    """Add one operand after another."""
    out = context.output(node, OUTPUT).values
    operands = [context.input(node, index).values for index in range(len(node.inputs))]
    if data.rescale is None:
        np.add(operands[0], operands[1], out=out)
        for values in operands[2:]:
            out += values
        return
    sums = np.subtract(operands[0], data.zero_points, dtype=np.float64)
    for values in operands[1:]:
        sums += values
    data.rescale(sums, out)


def _check_alike(tensor: Tensor, first: Tensor) -> None:
    check_same_type(tensor, "an input", first)
    check_shape(tensor, "an input", first.shape)
    if first.type is TensorType.INT8:
        check(
            (tensor.scale, tensor.zero_point) == (first.scale, first.zero_point),
            "the inputs have different scales or zero points",
        )


ADD_N = Registration(BuiltinOperator.ADD_N, prepare, evaluate, lambda data: data.stackable)
