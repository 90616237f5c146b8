"""Values of tensors, sample by sample, as far as memory allows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tinyml_runtime.tensor import Array

_LARGEST_BYTES = 256 << 20


class Recording:
    """Keeps the first samples of tensors, by their index."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.values: defaultdict[int, list[Array]] = defaultdict(list)
        self.samples = 0
        self._bytes = 0

    def add(self, values: Mapping[int, Array], samples: int) -> None:
        """Keep the values [samples, *shape] of each tensor, or as many samples as there is room."""
        each = sum(array.nbytes for array in values.values()) // samples
        room = max(0, _LARGEST_BYTES - self._bytes) // max(1, each)
        # One sample is always kept: without it there would be nothing to tell.
        kept = min(samples, max(room, 0 if self.samples else 1))
        for index, array in values.items():
            self.values[index].extend(array[:kept].copy())
        self.samples += kept
        self._bytes += kept * each
