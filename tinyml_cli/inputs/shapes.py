"""Which arrays are one sample of an input, and which are many."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from tinyml_runtime import Array, InputError

Shape = tuple[int, ...]


def as_samples(array: Array, shape: Shape, where: str) -> Array:
    """`array` as [samples, *shape]; InputError where it fits in none of these ways, in this order.

    1. one sample: the input's shape, or one that differs from it by dimensions of 1 only
    2. N samples: the same behind a first dimension N
    3. one or N samples, each a flat row of the input's elements
    """
    if _squeezed(array.shape) == _squeezed(shape):
        return array.reshape(1, *shape)
    samples = _count(array.shape, shape)
    if not samples:
        raise InputError(f"{where}: {_explain(array, shape)}")
    return array.reshape(samples, *shape)


def _count(found: Shape, shape: Shape) -> int:
    """How many samples an array of shape `found` holds; 0 where it does not fit."""
    elements = prod(shape)
    if found and _squeezed(found[1:]) == _squeezed(shape):
        return found[0]
    if found == (elements,):
        return 1
    if len(found) == 2 and found[1] == elements:
        return found[0]
    return 0


def _squeezed(shape: Sequence[int]) -> Shape:
    return tuple(length for length in shape if length != 1)


def _explain(array: Array, shape: Shape) -> str:
    sample = shape[1:] if shape[:1] == (1,) else shape
    many = ", ".join(map(str, ("N", *sample)))
    problem = (
        "there are no samples in it" if not array.size else f"its shape is {list(array.shape)}"
    )
    return f"{problem}; the input takes {list(shape)}, or [{many}] for N samples"
