"""Functions on arrays that are bound to their arrays before they are called.

What computes on arrays that stay in place can settle its views and buffers once. `BindingEvaluate`
is that for a whole node; here it is for the steps that kernels hand to each other.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tinyml_runtime.tensor import Array


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
    """`target[...] = source` as a function without arguments."""

    def copy() -> None:
        target[...] = source

    return copy


def bind_copies(pairs: list[tuple[Array, Array]]) -> Callable[[], None]:
    """The same for several pairs of target and source."""
    if len(pairs) == 1:
        return bind_copy(*pairs[0])

    def copy() -> None:
        for target, source in pairs:
            target[...] = source

    return copy
