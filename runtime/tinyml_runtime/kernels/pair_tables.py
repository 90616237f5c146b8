"""Operators of two int8 operands as tables of their results for all 65,536 pairs of values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from tinyml_runtime.kernels.broadcast import Compute
from tinyml_runtime.kernels.unary import every_value
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

# Rows of the table that are worked out together: what stays in the processor's cache.
_ROWS_AT_ONCE = 32


def tabulated_pairs(formula: Callable[[Array, Array], Array], results: np.dtype[Any]) -> Compute:
    """`formula`, which takes stored values as int64 and gives what fits `results`, as a look-up."""
    values = every_value(TensorType.INT8).astype(np.int64)
    table = np.empty((values.size, values.size), results)
    for start in range(0, values.size, _ROWS_AT_ONCE):
        rows = slice(start, start + _ROWS_AT_ONCE)
        np.copyto(table[rows], formula(values[rows, np.newaxis], values), casting="unsafe")
    return partial(_look_up, table.reshape(-1))


def _look_up(table: Array, first: Array, second: Array, out: Array) -> None:
    # By the bits of the first value and then of the second.
    pairs = first.view(np.uint8).astype(np.uint16)
    pairs <<= 8
    table.take(np.bitwise_or(pairs, second.view(np.uint8)), None, out, "wrap")
