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
    """Every new position along an axis is `lower` and `upper` elements, in these two weights."""

    lower: Array
    upper: Array
    lower_weights: Array
    upper_weights: Array


@dataclass(frozen=True, slots=True)
class ResizeData:
    """How rows and columns are mixed; or which of the input's pixels the output's pixels are."""

    stackable: bool
    mixes: tuple[Mix, Mix] | None
    pixels: Array
    

"""
