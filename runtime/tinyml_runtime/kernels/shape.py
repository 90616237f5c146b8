"""SHAPE: the dimensions of the input.

Shapes    input of any shape -> [rank]
Types     input any; output int32
Source    tflite-micro `micro/kernels/shape.cc`
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    always_stacks,
    check,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT = 0
OUTPUT = 0


def prepare(context: PrepareContext, node: Node) -> Array:
    """The dimensions, which no run changes."""
    check_counts(node, (1,))
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(
        output.type is TensorType.INT32,
        f"Output type {output.type.name} ({int(output.type)}) not supported.",
    )
    rank = len(source.shape)
    check(
        output.size == rank, f"the output has {output.size} elements, the input {rank} dimensions"
    )
    return np.asarray(source.shape, np.int32)


def evaluate(context: EvalContext, node: Node, data: Array) -> None:
    """Write them, once for every sample."""
    if data.size:
        context.output(node, OUTPUT).values.reshape(-1, data.size)[...] = data


SHAPE = Registration(BuiltinOperator.SHAPE, prepare, evaluate, always_stacks)
