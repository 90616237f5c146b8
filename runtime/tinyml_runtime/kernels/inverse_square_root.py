"""1 / sqrt of integers in fixed point: a multiplier and a shift for every one of them.

Source    tflite-micro `lite/kernels/internal/common.h`, GetInvSqrtQuantizedMultiplierExp
"""

from __future__ import annotations

import numpy as np

from tinyml_runtime.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
)
from tinyml_runtime.tensor import Array

# Newton's iteration runs on numbers with three integer bits, from 1/4 to 1 of 2**3.
_ONE = 1 << 28
_ONE_AND_A_HALF = 3 << 27
_STEPS = 5
_HALF_ROOT_OF_TWO = 1518500250
_LARGEST = 2**29
_FIRST_SHIFT = 11


def inverse_square_root(values: Array) -> tuple[Array, Array]:
    """Multipliers and shifts with multiplier * 2**(shift - 31) = 1 / sqrt(value).

    `values` are int32 in int64; what is below 1 counts as 1. Shifts are to the left, so mostly
    negative.
    """
    reduced = np.where(values >= _LARGEST, values >> 2, np.maximum(values, 2))
    bits = np.frexp(reduced.astype(np.float64))[1].astype(np.int64)
    pairs = (31 - bits) // 2 - 1
    right_shift = _FIRST_SHIFT - pairs + (values >= _LARGEST)
    root = _newton((reduced << (2 * pairs)) >> 1) << np.maximum(-right_shift, 0)
    is_one = values <= 1
    multipliers = np.where(is_one, INT32_MAX, root)
    return multipliers, np.where(is_one, 0, -np.maximum(right_shift, 0))


def _newton(values: Array) -> Array:
    half = rounding_divide_by_pot(values, 1)
    root = np.full_like(values, _ONE)
    for _ in range(_STEPS):
        cube = _saturating_shift(_multiply(_multiply(root, root), root), 6)
        root = _saturating_shift(_multiply(root, _ONE_AND_A_HALF) - _multiply(half, cube), 3)
    return _multiply(root, _HALF_ROOT_OF_TWO)


def _saturating_shift(values: Array, bits: int) -> Array:
    return np.clip(values << bits, INT32_MIN, INT32_MAX)


_multiply = saturating_rounding_doubling_high_mul
