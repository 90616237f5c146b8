"""Real values to stored ones and back: real = scale * (stored - zero_point)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

_PACKED_RANGES = {
    TensorType.INT2: (-2, 1),
    TensorType.INT4: (-8, 7),
    TensorType.UINT4: (0, 15),
}


class Quantized(NamedTuple):
    """Stored values, and how many of them were clamped to the ends of their type."""

    stored: Array
    clamped: int


def stored_range(tensor: Tensor) -> tuple[int, int]:
    """Lowest and highest integer that the tensor's type can store."""
    if tensor.type in _PACKED_RANGES:
        return _PACKED_RANGES[tensor.type]
    if tensor.dtype.kind == "b":
        return 0, 1
    limits = np.iinfo(tensor.dtype)
    return int(limits.min), int(limits.max)


def is_quantized(tensor: Tensor) -> bool:
    """Whether the tensor stores integers that stand for real values."""
    return tensor.dtype.kind in "iu" and tensor.scale > 0


def real_range(tensor: Tensor) -> tuple[float, float]:
    """The lowest and the highest real value of a quantized tensor."""
    lowest, highest = stored_range(tensor)
    return (
        tensor.scale * (lowest - tensor.zero_point),
        tensor.scale * (highest - tensor.zero_point),
    )


def quantize(values: Array, tensor: Tensor) -> Quantized:
    """Real values as the tensor stores them, computed as TFLM's QUANTIZE does.

    It divides in float32 and rounds halves away from zero; NaN must not be among the values.
    """
    with np.errstate(over="ignore"):
        steps = values.astype(np.float32) / np.float32(tensor.scale)
    # In float64 the half can be added to any float32 without being rounded itself.
    wide = steps.astype(np.float64)
    stored = np.trunc(wide + np.copysign(0.5, wide)) + tensor.zero_point
    lowest, highest = stored_range(tensor)
    clamped = np.clip(stored, lowest, highest)
    return Quantized(clamped.astype(tensor.dtype), int(np.count_nonzero(stored != clamped)))


def dequantize(stored: Array, tensor: Tensor) -> Array:
    """Real values of a tensor's stored ones, in float32; other tensors' values as they are."""
    if not is_quantized(tensor):
        return stored
    return np.float32(tensor.scale) * (stored.astype(np.float64) - tensor.zero_point).astype(
        np.float32
    )
