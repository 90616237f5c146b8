"""Rows of a tensor copied to other places: what operators that gather or move rows have in common.

Input and output are seen as [samples, rows, width]: row i of a sample of the output is row rows[i]
of the same sample of the input, or zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.tensor import Array


@dataclass(frozen=True, slots=True)
class RowsData:
    """`source_rows` rows of `width` elements make one sample of the input.

    `rows` is None where only the run gives it. The rows of the output at `blanks` are zeros.
    """

    stackable: bool
    source_rows: int
    width: int
    rows: Array | None = None
    blanks: Array | None = None


def copy_rows(source: Array, out: Array, layout: tuple[int, int], rows: Array) -> None:
    """Fill `out` with the `rows` of every sample; `layout` is source rows and width.

    Every row must be in the range of the source rows.
    """
    if out.size:
        samples = source.reshape(-1, *layout)
        shape = (samples.shape[0], rows.size, layout[1])
        # Clipping never happens; but NumPy writes straight into `out` only with it.
        np.take(samples, rows, axis=1, out=out.reshape(shape), mode="clip")


def rows_stack(data: RowsData) -> bool:
    """Samples are evaluated at once where the rows are the same for all."""
    return data.stackable
