"""A tensor as kernels see it: shape, element type, quantization, values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from tinyml_runtime.types import TensorType

Array: TypeAlias = np.ndarray[Any, Any]

# How elements lie in memory at run time. Four-bit elements are unpacked to one byte each; types
# that NumPy does not have keep their bits.
_DTYPES: dict[TensorType, np.dtype[Any]] = {
    kind: np.dtype(name)
    for kind, name in {
        TensorType.FLOAT32: "<f4",
        TensorType.FLOAT16: "<f2",
        TensorType.INT32: "<i4",
        TensorType.UINT8: "u1",
        TensorType.INT64: "<i8",
        TensorType.STRING: "u1",
        TensorType.BOOL: "?",
        TensorType.INT16: "<i2",
        TensorType.COMPLEX64: "<c8",
        TensorType.INT8: "i1",
        TensorType.FLOAT64: "<f8",
        TensorType.COMPLEX128: "<c16",
        TensorType.UINT64: "<u8",
        TensorType.RESOURCE: "<i4",
        TensorType.VARIANT: "u1",
        TensorType.UINT32: "<u4",
        TensorType.UINT16: "<u2",
        TensorType.INT4: "i1",
        TensorType.BFLOAT16: "<u2",
        TensorType.INT2: "i1",
        TensorType.UINT4: "u1",
        TensorType.FLOAT8_E4M3FN: "u1",
        TensorType.FLOAT8_E5M2: "u1",
    }.items()
}


def dtype_of(kind: TensorType) -> np.dtype[Any]:
    """NumPy's element type for `kind` at run time; INT4 is int8, one element a byte."""
    return _DTYPES[kind]


@dataclass(frozen=True, slots=True)
class QuantizationParams:
    """real = scale * (stored - zero_point); one scale, or one per index along `dimension`."""

    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    dimension: int = 0


@dataclass(slots=True, eq=False)
class Tensor:
    """One tensor of a subgraph at run time.

    `values` has the tensor's shape and `dtype_of(type)`. Before memory is given to the tensors of a
    subgraph, only constants have values; the others read as zeros and cannot be written.
    """

    index: int
    name: str
    type: TensorType
    shape: tuple[int, ...]
    quantization: QuantizationParams = field(default_factory=QuantizationParams)
    is_constant: bool = False
    is_variable: bool = False
    values: Array = field(default_factory=lambda: np.empty(0, np.int8))

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's element type of `values`."""
        return _DTYPES[self.type]

    @property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for length in self.shape:
            count *= length
        return count

    @property
    def is_quantized(self) -> bool:
        """Whether the file gives a scale and a zero point; TFLM ignores one alone."""
        return bool(self.quantization.scales and self.quantization.zero_points)

    @property
    def scale(self) -> float:
        """The first scale; 0.0 without quantization, as TFLM sets it."""
        return self.quantization.scales[0] if self.is_quantized else 0.0

    @property
    def zero_point(self) -> int:
        """The first zero point, in 32 bits; 0 without quantization, as TFLM sets it."""
        if not self.is_quantized:
            return 0
        return (self.quantization.zero_points[0] + 2**31) % 2**32 - 2**31


def unallocated(kind: TensorType, shape: tuple[int, ...]) -> Array:
    """Zeros of the right shape and type that take no memory and refuse to be written.

    An unknown dimension (-1) counts as 0: no kernel gets to see it.
    """
    return np.broadcast_to(np.zeros((), dtype_of(kind)), [max(0, size) for size in shape])


def copy_bytes(source: Array, target: Array) -> None:
    """Copy between arrays of as many bytes, whatever their shapes and types."""
    target.reshape(-1).view(np.uint8)[...] = source.reshape(-1).view(np.uint8)


def unpack_int4(packed: Array, elements: int) -> Array:
    """Bytes of two four-bit elements each, the earlier in the low half, as int8 values."""
    low = (packed.view(np.int8) << 4) >> 4
    high = packed.view(np.int8) >> 4
    return np.stack([low, high], axis=-1).reshape(-1)[:elements]
