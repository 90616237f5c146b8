"""Rules of float32 operators: another order of summation, other approximations of functions.

Both runtimes round, each in its own places, so neither can be recomputed to the last bit. What can
be held against them is the exact value, in float64, and how far from it rounding can lead.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial

import numpy as np

from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.kernels.fused_activation import float_range
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation

SUMMATION = ("summation-order", "adds up float32 values in another order")
# float32 has 24 bits: one rounding moves a value by this part of it at most.
_ROUNDING = 2.0**-24
_SMALLEST = 2.0**-126

# Exact sums of values that a function has read: the values themselves, or their magnitudes.
AddUp = Callable[[Callable[[Array], Array]], Array]


def summation_rule(operation: Operation, add_up: AddUp, terms: int) -> Rule:
    """Sums of `terms` products: within the error that any order of summation can have.

    Each term is rounded at most `terms` times, so a sum is off by no more than terms * 2**-24 of
    the sum of magnitudes, to first order.
    """
    activation = getattr(operation.node.options, "fused_activation", Activation.NONE)
    limits = float_range(activation)
    magnitudes = cache(partial(add_up, np.abs))

    def recompute() -> Array:
        sums = add_up(np.asarray)
        return sums if limits is None else sums.clip(*limits)

    def bound() -> Array:
        return magnitudes() * (terms * _ROUNDING) + _SMALLEST

    return Rule(*SUMMATION, recompute, bound)
