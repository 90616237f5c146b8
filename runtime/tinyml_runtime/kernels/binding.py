"""Functions on arrays that are bound to their arrays before they are called.

What computes on arrays that stay in place can settle its views and buffers once. `BindingEvaluate`
is that for a whole node; here it is for the steps that kernels hand to each other.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from tinyml_runtime.tensor import Array

_LARGE_ELEMENTS = {2: np.dtype("u2"), 4: np.dtype("u4"), 8: np.dtype("u8"), 16: np.dtype("c16")}


class Bindable:
    """`bind` takes arrays and gives a function without arguments; called, it is that at once."""

    def __init__(self, bind: Callable[..., Callable[[], object]]) -> None:
        """Wrap `bind`; to be used as a decorator."""
        self.bind = bind

    def __call__(self, *arrays: Array) -> None:
        """Bind and compute."""
        self.bind(*arrays)()


def bind_arrays(compute: Callable[..., object], *arrays: Array) -> Callable[[], object]:
    """`compute(*arrays)` as a function without arguments."""
    if isinstance(compute, Bindable):
        return compute.bind(*arrays)
    return partial(compute, *arrays)


def bind_copy(target: Array, source: Array) -> Callable[[], None]:
    """`target[...] = source`, arrays of the same shape and type, as a function."""
    target, source = _in_large_elements(target, source)

    def copy() -> None:
        target[...] = source

    return copy


def bind_copies(pairs: Sequence[tuple[Array, Array]]) -> Callable[[], None]:
    """The same for several pairs of target and source."""
    if len(pairs) == 1:
        return bind_copy(*pairs[0])
    large = [_in_large_elements(*pair) for pair in pairs]

    def copy() -> None:
        for target, source in large:
            target[...] = source

    return copy


def _in_large_elements(target: Array, source: Array) -> tuple[Array, Array]:
    """Both with elements that are a whole line of the last axis, where those are as short.

    NumPy copies an element as fast as a line, whatever its size is.
    """
    size = target.shape[-1] * target.itemsize if target.ndim > 1 else 0
    wide = _LARGE_ELEMENTS.get(size)
    lines = (target, source)
    if wide is None or any(array.strides[-1] != array.itemsize for array in lines):
        return target, source
    if any(offset % size for array in lines for offset in _offsets(array)):
        return target, source
    return target.view(wide)[..., 0], source.view(wide)[..., 0]


def _offsets(array: Array) -> tuple[int, ...]:
    return (array.__array_interface__["data"][0], *array.strides[:-1])
