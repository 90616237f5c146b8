"""MEAN: the average along some axes.

Shapes    input [any], axes [any number, negative ones count from the end, doubles count once] ->
          output with as many elements as the axes leave, in their order
Types     float32, int8, int16; axes int32, constant or not
Units     quantized: sum in int32, rescaled once by (input scale / output scale) / count, the count
          divided into the multiplier as far as 32 bits allow
Source    tflite-micro kernels/reduce{,_common}.cc, lite/kernels/internal/reference/reduce.h
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint, quantize_multiplier
from tinyml_runtime.kernels.reduction_layout import (
    INPUT,
    OUTPUT,
    ReductionData,
    check_scales,
    evaluate_reduction,
    float_sums,
    laid_out,
    prepare_reduction,
    reduction_stacks,
    sum_integers,
    with_rescaled_sums,
)
from tinyml_runtime.model.options import ReducerOptions
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

MEAN_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)

# TFLM averages float images over height and width in a loop of its own, which wants this shape.
IMAGE_DIMENSIONS = 4
IMAGE_AXES = ([1, 2], [2, 1])
LARGEST_COUNT_SHIFT = 32


def prepare_mean(context: PrepareContext, node: Node) -> ReductionData | None:
    """Check the operands; lay out the sums, or give None where only the run gives the axes."""
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(
        source.type in MEAN_TYPES,
        "Currently, only float32, int8 or int16 input type is supported.",
    )
    if source.type is not TensorType.FLOAT32:
        check_scales(source, output)
    return prepare_reduction(_settle, context, node)


def _settle(node: Node, source: Tensor, output: Tensor, given: Sequence[int]) -> ReductionData:
    data = laid_out(source, output, given)
    if source.type is not TensorType.FLOAT32:
        factor = _mean_factor(source, output, data.count)
        return with_rescaled_sums(data, source, output, factor)
    is_image = len(source.shape) == IMAGE_DIMENSIONS and list(given) in IMAGE_AXES
    if is_image and node.options_as(ReducerOptions).keep_dims:
        _check_image_means(source, output)
    return data


def _average(rows: Array, out: Array, data: ReductionData) -> None:
    """Sum in TFLM's order, then divide or rescale."""
    if data.integers is not None:
        sum_integers(rows, out, data.integers)
        return
    total = float_sums(rows)
    np.divide(total, np.float32(data.count), out=out.reshape(total.shape))


def _check_image_means(source: Tensor, output: Tensor) -> None:
    batch, _, _, channels = source.shape
    extended = (1,) * (IMAGE_DIMENSIONS - len(output.shape)) + output.shape
    check(
        extended == (batch, 1, 1, channels),
        f"the output has shape {list(output.shape)}, not {[batch, 1, 1, channels]}",
    )


def _mean_factor(source: Tensor, output: Tensor, count: int) -> FixedPoint:
    """Divide the count into the multiplier: shifted left so that little of it is lost."""
    factor = quantize_multiplier(source.scale / output.scale)
    shift = min(count.bit_length() - 1, LARGEST_COUNT_SHIFT, 31 + factor.shift)
    return FixedPoint((factor.multiplier << shift) // count, factor.shift - shift)


MEAN = Registration(
    BuiltinOperator.MEAN,
    prepare_mean,
    partial(evaluate_reduction, _settle, _average),
    reduction_stacks,
)
