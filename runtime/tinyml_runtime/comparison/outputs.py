"""The outputs of a model on two sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.comparison.metrics import Difference, DifferenceMeter, real_values
from tinyml_runtime.tensor import Array, Tensor


@dataclass(frozen=True, slots=True)
class OutputComparison:
    """An output of the model; `top1_agreement` is the share of samples with the same largest one.

    That is None for an output that is no vector of several elements.
    """

    index: int
    tensor: Tensor
    difference: Difference
    top1_agreement: float | None


class OutputMeter:
    """One output, some samples at a time."""

    def __init__(self, index: int, ours: Tensor, theirs: Tensor) -> None:
        """Output `index` of the model, as each side stores it."""
        self._index = index
        self._forms = ours, theirs
        self._meter = DifferenceMeter(ours, theirs)
        self._samples = self._agreeing = 0
        self._is_vector = _is_vector(ours)

    def add(self, ours: Array, theirs: Array) -> None:
        """Count the values [samples, *shape] of both sides."""
        self._meter.add(ours, theirs)
        if self._is_vector:
            mine, other = map(_largest, (ours, theirs), self._forms)
            self._samples += len(mine)
            self._agreeing += int((mine == other).sum())

    def result(self) -> OutputComparison:
        """The output over all samples."""
        agreement = self._agreeing / self._samples if self._samples else None
        return OutputComparison(self._index, self._forms[0], self._meter.result(), agreement)


def _largest(values: Array, tensor: Tensor) -> Array:
    """The place of the largest real value in each sample."""
    real = real_values(values, tensor)
    return np.argmax(real.reshape(len(real), -1), axis=1)


def _is_vector(tensor: Tensor) -> bool:
    lengths = [length for length in tensor.shape if length != 1]
    return len(lengths) == 1 and tensor.dtype.kind in "fiu" and lengths[0] > 1
