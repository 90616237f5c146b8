"""Functions of int16 values as 513 points and the chords between them, as SOFTMAX uses them.

The upper 9 bits of a value choose a chord, the lower 7 a place on it. Points are moved by half of
what their chord misses in its middle. All of it is float32 arithmetic, in TFLM's order, because
another order moves some points by one.

Source    tflite-micro `lite/kernels/internal/common.h`, `micro/kernels/softmax_common.cc`
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from tinyml_runtime.tensor import Array

_CHORDS = 512
_CHORD_BITS = 7
_LOWEST, _HIGHEST = -(2**15), 2**15 - 1
_SPAN = _HIGHEST - _LOWEST


@cache
def exponential_table() -> Array:
    """exp(x) with 15 fraction bits, for x from -10 to 0."""
    return _points(_exp, np.float32(10.0) / np.float32(_SPAN), zero_point=_HIGHEST)


@cache
def reciprocal_table() -> Array:
    """1 / (1 + x) with 15 fraction bits, for x from 0 to 1."""
    return _points(_one_over_one_plus, np.float32(1.0) / np.float32(_SPAN), zero_point=_LOWEST)


def interpolate(table: Array, values: Array) -> Array:
    """The tabulated function of int16 values, which come and go as int64."""
    index = (values >> _CHORD_BITS) + _CHORDS // 2
    base = table[index]
    slope = table[index + 1] - base
    return base + (
        (slope * (values & (2**_CHORD_BITS - 1)) + 2 ** (_CHORD_BITS - 1)) >> _CHORD_BITS
    )


def _points(function: Callable[[Array], Array], input_scale: np.float32, zero_point: int) -> Array:
    first = input_scale * np.float32(_LOWEST - zero_point)
    last = input_scale * np.float32(_HIGHEST - zero_point)
    step = (last - first) / np.float32(_CHORDS)
    output_scale = np.float32(2.0) / np.float32(_SPAN)
    output_span = output_scale * np.float32(_HIGHEST) - output_scale * np.float32(_LOWEST)
    per_unit = np.float32(_SPAN + 1) / output_span
    starts = np.arange(_CHORDS + 1, dtype=np.float32) * step + first
    at_start = function(starts) * per_unit
    in_middle = function(starts[:-1] + step / np.float32(2.0)) * per_unit
    sampled = _round(at_start)
    on_chord = _round((at_start[1:] + sampled[:-1]) / np.float32(2.0))
    sampled[:-1] -= _round((on_chord - _round(in_middle)) / np.float32(2.0))
    sampled[-1] = _round(function(np.full(1, last)) * per_unit)[0]
    return np.clip(sampled, _LOWEST, _HIGHEST).astype(np.int64)


def _exp(values: Array) -> Array:
    return np.exp(values.astype(np.float64)).astype(np.float32)


def _one_over_one_plus(values: Array) -> Array:
    one = np.float32(1.0)
    return one / (one + values)


def _round(values: Array) -> Array:
    """Round to integers, half away from zero, which NumPy has no function for."""
    return np.copysign(np.floor(np.abs(values.astype(np.float64)) + 0.5), values).astype(np.float32)
