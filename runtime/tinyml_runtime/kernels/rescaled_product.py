"""A small fully connected layer inside of an operator: rows times a constant matrix, rescaled.

Recurrent operators multiply a row or a few at a time, where calls cost more than what they compute.
So biases, factors and what rounds are folded into the matrix wherever that stays exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint
from tinyml_runtime.kernels.rescaling import Rescaling
from tinyml_runtime.tensor import Array


class RescaledProduct:
    """Integer rows times weights, plus biases, as integers within `limits`."""

    def __init__(
        self,
        weights: Array,
        biases: Array,
        zero_point: int,
        factors: Sequence[FixedPoint],
        limits: tuple[int, int],
        *,
        largest: int,
        wide: bool = False,
    ) -> None:
        """Lay out weights [columns, depth] and biases [columns], both int64.

        `zero_point` and `largest`, a magnitude, are those of the rows. Each factor is for equally
        many neighbouring columns; `wide` selects the arithmetic of 64-bit accumulators.
        """
        folded = biases - zero_point * weights.sum(axis=1)
        bounds = np.abs(weights).sum(axis=1) * largest + np.abs(folded.astype(np.float64))
        rescaling = Rescaling(factors, len(weights), limits, bounds=bounds, wide=wide)
        # The bias is the weight of one more input, which is always 1.
        matrix = np.vstack([weights.T, folded]).astype(np.float64)
        if rescaling.takes_scaled:
            matrix *= rescaling.scale
        if rescaling.takes_offset:
            matrix[-1] += rescaling.offset.reshape(-1)
        self._matrix, self._rescaling = matrix, rescaling

    def bind(
        self, sums: Array, out: Array, *, added_late: int = 0
    ) -> tuple[Array, Callable[[], None]]:
        """Where to put the rows, [rows, depth], and what makes `out` from them.

        `sums` [rows, columns], float64, are overwritten, and may be `out`; `added_late` is added to
        the results, in the type of `out`.
        """
        matrix, rescaling = self._matrix, self._rescaling
        rows = np.ones((len(sums), len(matrix)))
        # NumPy multiplies a vector faster than a matrix of one row.
        vectors, products = (rows[0], sums[0]) if len(sums) == 1 else (rows, sums)
        rescale = rescaling.bind(
            sums,
            out,
            is_scaled=rescaling.takes_scaled,
            is_offset=rescaling.takes_offset,
            added_late=added_late,
        )

        def multiply() -> None:
            vectors.dot(matrix, products)
            rescale()

        return rows[:, :-1], multiply
