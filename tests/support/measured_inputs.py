"""What models were fed when their outputs and instructions were measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyml_runtime.tensor import Tensor

Array = np.ndarray[Any, np.dtype[Any]]
_FACTOR, _FIRST, _NEXT_INPUT = 37, 11, 101


def fed(core: str, inputs: Sequence[Tensor]) -> list[Array]:
    """A sample for each input, as it was on this core: [1, *shape]."""
    fill = _by_element if core.startswith("cortex") else _by_byte
    return [fill(tensor, number)[np.newaxis] for number, tensor in enumerate(inputs)]


def fed_bench(core: str, inputs: Sequence[Tensor]) -> list[Array]:
    """The same of models of one operator, which were fed alike on all cores."""
    return [_by_element(tensor, number)[np.newaxis] for number, tensor in enumerate(inputs)]


def _by_element(tensor: Tensor, number: int) -> Array:
    """Small numbers, spread over the range of the type; those of 32 bits from 0 to 3."""
    values = (np.arange(tensor.size) * _FACTOR + _FIRST + _NEXT_INPUT * number) & 0xFF
    convert = _CONVERTED.get(tensor.dtype.name, lambda all_values: all_values & 3)
    return convert(values).astype(tensor.dtype).reshape(tensor.shape)


def _by_byte(tensor: Tensor, number: int) -> Array:
    """Integers are bytes that stand side by side."""
    if tensor.dtype.kind == "f":
        return _by_element(tensor, 0)
    values = (np.arange(tensor.size * tensor.dtype.itemsize) * _FACTOR + _FIRST) & 0xFF
    if tensor.dtype.kind == "b":
        return (values != 0).reshape(tensor.shape)
    return values.astype(np.uint8).view(tensor.dtype).reshape(tensor.shape)


_CONVERTED: dict[str, Callable[[Array], Array]] = {
    "int8": lambda values: values.astype(np.uint8).view(np.int8),
    "uint8": lambda values: values,
    "int16": lambda values: (values - 128) * 256,
    "bool": lambda values: values & 1,
    "float32": lambda values: (values - 128) / 128,
}
