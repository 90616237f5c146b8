"""Rules of operators that reduce several elements to one: MEAN, SUM, AVERAGE_POOL_2D.

Source    TFLite `kernels/internal/reference/reduce.h`; XNNPACK `operators/reduce-nd.c`, which folds
          the zero points into one float
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from math import prod

import numpy as np

from tinyml_runtime.comparison.rules.floats import summation_rule
from tinyml_runtime.comparison.rules.multiplying import AS_TFLM, FLOAT, WIDTH, Factors
from tinyml_runtime.comparison.rules.rescaled import Rescaled, rescaling_rules
from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.kernels.fused_activation import quantized_range
from tinyml_runtime.kernels.pooling_windows import element_counts, pooling_window
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation, TensorType

POOL_TIES = (
    "average-rounding",
    "rounds the averages of windows otherwise than ties away from zero",
)


def reduction_rules(operation: Operation) -> Iterator[Rule]:
    """MEAN and SUM."""
    source, output = operation.input(0), operation.output
    axes = tuple(sorted({int(axis) % len(source.shape) for axis in operation.input(1).values.flat}))
    count = prod(source.shape[axis] for axis in axes)
    divisor = count if operation.node.operator == "MEAN" else 1
    if source.dtype.kind == "f":
        yield summation_rule(operation, partial(_float_sums, source, axes, divisor), count + 2)
        return
    if not source.is_quantized:
        return
    sums = source.values.astype(np.int64).sum(axis=axes).reshape(output.shape)
    if output.dtype.itemsize == 1:
        yield Rule(
            FLOAT.name,
            FLOAT.words,
            partial(_in_floats, sums, source, output, count, divisor),
            in_floats=True,
        )
    centered = sums - count * source.zero_point
    factors = Factors.ratio([source.scale, 1.0 / divisor], output.scale)
    rescaled = Rescaled.to(output, lambda way: way(centered, factors), Activation.NONE)
    yield from rescaling_rules(rescaled)
    if output.type is TensorType.INT16:
        yield Rule(*WIDTH, lambda: rescaled.stored(AS_TFLM(centered, factors, wide=True)))


def _in_floats(sums: Array, source: Tensor, output: Tensor, count: int, divisor: int) -> Array:
    """Sums of stored values times a float, and one more for all the zero points."""
    scale = np.float32(source.scale) / np.float32(output.scale)
    scale *= np.float32(1.0) / np.float32(divisor)
    moved = np.float32(count * source.zero_point) * scale
    zero_point = np.float32(output.zero_point) - moved
    # x86 kernels fuse the product with the sum: it is not rounded in between.
    steps = (sums.astype(np.float64) * float(scale) + float(zero_point)).astype(np.float32)
    limits = np.iinfo(output.dtype)
    return np.rint(steps).clip(limits.min, limits.max).astype(output.dtype)


def _float_sums(
    source: Tensor, axes: tuple[int, ...], divisor: int, read: Callable[[Array], Array]
) -> Array:
    return read(source.values.astype(np.float64)).sum(axis=axes) / divisor


def pooling_rules(operation: Operation) -> Iterator[Rule]:
    """AVERAGE_POOL_2D."""
    options = operation.node.options_as(Pool2DOptions)
    source, output = operation.input(0), operation.output
    window = pooling_window(options, source)
    counts = element_counts(window, source.values)

    def add_up(read: Callable[[Array], Array]) -> Array:
        padded, refresh = window.bind_padded(
            read(source.values.astype(np.float64)), 0.0, np.dtype(np.float64)
        )
        refresh()
        places = (divmod(tap, window.columns.taps) for tap in range(window.taps))
        return sum(window.tap(padded, *place) for place in places) / counts

    if source.dtype.kind == "f":
        yield summation_rule(operation, add_up, window.taps + 2)
        return
    low, high = quantized_range(options.fused_activation, output)

    def averages(to_integer: Callable[[Array], Array]) -> Array:
        return to_integer(add_up(np.asarray)).clip(low, high).astype(output.dtype)

    for to_integer in (np.rint, _ties_up, np.trunc, np.floor):
        yield Rule(*POOL_TIES, partial(averages, to_integer))


def _ties_up(means: Array) -> Array:
    return np.floor(means + 0.5)
