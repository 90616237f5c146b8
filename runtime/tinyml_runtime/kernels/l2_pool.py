"""L2_POOL_2D: the root of the mean square of every window.

Shapes    image [batch, height, width, channels] -> [batch, output height, output width, channels]
Types     float32
Source    tflite-micro `micro/kernels/l2_pool_2d.cc`,
          `lite/kernels/internal/reference/pooling.h`

Border elements that SAME padding adds do not count.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.fused_activation import float_range
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.pooling_windows import (
    bind_sums_in_order,
    element_counts,
    pooling_window,
)
from tinyml_runtime.kernels.windows import Window
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check_shape,
    check_type,
)
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT = 0
OUTPUT = 0

_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class L2PoolData:
    """The windows, and the clamp of the fused activation."""

    window: Window
    low: np.float32
    high: np.float32
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> L2PoolData:
    """Check the operands; lay out the windows."""
    check_counts(node, (1,))
    options = node.options_as(Pool2DOptions)
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check_type(source, "the input", TensorType.FLOAT32)
    check_same_type(output, "the output", source)
    window = pooling_window(options, source)
    batch, _, _, channels = source.shape
    check_shape(
        output, "the output", (batch, window.rows.outputs, window.columns.outputs, channels)
    )
    low, high = float_range(options.fused_activation) or (-_LARGEST, _LARGEST)
    return L2PoolData(window, np.float32(low), np.float32(high), not source.is_constant)


def bind(context: EvalContext, node: Node, data: L2PoolData) -> Callable[[], None]:
    """Take the root of every window's mean square, clamp, store."""
    source, out = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    counts = element_counts(data.window, source).astype(np.float32)
    squares = np.empty(source.shape, source.dtype)
    add_up = bind_sums_in_order(data.window, squares)

    def run() -> None:
        np.multiply(source, source, squares)
        np.divide(add_up(), counts, out)
        np.sqrt(out, out)
        out.clip(data.low, data.high, out)

    return run


L2_POOL_2D = Registration(
    BuiltinOperator.L2_POOL_2D, prepare, BindingEvaluate(bind), lambda data: data.stackable
)
