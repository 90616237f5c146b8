"""Operators of two 8-bit operands as tables of their results for all 65,536 pairs of values."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from tinyml_runtime.kernels.broadcast import Compute
from tinyml_runtime.tensor import Array


def tabulated_pairs(
    formula: Callable[[Array, Array], Array], output: np.dtype[np.generic]
) -> Compute:
    """`formula` as a look-up: it takes stored int8 values as int64, gives what fits `output`."""
    values = np.arange(2**8, dtype=np.uint8).view(np.int8).astype(np.int64)
    table = formula(values[:, np.newaxis], values).astype(output)
    return partial(_look_up, table.reshape(-1))


def _look_up(table: Array, first: Array, second: Array, out: Array) -> None:
    pairs = first.view(np.uint8).astype(np.uint16)
    pairs <<= 8
    table.take(np.bitwise_or(pairs, second.view(np.uint8)), None, out, "wrap")
