"""The arithmetic of KISS FFT for each of its element types, on arrays [real and imaginary, ...].

Source    KISS FFT 130 `_kiss_fft_guts.h`, with the patch of tflite-micro `third_party/kissfft`
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType


class Numbers(Protocol):
    """What a butterfly does to its numbers."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """The element type of arrays between two operations."""
        ...

    def wrap(self, values: Array) -> Array:
        """What is left of sums in the element type."""
        ...

    def divide(self, values: Array, divisor: int) -> Array:
        """Divide against overflow; floating point does not."""
        ...

    def half(self, values: Array) -> Array:
        """Half of each value."""
        ...

    def product(self, values: Array, factor: Array) -> Array:
        """Values times real factors."""
        ...

    def complex_product(self, values: Array, factors: Array) -> Array:
        """Complex values times complex factors."""
        ...

    def roots(self, phases: Sequence[float]) -> Array:
        """The complex numbers of modulus 1 with these phases."""
        ...


@dataclass(frozen=True, slots=True)
class FixedNumbers:
    """Integers of `fraction_bits` + 1 bits that stand for fractions; held in int64."""

    fraction_bits: int
    stored: type[np.int16 | np.int32]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Wide enough for every product and the sum of two."""
        return np.dtype(np.int64)

    def wrap(self, values: Array) -> Array:
        """The low bits, with their sign."""
        return values.astype(self.stored).astype(np.int64)

    def divide(self, values: Array, divisor: int) -> Array:
        """Multiply by the largest fraction over `divisor`, ties upwards."""
        return self._rounded(values * ((2**self.fraction_bits - 1) // divisor))

    def half(self, values: Array) -> Array:
        """Halve towards minus infinity. Sums are of 32 bits for either element type."""
        return values.astype(np.int32).astype(np.int64) >> 1

    def product(self, values: Array, factor: Array) -> Array:
        """Products as fractions, ties upwards."""
        return self._rounded(values * factor)

    def complex_product(self, values: Array, factors: Array) -> Array:
        """Complex products as fractions; each part is rounded once."""
        return self._rounded(_complex_product(values, factors))

    def roots(self, phases: Sequence[float]) -> Array:
        """Cosines and sines in steps of the largest fraction, ties upwards."""
        largest = 2**self.fraction_bits - 1
        return np.array(
            [
                [math.floor(0.5 + largest * math.cos(phase)) for phase in phases],
                [math.floor(0.5 + largest * math.sin(phase)) for phase in phases],
            ],
            np.int64,
        )

    def _rounded(self, values: Array) -> Array:
        return self.wrap((values + (1 << (self.fraction_bits - 1))) >> self.fraction_bits)


class FloatNumbers:
    """float32 values, each operation rounded by itself."""

    dtype = np.dtype(np.float32)

    def wrap(self, values: Array) -> Array:
        """Nothing overflows."""
        return values

    def divide(self, values: Array, divisor: int) -> Array:
        """Nothing overflows."""
        return values

    def half(self, values: Array) -> Array:
        """Exactly half."""
        return values * np.float32(0.5)

    def product(self, values: Array, factor: Array) -> Array:
        """Plain products."""
        return values * factor

    def complex_product(self, values: Array, factors: Array) -> Array:
        """Plain complex products, in the usual order."""
        return _complex_product(values, factors)

    def roots(self, phases: Sequence[float]) -> Array:
        """Cosines and sines, rounded to float32."""
        parts = [[math.cos(phase) for phase in phases], [math.sin(phase) for phase in phases]]
        return np.array(parts, np.float32)


def _complex_product(values: Array, factors: Array) -> Array:
    """NumPy's own complex product may fuse its steps, and so round otherwise."""
    (real, imaginary), (cosines, sines) = values, factors
    return np.stack(
        [real * cosines - imaginary * sines, real * sines + imaginary * cosines],
    )


NUMBERS: dict[TensorType, Numbers] = {
    TensorType.INT16: FixedNumbers(15, np.int16),
    TensorType.INT32: FixedNumbers(31, np.int32),
    TensorType.FLOAT32: FloatNumbers(),
}
