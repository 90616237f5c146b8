"""Values for inputs that no file fills: zeros, or random ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinyml_runtime import Array, InputError, Tensor
from tinyml_runtime.quantization import stored_range


def zeros(tensor: Tensor) -> Array:
    """One sample of stored zeros."""
    return np.zeros(tensor.shape, tensor.dtype)


def random_samples(tensors: Sequence[Tensor], seed: int, samples: int = 1) -> list[Array]:
    """Values [samples, *shape] for each tensor, from one generator: sample after sample.

    Integers are uniform over the whole range of their type, floats standard normal.
    """
    generator = np.random.default_rng(seed)
    rows = [[_random_sample(tensor, generator) for tensor in tensors] for _ in range(samples)]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def _random_sample(tensor: Tensor, generator: np.random.Generator) -> Array:
    dtype = tensor.dtype
    if dtype.kind == "b":
        return generator.integers(0, 2, size=tensor.shape).astype(dtype)
    if dtype.kind in "iu":
        low, high = stored_range(tensor)
        return generator.integers(low, high, size=tensor.shape, dtype=dtype, endpoint=True)
    if dtype.kind == "f":
        return np.asarray(generator.standard_normal(tensor.shape)).astype(dtype)
    raise InputError(f"--seed has no random values for '{tensor.name}' of type {tensor.type.name}")
