"""Logistic and tanh of int16 values as tables of 65,536 results, one for every input.

Inputs are scaled to 2**-12 or, through a multiplier, to it; results have scale 2**-15. Both
functions interpolate in one table of 256 points of the logistic, 1/24 apart, since tanh(x) is
2 * logistic(2 * x) - 1.

Source    tflite-micro `lite/kernels/internal/reference/integer_ops/logistic.h`, `tanh.h`
"""

from __future__ import annotations

from functools import cache

import numpy as np

from tinyml_runtime.tensor import Array

_LAST_POINT = 255


@cache
def logistic_table(multiplier: int = 0, left_shift: int = 0) -> Array:
    """int16 results, to be indexed by the inputs viewed as uint16.

    An input stands for input * multiplier / 2**left_shift, in units of 2**-12 / 3; multiplier 0
    stands for 3 * 2**left_shift, the case of scales that are powers of two.
    """
    scaled = _scaled_inputs(multiplier, left_shift)
    interpolated = _interpolate(scaled, fraction_bits=9, saturated=0x7FFF << 10)
    np.subtract(2**25 - 1, interpolated, out=interpolated, where=scaled < 0)
    return _frozen((interpolated + 512) >> 10)


@cache
def tanh_table(multiplier: int = 0, left_shift: int = 0) -> Array:
    """int16 results, to be indexed by the inputs viewed as uint16; arguments as of the logistic."""
    scaled = _scaled_inputs(multiplier, left_shift)
    interpolated = _interpolate(scaled, fraction_bits=8, saturated=0xFFFF << 8)
    interpolated -= 2**23
    np.subtract(-1, interpolated, out=interpolated, where=scaled < 0)
    return _frozen((interpolated + 128) >> 8)


def _scaled_inputs(multiplier: int, left_shift: int) -> Array:
    """Every int16 value in the order of its bits, scaled in 32-bit arithmetic as TFLM does."""
    if multiplier == 0:
        multiplier, left_shift = 3 << left_shift, 0
    values = np.arange(2**16, dtype=np.uint16).view(np.int16).astype(np.int64)
    rounding = 1 << (left_shift - 1) if left_shift > 0 else 0
    return (values * multiplier + rounding).astype(np.int32) >> left_shift


def _interpolate(scaled: Array, fraction_bits: int, saturated: int) -> Array:
    """The points and chords between them at the magnitudes; `saturated` from the last point on."""
    points = _logistic_points()
    magnitude = np.abs(scaled).view(np.uint32)
    index = np.minimum(magnitude >> fraction_bits, _LAST_POINT)
    chords = np.diff(points, append=points[-1:])
    fraction = (magnitude & (2**fraction_bits - 1)).view(np.int32)
    interpolated = (points << fraction_bits)[index] + fraction * chords[index]
    interpolated[index == _LAST_POINT] = saturated
    return interpolated


@cache
def _logistic_points() -> Array:
    """logistic(i / 24) * 2**16 for i below 256, raised by half of what chords miss."""
    curve = 1.0 / (1.0 + np.exp(-np.arange(_LAST_POINT + 1) / 24.0))
    bend = curve * (1.0 - curve) * (1.0 - 2.0 * curve) / 24.0**2
    points = np.floor((curve - bend / 16.0) * 2.0**16 + 0.5).astype(np.int32)
    points[_LAST_POINT] = 2**16 - 1
    return points


def _frozen(table: Array) -> Array:
    table = table.astype(np.int16)
    table.setflags(write=False)
    return table
