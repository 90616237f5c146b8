"""MEAN: the average along some axes.

Shapes    input [any], axes [any number, negative ones count from the end, doubles count once] ->
          output with as many elements as the axes leave, in their order
Types     float32, int8, int16; axes int32, constant or not
Units     quantized: sum in int32, rescaled once by (input scale / output scale) / count, the count
          divided into the multiplier as far as 32 bits allow
Source    tflite-micro kernels/reduce{,_common}.cc, lite/kernels/internal/reference/reduce.h
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import inf, prod

import numpy as np

from tinyml_runtime.errors import NodeError, RunError
from tinyml_runtime.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    FixedPoint,
    quantize_multiplier,
    wrap_int32,
)
from tinyml_runtime.kernels.operands import check_counts, check_same_type, resolve_axis, samples_of
from tinyml_runtime.model.options import ReducerOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_type,
)
from tinyml_runtime.requantize import OutputRange, Requantizer, accumulator_dtype
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, AXES = 0, 1
OUTPUT = 0

MEAN_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)

# TFLM averages float images over height and width in a loop of its own, which wants this shape.
IMAGE_DIMENSIONS = 4
IMAGE_AXES = ([1, 2], [2, 1])
LARGEST_COUNT_SHIFT = 32


@dataclass(frozen=True, slots=True)
class ReduceData:
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


def prepare_mean(context: PrepareContext, node: Node) -> ReduceData | None:
    """Check the operands; lay out the sums, or give None where only the run gives the axes."""
    check_counts(node, (2,))
    source, axes = context.input(node, INPUT), context.input(node, AXES)
    output = context.output(node, OUTPUT)
    check(
        source.type in MEAN_TYPES,
        "Currently, only float32, int8 or int16 input type is supported.",
    )
    check_same_type(output, "the output", source)
    check_type(axes, "the axes", TensorType.INT32)
    check(source.size > 0, "the input has no elements")
    if source.type is not TensorType.FLOAT32:
        check(
            0.0 <= source.scale < inf and 0.0 < output.scale < inf,
            f"the scales {source.scale} and {output.scale} are not positive numbers",
        )
        for tensor in (source, output):
            point = tensor.zero_point
            check(INT32_MIN <= point <= INT32_MAX, f"the zero point {point} has more than 32 bits")
    if axes.size and not axes.is_constant:
        return None
    given = axes.values.reshape(-1).tolist()
    return _mean_data(source, output, given, node.options_as(ReducerOptions).keep_dims)


def evaluate_mean(context: EvalContext, node: Node, data: ReduceData | None) -> None:
    """Sum in TFLM's order, then divide or rescale."""
    if data is None:
        data = _run_time_data(context, node)
    rows, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    if data.order:
        rows = rows.reshape(data.seen).transpose(data.order)
    rows = rows.reshape(-1, data.count, data.inner)
    if data.integers is None:
        total = _float_sums(rows)
        np.divide(total, np.float32(data.count), out=output.reshape(total.shape))
    else:
        ones, rescale = data.integers
        rescale(_integer_sums(rows, ones), output)


def _float_sums(rows: Array) -> Array:
    """One after another in float32; NumPy's `reduce` would add pairs along the last axis."""
    if rows.shape[2] == 1:
        return np.add.accumulate(rows, axis=1)[:, -1]
    return np.add.reduce(rows, axis=1)


def _integer_sums(rows: Array, ones: Array) -> Array:
    """As products with ones: matrix products are faster than NumPy's sums of integers."""
    floats = rows.astype(ones.dtype)
    if rows.shape[2] == 1:
        return np.matmul(floats.reshape(-1, ones.size), ones)
    return np.matmul(ones, floats)


def _bound(source: Tensor, count: int) -> int:
    return -int(np.iinfo(source.dtype).min) * count


def _mean_data(source: Tensor, output: Tensor, given: Iterable[int], keep_dims: bool) -> ReduceData:
    given = list(given)
    rank = len(source.shape)
    axes = sorted({resolve_axis(axis, rank) for axis in given}) if rank else []
    count = prod(source.shape[axis] for axis in axes)
    check(
        output.size * count == source.size,
        f"the axes {axes} leave {source.size // count} elements, the output "
        f"{list(output.shape)} has {output.size}",
    )
    data = _laid_out(source, axes, count)
    if source.type is not TensorType.FLOAT32:
        ones = np.ones(count, accumulator_dtype(_bound(source, count)))
        return replace(data, integers=(ones, _mean_requantizer(source, output, count)))
    if keep_dims and rank == IMAGE_DIMENSIONS and given in IMAGE_AXES:
        _check_image_means(source, output)
    return data


def _check_image_means(source: Tensor, output: Tensor) -> None:
    batch, _, _, channels = source.shape
    extended = (1,) * (IMAGE_DIMENSIONS - len(output.shape)) + output.shape
    check(
        extended == (batch, 1, 1, channels),
        f"the output has shape {list(output.shape)}, not {[batch, 1, 1, channels]}",
    )


def _mean_requantizer(source: Tensor, output: Tensor, count: int) -> Requantizer:
    """Divide the count into the multiplier: shifted left so that little of it is lost."""
    factor = quantize_multiplier(source.scale / output.scale)
    shift = min(count.bit_length() - 1, LARGEST_COUNT_SHIFT, 31 + factor.shift)
    divided = FixedPoint((factor.multiplier << shift) // count, factor.shift - shift)
    limits = np.iinfo(source.dtype)
    bias = wrap_int32(-source.zero_point * count)
    return Requantizer(
        [divided],
        OutputRange(output.zero_point, int(limits.min), int(limits.max), limits.bits),
        channels=output.size,
        rows=1,
        bounds=_bound(source, count),
        bias=np.broadcast_to(bias, (output.size,)),
    )


def _laid_out(source: Tensor, axes: Sequence[int], count: int) -> ReduceData:
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
        return ReduceData(stackable, count, prod(size for _, size in behind))
    kept = [index for index, (reduced, _) in enumerate(merged) if not reduced]
    seen = samples_of(tuple(size for _, size in merged))
    order = (0, *(index + 1 for index in taken), *(index + 1 for index in kept))
    return ReduceData(stackable, count, prod(merged[index][1] for index in kept), seen, order)


def _run_time_data(context: EvalContext, node: Node) -> ReduceData:
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    axes = context.input(node, AXES).values.reshape(-1).tolist()
    try:
        return _mean_data(source, output, axes, node.options_as(ReducerOptions).keep_dims)
    except NodeError as error:
        raise RunError(f"{node.operator} (node {node.index}): {error.reason}") from error


def _stacks(data: ReduceData | None) -> bool:
    return data is not None and data.stackable


MEAN = Registration(BuiltinOperator.MEAN, prepare_mean, evaluate_mean, _stacks)
