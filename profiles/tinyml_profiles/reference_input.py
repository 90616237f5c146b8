"""What a model is fed where its work depends on values, and nobody gives any."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tinyml_runtime.tensor import Array, Tensor

_FACTOR, _FIRST, _NEXT_INPUT = 37, 11, 101


def reference_input(inputs: Sequence[Tensor]) -> list[Array]:
    """A sample for each input, [1, *shape]: the one that instructions were measured with.

    Its bytes run through all values in steps of 37. Floats lie evenly between -1 and 1, integers
    of up to 16 bits in all of their range; larger ones, which are often indices, are 0 to 3.
    """
    return [_filled(tensor, number)[np.newaxis] for number, tensor in enumerate(inputs)]


def _filled(tensor: Tensor, number: int) -> Array:
    values = (np.arange(tensor.size) * _FACTOR + _FIRST + _NEXT_INPUT * number) & 0xFF
    convert = _CONVERTED.get(tensor.dtype.name, lambda all_values: all_values & 3)
    return convert(values).astype(tensor.dtype).reshape(tensor.shape)


_CONVERTED: dict[str, Callable[[Array], Array]] = {
    "int8": lambda values: values.astype(np.uint8).view(np.int8),
    "uint8": lambda values: values,
    "int16": lambda values: (values - 128) * 256,
    "bool": lambda values: values & 1,
    "float32": lambda values: (values - 128) / 128,
}
