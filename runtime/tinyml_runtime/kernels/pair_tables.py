"""Operators of two int8 operands as tables of their results for all 65,536 pairs of values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyml_runtime.kernels.binding import Bindable
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
    flat = table.reshape(-1)

    @Bindable
    def look_up(first: Array, second: Array, out: Array) -> Callable[[], None]:
        # By the bits of the first value and then of the second.
        pairs = np.empty(out.shape, "<u2")
        halves = pairs.view(np.uint8).reshape(*out.shape, 2)
        low, high = halves[..., 0], halves[..., 1]
        first, second = first.view(np.uint8), second.view(np.uint8)

        def run() -> None:
            low[...] = second
            high[...] = first
            flat.take(pairs, None, out, "wrap")

        return run

    return look_up
