"""What models were fed when their outputs and instructions were measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyml_profiles.reference_input import reference_input
from tinyml_runtime.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
_FACTOR, _FIRST = 37, 11


def fed(core: str, inputs: Sequence[Tensor]) -> list[Array]:
    """A sample for each input, as it was on this core: [1, *shape]."""
    if core.startswith("cortex"):
        return reference_input(inputs)
    return [_by_byte(tensor)[np.newaxis] for tensor in inputs]


def _by_byte(tensor: Tensor) -> Array:
    """Integers are bytes that stand side by side; every input begins anew."""
    if tensor.dtype.kind == "f":
        return reference_input([tensor])[0][0]
    values = (np.arange(tensor.size * tensor.dtype.itemsize) * _FACTOR + _FIRST) & 0xFF
    if tensor.dtype.kind == "b":
        return (values != 0).reshape(tensor.shape)
    return values.astype(np.uint8).view(tensor.dtype).reshape(tensor.shape)
