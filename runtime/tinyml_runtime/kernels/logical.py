"""LOGICAL_AND, LOGICAL_OR of two operands, LOGICAL_NOT of one.

Shapes    LOGICAL_AND, LOGICAL_OR: two inputs that broadcast against each other -> output;
          LOGICAL_NOT: input of any shape -> output of the same shape
Types     bool
Source    tflite-micro `micro/kernels/logical.cc`, `logical_common.cc`, `elementwise.cc`
"""

from __future__ import annotations

from functools import partial

import numpy as np

from tinyml_runtime.kernels.broadcast import (
    BroadcastData,
    broadcast,
    broadcast_operands,
    broadcast_stacks,
    evaluate_broadcast,
)
from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.unary import (
    UnaryData,
    evaluate_unary,
    unary_operands,
    unary_stacks,
)
from tinyml_runtime.registration import Node, PrepareContext, Registration, check_type
from tinyml_runtime.types import BuiltinOperator, TensorType


def prepare_pairs(operation: np.ufunc, context: PrepareContext, node: Node) -> BroadcastData:
    """Check types and shapes of an operator of two operands."""
    operands = broadcast_operands(context, node)
    check_type(operands.first, "the first input", TensorType.BOOL)
    return broadcast(operands, operation)


def prepare_not(context: PrepareContext, node: Node) -> UnaryData:
    """Check types and sizes."""
    check_counts(node, (1,))
    source, output = unary_operands(context, node)
    check_type(source, "the input", TensorType.BOOL)
    check_type(output, "the output", TensorType.BOOL)
    return UnaryData(np.logical_not, not source.is_constant)


LOGICAL_AND = Registration(
    BuiltinOperator.LOGICAL_AND,
    partial(prepare_pairs, np.logical_and),
    evaluate_broadcast,
    broadcast_stacks,
)
LOGICAL_OR = Registration(
    BuiltinOperator.LOGICAL_OR,
    partial(prepare_pairs, np.logical_or),
    evaluate_broadcast,
    broadcast_stacks,
)
LOGICAL_NOT = Registration(BuiltinOperator.LOGICAL_NOT, prepare_not, evaluate_unary, unary_stacks)
