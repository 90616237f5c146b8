"""SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_ALL: what `reduction_layout.py` says, other than the mean.

Types     SUM float32, int8, int16; REDUCE_MAX and REDUCE_MIN float32, int8; REDUCE_ALL bool; input
          and output alike; axes int32, constant or not
Units     real = scale * (stored - zero point); SUM rescales int32 sums to the output's scale, the
          others want one scale and zero point for input and output
Source    tflite-micro kernels/reduce{,_common}.cc, lite/kernels/internal/reference/reduce.h
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from tinyml_runtime.fixed_point import quantize_multiplier
from tinyml_runtime.kernels.reduction_layout import (
    INPUT,
    OUTPUT,
    Reduce,
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
from tinyml_runtime.registration import Node, PrepareContext, Registration, check
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

SUM_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)
EXTREME_TYPES = (TensorType.FLOAT32, TensorType.INT8)

# TFLM starts from the finite floats and ignores NaN.
_LOWEST, _HIGHEST = np.finfo(np.float32).min, np.finfo(np.float32).max


def prepare_sum(context: PrepareContext, node: Node) -> ReductionData | None:
    """Check the operands; lay out the sums, or give None where only the run gives the axes."""
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(source.type in SUM_TYPES, "Only float32, int8, and int16 types are supported.")
    if source.type is not TensorType.FLOAT32:
        check_scales(source, output)
    return prepare_reduction(_settle_sum, context, node)


def prepare_extreme(context: PrepareContext, node: Node) -> ReductionData | None:
    """Check the operands of REDUCE_MAX or REDUCE_MIN; lay out what is compared."""
    source, output = context.input(node, INPUT), context.output(node, OUTPUT)
    check(source.type in EXTREME_TYPES, "Only float32 and int8 types are supported.")
    if source.type is TensorType.INT8:
        check(
            (source.scale, source.zero_point) == (output.scale, output.zero_point),
            "input and output have different scales or zero points",
        )
    return prepare_reduction(_settle, context, node)


def prepare_all(context: PrepareContext, node: Node) -> ReductionData | None:
    """Check the operands; lay out what is joined."""
    source = context.input(node, INPUT)
    check(source.type is TensorType.BOOL, f"the input is {source.type.name}, not BOOL")
    return prepare_reduction(_settle, context, node)


def _settle(node: Node, source: Tensor, output: Tensor, given: Sequence[int]) -> ReductionData:
    return laid_out(source, output, given)


def _settle_sum(node: Node, source: Tensor, output: Tensor, given: Sequence[int]) -> ReductionData:
    data = laid_out(source, output, given)
    if source.type is TensorType.FLOAT32:
        return data
    factor = quantize_multiplier(source.scale / output.scale)
    return with_rescaled_sums(data, source, output, factor)


def _sum(rows: Array, out: Array, data: ReductionData) -> None:
    if data.integers is not None:
        sum_integers(rows, out, data.integers)
        return
    total = float_sums(rows)
    out.reshape(total.shape)[...] = total


def _largest(rows: Array, out: Array, data: ReductionData) -> None:
    if rows.dtype == np.float32:
        largest = np.fmax.reduce(rows, axis=1, initial=_LOWEST)
    else:
        largest = np.maximum.reduce(rows, axis=1)
    out.reshape(largest.shape)[...] = largest


def _smallest(rows: Array, out: Array, data: ReductionData) -> None:
    if rows.dtype == np.float32:
        smallest = np.fmin.reduce(rows, axis=1, initial=_HIGHEST)
    else:
        smallest = np.minimum.reduce(rows, axis=1)
    out.reshape(smallest.shape)[...] = smallest


def _all(rows: Array, out: Array, data: ReductionData) -> None:
    every = np.logical_and.reduce(rows, axis=1)
    out.reshape(every.shape)[...] = every


def _extreme(operator: BuiltinOperator, reduce: Reduce) -> Registration[ReductionData | None]:
    return Registration(
        operator, prepare_extreme, partial(evaluate_reduction, _settle, reduce), reduction_stacks
    )


SUM = Registration(
    BuiltinOperator.SUM,
    prepare_sum,
    partial(evaluate_reduction, _settle_sum, _sum),
    reduction_stacks,
)
REDUCE_MAX = _extreme(BuiltinOperator.REDUCE_MAX, _largest)
REDUCE_MIN = _extreme(BuiltinOperator.REDUCE_MIN, _smallest)
REDUCE_ALL = Registration(
    BuiltinOperator.REDUCE_ALL,
    prepare_all,
    partial(evaluate_reduction, _settle, _all),
    reduction_stacks,
)
