"""CUMSUM: every element becomes the sum of those up to it along an axis.

Shapes    input of any shape but a scalar, axis of one element -> output of the input's shape
Types     float32, int8; axis int32, constant or not
Units     real = scale * (stored - zero point), with the exception that `running_sums.py` states
Source    tflite-micro `micro/kernels/cumsum.cc`, `lite/kernels/internal/reference/cumsum.h`
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.errors import RunError
from tinyml_runtime.kernels.operands import check_counts, check_same_type
from tinyml_runtime.kernels.running_sums import RunningSumRescaler
from tinyml_runtime.model.options import CumsumOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, AXIS = 0, 1
OUTPUT = 0


@dataclass(frozen=True, slots=True)
class CumsumData:
    """`rescale` is None for float32. Samples stack where the axis is a constant other than 0."""

    options: CumsumOptions
    rescale: RunningSumRescaler | None
    zero_point: int
    stackable: bool


def prepare(context: PrepareContext, node: Node) -> CumsumData:
    """Check the operands; settle the rescaling of the longest sum."""
    check_counts(node, (2,))
    source, axis = context.input(node, INPUT), context.input(node, AXIS)
    output = context.output(node, OUTPUT)
    check_type(source, "the input", TensorType.FLOAT32, TensorType.INT8)
    check_type(axis, "the axis", TensorType.INT32)
    check(axis.size == 1, f"the axis has {axis.size} elements, not 1")
    rank = len(source.shape)
    check(rank >= 1, "the input is a scalar")
    check_same_type(output, "the output", source)
    check_shape(output, "the output", source.shape)
    options = node.options_as(CumsumOptions)
    stackable = False
    if axis.is_constant:
        position = int(axis.values.reshape(-1)[0])
        check(-rank <= position < rank, f"CUMSUM Invalid axis: {position}")
        stackable = position % rank != 0 and not source.is_constant
    rescale = None
    if source.type is TensorType.INT8:
        rescale = RunningSumRescaler(source, output, max(source.shape))
    return CumsumData(options, rescale, source.zero_point, stackable)


def evaluate(context: EvalContext, node: Node, data: CumsumData) -> None:
    """Add up along the axis, from its end where the options say so."""
    source, out = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    axis = int(context.input(node, AXIS).values.reshape(-1)[0])
    if not -source.ndim <= axis < source.ndim:
        raise RunError(f"CUMSUM (node {node.index}): CUMSUM Invalid axis: {axis}")
    if data.rescale is None:
        _accumulate(source, out, axis, data.options)
        return
    centered = np.subtract(source, data.zero_point, dtype=np.float64)
    sums = np.empty_like(centered)
    _accumulate(centered, sums, axis, data.options)
    data.rescale(sums, out)


def _accumulate(source: Array, sums: Array, axis: int, options: CumsumOptions) -> None:
    source, sums = np.moveaxis(source, axis, 0), np.moveaxis(sums, axis, 0)
    if options.reverse:
        source, sums = source[::-1], sums[::-1]
    if options.exclusive:
        sums[:1] = 0
        np.add.accumulate(source[:-1], axis=0, out=sums[1:])
    else:
        np.add.accumulate(source, axis=0, out=sums)


CUMSUM = Registration(BuiltinOperator.CUMSUM, prepare, evaluate, lambda data: data.stackable)
