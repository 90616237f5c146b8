"""Multiplications that are added up: the usual measure of how much a node computes.

Counted as if every tap lay inside the image, as converters and vendors count. Operators that add up
no products have none.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from tinyml_runtime.model.options import BatchMatMulOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.workload import WorkContext, operand

INPUT, WEIGHTS, OUTPUT = 0, 1, 0


def count_macs(context: WorkContext, node: Node) -> int:
    """The products that a node adds up."""
    count = _COUNTS.get(node.operator)
    return 0 if count is None else count(context, node)


def _conv(context: WorkContext, node: Node) -> int:
    """Every output is a window of [rows, columns, channels] of its filter."""
    taps = operand(context.input(node, WEIGHTS)).shape[1:]
    return operand(context.output(node, OUTPUT)).size * prod(taps)


def _depthwise(context: WorkContext, node: Node) -> int:
    rows, columns = operand(context.input(node, WEIGHTS)).shape[1:3]
    return operand(context.output(node, OUTPUT)).size * rows * columns


def _fully_connected(context: WorkContext, node: Node) -> int:
    depth = operand(context.input(node, WEIGHTS)).shape[-1]
    return operand(context.output(node, OUTPUT)).size * depth


def _transpose_conv(context: WorkContext, node: Node) -> int:
    """Every input element goes to [filters, rows, columns] outputs."""
    weights = operand(context.input(node, 1))
    return operand(context.input(node, 2)).size * prod(weights.shape[:3])


def _batch_matmul(context: WorkContext, node: Node) -> int:
    transposed = node.options_as(BatchMatMulOptions).adj_x
    depth = operand(context.input(node, 0)).shape[-2 if transposed else -1]
    return operand(context.output(node, OUTPUT)).size * depth


def _svdf(context: WorkContext, node: Node) -> int:
    """Each filter over the features, then over its memory."""
    features, time = operand(context.input(node, 1)), operand(context.input(node, 2))
    batch = operand(context.input(node, 0)).shape[0]
    return batch * (features.size + time.size)


def _lstm(context: WorkContext, node: Node) -> int:
    """Four gates, each over the input and over the hidden state, at every step in time."""
    source = operand(context.input(node, INPUT))
    weights = sum(operand(context.input(node, place)).size for place in range(1, 9))
    return source.size // source.shape[-1] * weights


_COUNTS: dict[str, Callable[[WorkContext, Node], int]] = {
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _conv,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _fully_connected,
    "SVDF": _svdf,
    "TRANSPOSE_CONV": _transpose_conv,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
}
