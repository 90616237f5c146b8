"""Reductions: which elements of the input become one of the output, and sums of them.

Shapes    input [any], axes [any number, negative ones count from the end, doubles count once] ->
          output with as many elements as the axes leave, in their order
Types     axes int32, constant or not
Source    tflite-micro kernels/reduce{,_common}.cc, lite/kernels/internal/reference/reduce.h
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf, prod
from typing import TypeAlias

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.fixed_point import INT32_MAX, INT32_MIN, FixedPoint, wrap_int32
from tinyml_runtime.kernels.operands import check_counts, check_same_type, resolve_axis, samples_of
from tinyml_runtime.registration import EvalContext, Node, PrepareContext, check, check_type
from tinyml_runtime.requantize import OutputRange, Requantizer, accumulator_dtype
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

INPUT, AXES = 0, 1
OUTPUT = 0


@dataclass(frozen=True, slots=True)
class ReductionData:
    """What is reduced: `count` elements to one, seen as [outer, count, inner].

    Where the axes are not neighbours, the input is seen as `seen` and transposed to `order` before.
    `integers` has ones, of a float type in which sums are exact, and how these are rescaled.
    """

    stackable: bool
    count: int
    inner: int
    seen: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    integers: tuple[Array, Requantizer] | None = None


# From node, input, output and axes: the layout and all that depends on it.
Settle: TypeAlias = Callable[[Node, Tensor, Tensor, Sequence[int]], ReductionData]
# From elements, [outer, count, inner], to the output's values.
Reduce: TypeAlias = Callable[[Array, Array, ReductionData], None]


def prepare_reduction(settle: Settle, context: PrepareContext, node: Node) -> ReductionData | None:
    """Check the operands; settle the layout, or give None where only the run gives the axes."""
    check_counts(node, (2,))
    source, axes = context.input(node, INPUT), context.input(node, AXES)
    output = context.output(node, OUTPUT)
    check_same_type(output, "the output", source)
    check_type(axes, "the axes", TensorType.INT32)
    check(source.size > 0, "the input has no elements")
    if axes.size and not axes.is_constant:
        return None
    return settle(node, source, output, axes.values.reshape(-1).tolist())


def evaluate_reduction(
    settle: Settle, reduce: Reduce, context: EvalContext, node: Node, data: ReductionData | None
) -> None:
    """Bring the elements that become one together, and reduce them."""
    if data is None:
        data = _settle_at_run_time(settle, context, node)
    rows, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    if data.order:
        rows = rows.reshape(data.seen).transpose(data.order)
    reduce(rows.reshape(-1, data.count, data.inner), output, data)


def reduction_stacks(data: ReductionData | None) -> bool:
    """Any number of samples can be evaluated at once where input and axes do not forbid it."""
    return data is not None and data.stackable


def laid_out(source: Tensor, output: Tensor, given: Sequence[int]) -> ReductionData:
    """The layout; NodeError for axes that there are not, or that do not leave the output's size."""
    rank = len(source.shape)
    axes = sorted({resolve_axis(axis, rank) for axis in given}) if rank else []
    count = prod(source.shape[axis] for axis in axes)
    check(
        output.size * count == source.size,
        f"the axes {axes} leave {source.size // count} elements, the output "
        f"{list(output.shape)} has {output.size}",
    )
    return _merged(source, axes, count)


def check_scales(*tensors: Tensor) -> None:
    """Raise NodeError unless the first has a scale from 0 on, the second a positive one."""
    source, output = tensors
    check(
        0.0 <= source.scale < inf and 0.0 < output.scale < inf,
        f"the scales {source.scale} and {output.scale} are not positive numbers",
    )
    for tensor in tensors:
        point = tensor.zero_point
        check(INT32_MIN <= point <= INT32_MAX, f"the zero point {point} has more than 32 bits")


def with_rescaled_sums(
    data: ReductionData, source: Tensor, output: Tensor, factor: FixedPoint
) -> ReductionData:
    """The layout with what `sum_integers` needs to give sums times `factor`."""
    limits = np.iinfo(source.dtype)
    bound = -int(limits.min) * data.count
    bias = wrap_int32(-source.zero_point * data.count)
    rescale = Requantizer(
        [factor],
        OutputRange(output.zero_point, int(limits.min), int(limits.max), limits.bits),
        channels=output.size,
        rows=1,
        bounds=bound,
        bias=np.broadcast_to(bias, (output.size,)),
    )
    return replace(data, integers=(np.ones(data.count, accumulator_dtype(bound)), rescale))


def sum_integers(rows: Array, out: Array, integers: tuple[Array, Requantizer]) -> None:
    """Rescaled sums, as products with ones: these are faster than NumPy's sums of integers."""
    ones, rescale = integers
    floats = rows.astype(ones.dtype)
    if rows.shape[2] == 1:
        rescale(np.matmul(floats.reshape(-1, ones.size), ones), out)
    else:
        rescale(np.matmul(ones, floats), out)


def float_sums(rows: Array) -> Array:
    """One after another in float32; NumPy's `reduce` would add pairs along the last axis."""
    if rows.shape[2] == 1:
        return np.add.accumulate(rows, axis=1)[:, -1]
    return np.add.reduce(rows, axis=1)


def _merged(source: Tensor, axes: Sequence[int], count: int) -> ReductionData:
    """Merge neighbours that are both reduced or both kept; dimensions of 1 are either."""
    stackable = not source.is_constant
    dimensions = [(axis in axes, size) for axis, size in enumerate(source.shape) if size != 1]
    merged = [
        (reduced, prod(size for _, size in group))
        for reduced, group in groupby(dimensions, key=lambda dimension: dimension[0])
    ]
    taken = [index for index, (reduced, _) in enumerate(merged) if reduced]
    if len(taken) <= 1:
        behind = merged[taken[0] + 1 :] if taken else []
        return ReductionData(stackable, count, prod(size for _, size in behind))
    kept = [index for index, (reduced, _) in enumerate(merged) if not reduced]
    seen = samples_of(tuple(size for _, size in merged))
    order = (0, *(index + 1 for index in taken), *(index + 1 for index in kept))
    return ReductionData(stackable, count, prod(merged[index][1] for index in kept), seen, order)


def _settle_at_run_time(settle: Settle, context: EvalContext, node: Node) -> ReductionData:
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    axes = context.input(node, AXES).values.reshape(-1).tolist()
    try:
        return settle(node, source, output, axes)
    except NodeError as error:
        raise RunError(f"{node.operator} (node {node.index}): {error.reason}") from error
