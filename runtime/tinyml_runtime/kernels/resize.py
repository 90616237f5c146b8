"""RESIZE_BILINEAR, RESIZE_NEAREST_NEIGHBOR: images of another height and width.

Shapes    input [batch, height, width, channels], size [2] (new height, new width) ->
          output [batch, new height, new width, channels]
Types     both float32, int8; nearest neighbor also int16; size is a constant int32
Units     int8 weights of RESIZE_BILINEAR are in 1/1024; stored values are mixed as they are, so
          input and output should have one quantization (TFLM does not look)
Source    tflite-micro kernels/resize_bilinear.cc, resize_nearest_neighbor.cc and
          lite/kernels/internal/reference/resize_{bilinear,nearest_neighbor}.h
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.fixed_point import rounds_once
from tinyml_runtime.kernels.operands import check_counts, check_same_type, constant_words
from tinyml_runtime.model.options import ResizeBilinearOptions, ResizeNearestNeighborOptions
from tinyml_runtime.registration import (
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
    check_type,
)
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import BuiltinOperator, TensorType

INPUT, SIZE = 0, 1
OUTPUT = 0

WEIGHT_BITS = 10
ONE = 1 << WEIGHT_BITS

BILINEAR_TYPES = (TensorType.FLOAT32, TensorType.INT8)
NEAREST_TYPES = (TensorType.FLOAT32, TensorType.INT8, TensorType.INT16)


@dataclass(frozen=True, slots=True)
class Mix:
    """New positions along an axis: each is a `lower` and an `upper` element in these weights."""

    lower: Array
    upper: Array
    lower_weights: Array
    upper_weights: Array


@dataclass(frozen=True, slots=True)
class BilinearData:
    """How rows and columns are mixed."""

    stackable: bool
    rows: Mix
    columns: Mix


@dataclass(frozen=True, slots=True)
class NearestData:
    """Which of the `old_pixels` of an image each new pixel is."""

    stackable: bool
    old_pixels: int
    pixels: Array


def prepare_bilinear(context: PrepareContext, node: Node) -> BilinearData:
    """Find neighbours and weights of the new rows and columns."""
    source, (height, width) = _prepare(context, node, BILINEAR_TYPES)
    options = node.options_as(ResizeBilinearOptions)
    check(
        not (options.half_pixel_centers and options.align_corners),
        "If half_pixel_centers is True, align_corners must be False.",
    )
    mix = _float_mix if source.type is TensorType.FLOAT32 else _integer_mix
    _, old_height, old_width, _ = source.shape
    return BilinearData(
        stackable=not source.is_constant,
        rows=mix(old_height, height, options, (-1, 1, 1)),
        columns=mix(old_width, width, options, (-1, 1)),
    )


def prepare_nearest(context: PrepareContext, node: Node) -> NearestData:
    """Find the old pixel of every new one."""
    source, (height, width) = _prepare(context, node, NEAREST_TYPES)
    size = context.input(node, SIZE)
    check(size.size == 2, f"the size has {size.size} elements, not 2")
    options = node.options_as(ResizeNearestNeighborOptions)
    _, old_height, old_width, _ = source.shape
    rows = _nearest(old_height, height, options)
    columns = _nearest(old_width, width, options)
    pixels = rows[:, np.newaxis] * old_width + columns
    return NearestData(not source.is_constant, old_height * old_width, pixels.reshape(-1))


def evaluate_bilinear(context: EvalContext, node: Node, data: BilinearData) -> None:
    """Mix rows, then columns."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    if source.dtype == np.float32:
        with np.errstate(all="ignore"):  # infinities and overflows pass silently, as in C++
            output[...] = _mixed_floats(source, data.rows, data.columns)
    else:
        mixed = _mixed_integers(source.astype(np.int32), data.rows, data.columns)
        np.copyto(output, mixed, casting="unsafe")


def evaluate_nearest(context: EvalContext, node: Node, data: NearestData) -> None:
    """Copy pixels."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    channels = source.shape[3]
    old = source.reshape(-1, data.old_pixels, channels)
    new = output.reshape(-1, data.pixels.size, channels)
    np.take(old, data.pixels, axis=1, out=new, mode="clip")


def _prepare(
    context: PrepareContext, node: Node, types: tuple[TensorType, ...]
) -> tuple[Tensor, list[int]]:
    """The input and the new height and width, checked."""
    check_counts(node, (2,))
    source, size = context.input(node, INPUT), context.input(node, SIZE)
    output = context.output(node, OUTPUT)
    check(len(source.shape) == 4, f"the input has {len(source.shape)} dimensions, not 4")
    check(source.size > 0, "the input has no elements")
    check_type(size, "the size", TensorType.INT32)
    check(len(size.shape) == 1, f"the size has {len(size.shape)} dimensions, not 1")
    lengths = constant_words(size, "size", 2)
    check(min(lengths) > 0, f"the new size {lengths} is not positive")
    check_type(source, "the input", *types)
    check_same_type(output, "the output", source)
    check_shape(output, "the output", (source.shape[0], *lengths, source.shape[3]))
    return source, lengths


def _float_mix(old: int, new: int, options: ResizeBilinearOptions, shape: tuple[int, ...]) -> Mix:
    """Positions and weights in float32, rounded at every step as in C++."""
    if options.align_corners and new > 1:
        scale = np.float32(old - 1) / np.float32(new - 1)
    else:
        scale = np.float32(old) / np.float32(new)
    offset = np.float32(0.5 if options.half_pixel_centers else 0.0)
    position = (np.arange(new, dtype=np.float32) + offset) * scale - offset
    lower = np.maximum(np.floor(position), np.float32(0.0))
    upper_weights = position - lower
    return Mix(
        lower=np.minimum(lower.astype(np.intp), old - 1),
        upper=np.minimum(np.ceil(position).astype(np.intp), old - 1),
        lower_weights=(np.float32(1.0) - upper_weights).reshape(shape),
        upper_weights=upper_weights.reshape(shape),
    )


def _integer_mix(old: int, new: int, options: ResizeBilinearOptions, shape: tuple[int, ...]) -> Mix:
    """Positions and weights in units of 1/1024."""
    if options.align_corners and new > 1:
        scale = (ONE * (old - 1) + (new - 1) // 2) // (new - 1)
    else:
        scale = (ONE * old + new // 2) // new
    position = np.arange(new) * scale
    if options.half_pixel_centers:
        position += scale // 2 - ONE // 2
    lower = np.maximum(position // ONE, 0)
    upper_weights = (position - ONE * lower).astype(np.int32)
    return Mix(
        lower=np.minimum(lower, old - 1),
        upper=np.minimum(-(-position // ONE), old - 1),
        lower_weights=(ONE - upper_weights).reshape(shape),
        upper_weights=upper_weights.reshape(shape),
    )


def _nearest(old: int, new: int, options: ResizeNearestNeighborOptions) -> Array:
    if options.align_corners and new > 1:
        scale = np.float32(old - 1) / np.float32(new - 1)
    else:
        scale = np.float32(old) / np.float32(new)
    offset = np.float32(0.5 if options.half_pixel_centers else 0.0)
    position = ((np.arange(new, dtype=np.float32) + offset) * scale).astype(np.float64)
    if options.align_corners:
        position += 0.5  # to round to the nearest; exact in float64 only
    return np.minimum(position.astype(np.intp), old - 1)


def _mixed_floats(source: Array, rows: Mix, columns: Mix) -> Array:
    """The four corners in TFLM's order: by column first, then by row."""
    above = _weighted(source, rows.lower, rows.lower_weights, 1)
    below = _weighted(source, rows.upper, rows.upper_weights, 1)
    total = _weighted(above, columns.lower, columns.lower_weights, 2)
    total += _weighted(below, columns.lower, columns.lower_weights, 2)
    total += _weighted(above, columns.upper, columns.upper_weights, 2)
    total += _weighted(below, columns.upper, columns.upper_weights, 2)
    return total


def _mixed_integers(source: Array, rows: Mix, columns: Mix) -> Array:
    """Exact in int32: stored values are of 8 bits, weights are below 2 * ONE."""
    total = _mixed(_mixed(source, rows, 1), columns, 2)
    if not rounds_once():
        total += total >> 31  # ties away from zero, not up
    total += 1 << (2 * WEIGHT_BITS - 1)
    total >>= 2 * WEIGHT_BITS
    return total


def _mixed(values: Array, mix: Mix, axis: int) -> Array:
    total = _weighted(values, mix.lower, mix.lower_weights, axis)
    total += _weighted(values, mix.upper, mix.upper_weights, axis)
    return total


def _weighted(values: Array, positions: Array, weights: Array, axis: int) -> Array:
    taken = np.take(values, positions, axis=axis)
    taken *= weights
    return taken


def _bilinear_stacks(data: BilinearData) -> bool:
    return data.stackable


def _nearest_stacks(data: NearestData) -> bool:
    return data.stackable


RESIZE_BILINEAR = Registration(
    BuiltinOperator.RESIZE_BILINEAR, prepare_bilinear, evaluate_bilinear, _bilinear_stacks
)
RESIZE_NEAREST_NEIGHBOR = Registration(
    BuiltinOperator.RESIZE_NEAREST_NEIGHBOR, prepare_nearest, evaluate_nearest, _nearest_stacks
)
