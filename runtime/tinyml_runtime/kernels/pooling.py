"""AVERAGE_POOL_2D and MAX_POOL_2D: the mean or the largest element of every window.

Shapes    image [batch, height, width, channels] -> [batch, output height, output width, channels]
Types     float32, int8, int16; input and output have one scale and zero point
Units     real = scale * (stored - zero point); the mean of integers is rounded, ties away from zero
Source    tflite-micro `micro/kernels/pooling_common.cc`, `pooling.cc`,
          `lite/kernels/internal/reference/pooling.h` and `integer_ops/pooling.h`

Border elements that SAME padding adds do not count. A mean is a sum times the reciprocal of the
count, raised by a small part of itself so that ties, and nothing but ties, move away from zero
before `rint`: other quotients are at least 1 / (2 * count) away from a tie.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from tinyml_runtime.kernels.fused_activation import float_range, quantized_range
from tinyml_runtime.kernels.pooling_windows import (
    bind_sums_in_order,
    element_counts,
    pooling_window,
)
from tinyml_runtime.kernels.windows import Axis, Window
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    always_stacks,
    check,
    check_shape,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT = 0
OUTPUT = 0

# Up to so many int8 values, float32 tells ties from other quotients: their mean is below 2**7 and
# is raised by less than 2**-20 of it, so by less than 1 / (2 * count).
_FLOAT32_COUNT = 4096
# Without an activation TFLM clamps to it, and it looks for the largest element from the low end.
_FINITE = float(np.finfo(np.float32).min), float(np.finfo(np.float32).max)


@dataclass(frozen=True, slots=True)
class PoolData:
    """What `prepare` settles.

    `only` is the part of the image in the one window, where there is only one.
    """

    window: Window
    only: tuple[slice, slice] | None
    clamp: tuple[float, float] | None


def prepare(context: PrepareContext, node: Node) -> PoolData:
    """Check the operands; lay out the windows."""
    options = node.options_as(Pool2DOptions)
    source = context.input(node, INPUT)
    output = context.output(node, OUTPUT)
    _check_types(source, output)
    window = pooling_window(options, source)
    rows, columns = window.rows, window.columns
    check_shape(
        output, "output 0", (source.shape[0], rows.outputs, columns.outputs, *source.shape[3:])
    )
    only = None
    if window.outputs == 1:
        only = _inside(rows, source.shape[1]), _inside(columns, source.shape[2])
    if source.type is TensorType.FLOAT32:
        return PoolData(window, only, float_range(options.fused_activation) or _FINITE)
    clamp = _integer_clamp(quantized_range(options.fused_activation, output), output)
    return PoolData(window, only, clamp)


def bind_average(context: EvalContext, node: Node, data: PoolData) -> Callable[[], None]:
    """Sum every window, divide by the count, round, clamp, store."""
    source = context.input(node, INPUT).values
    output = context.output(node, OUTPUT).values
    counts = _counts(data.window, source)
    clamp = None
    if data.clamp is not None:
        # Arrays without dimensions spare NumPy the conversion of numbers.
        low, high = (np.array(end, counts.dtype) for end in data.clamp)
        clamp = low, high
    if source.dtype == np.float32:
        average = _bind_float_means(source, data, counts)
    else:
        padded, refresh = data.window.bind_padded(source, 0, counts.dtype)
        add_up = _bind_slide(np.add, data, padded)

        def average() -> Array:
            refresh()
            means = add_up() * counts
            return np.rint(means, means)

    def run() -> None:
        means = average()
        if clamp is not None:
            means.clip(*clamp, means)
        output[...] = means

    return run


def bind_max(context: EvalContext, node: Node, data: PoolData) -> Callable[[], None]:
    """Take the largest element of every window, clamp, store."""
    source = context.input(node, INPUT).values
    output = context.output(node, OUTPUT).values
    larger = np.fmax if source.dtype == np.float32 else np.maximum
    padded, refresh = data.window.bind_padded(source, _lowest(source.dtype), source.dtype)
    take_largest, clamp = _bind_slide(larger, data, padded), data.clamp

    def run() -> None:
        refresh()
        if clamp is None:
            output[...] = take_largest()
        else:
            take_largest().clip(*clamp, output)

    return run


def _counts(window: Window, source: Array) -> Array:
    """Elements per window, a scalar or [output height, output width, 1].

    For integers their reciprocals, raised, in the type in which sums are exact.
    """
    counts = element_counts(window, source)
    largest = int(counts.max())
    if counts.min() == largest:
        counts = counts[0, 0, 0, ...]  # a scalar array: NumPy takes longer to broadcast others
    if source.dtype == np.float32:
        return counts.astype(np.float32)
    if source.dtype == np.int8 and largest <= _FLOAT32_COUNT:
        return np.asarray((1.0 + 2.0**-21) / counts, np.float32)
    return np.asarray((1.0 + 2.0**-48) / counts)


def _bind_float_means(source: Array, data: PoolData, counts: Array) -> Callable[[], Array]:
    add_up = bind_sums_in_order(data.window, source)
    if data.only is not None:
        add_up = _bind_slide(np.add, data, source)
    return lambda: np.divide(add_up(), counts)


def _bind_slide(combine: np.ufunc, data: PoolData, padded: Array) -> Callable[[], Array]:
    """Combine the elements of every window, first along its columns' height, then its width."""
    if data.only is not None:
        region = padded[:, *data.only]
        return partial(combine.reduce, region, axis=(1, 2), keepdims=True)
    steps: list[tuple[Array, Array, Array]] = []
    tall = _slide_along(data.window.rows, padded, 1, steps)
    wide = _slide_along(data.window.columns, tall, 2, steps)

    def slide() -> Array:
        for first, second, combined in steps:
            combine(first, second, out=combined)
        return wide

    return slide


def _slide_along(
    axis: Axis, values: Array, dimension: int, steps: list[tuple[Array, Array, Array]]
) -> Array:
    """Where the elements will be combined; `steps` gets the pairs to combine before."""
    lead = (slice(None),) * dimension
    span = (axis.outputs - 1) * axis.stride + 1
    taps = [values[*lead, tap : tap + span : axis.stride] for tap in range(axis.taps)]
    if len(taps) == 1:
        return taps[0]
    combined = np.empty(taps[0].shape, values.dtype)
    steps.append((taps[0], taps[1], combined))
    steps += [(combined, tap, combined) for tap in taps[2:]]
    return combined


def _check_types(source: Tensor, output: Tensor) -> None:
    kind = source.type
    allowed = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)
    check(kind in allowed, f"Type {kind.name} ({int(kind)}) not supported.")
    check(output.type is kind, f"input is {kind.name}, output {output.type.name}")
    if kind is not TensorType.FLOAT32:
        with np.errstate(all="ignore"):
            difference = float(np.float32(source.scale) - np.float32(output.scale))
        check(abs(difference) <= 1.0e-6, "input and output have different scales")
        check(source.zero_point == output.zero_point, "input and output have different zero points")


def _inside(axis: Axis, size: int) -> slice:
    return slice(0, min(size, axis.taps - axis.before))


def _integer_clamp(limits: tuple[int, int], output: Tensor) -> tuple[int, int] | None:
    """The clamp, or None where every stored value passes it."""
    stored = np.iinfo(output.dtype)
    low, high = limits
    check(low <= stored.max and high >= stored.min, "the activation clamps all values away")
    return None if limits == (stored.min, stored.max) else limits


def _lowest(dtype: np.dtype[Any]) -> float:
    return _FINITE[0] if dtype.kind == "f" else int(np.iinfo(dtype).min)


AVERAGE_POOL_2D = Registration(
    BuiltinOperator.AVERAGE_POOL_2D, prepare, BindingEvaluate(bind_average), stacks=always_stacks
)
MAX_POOL_2D = Registration(
    BuiltinOperator.MAX_POOL_2D, prepare, BindingEvaluate(bind_max), stacks=always_stacks
)
