"""How far a float32 result may be from an oracle's. Integers are always equal, bit for bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.tensor import Array


@dataclass(frozen=True)
class Tolerance:
    """Within `relative` or `absolute`; or, if `ulps` are given, within those.

    The results of a mathematical `function` are then measured against the oracle or, as there are
    several libraries of such functions, against the correctly rounded value.
    """

    relative: float = 2e-6
    absolute: float = 1e-6
    ulps: int = 0
    function: Callable[[Array], Array] | None = None

    def accepts(self, ours: Array, theirs: Array, feeds: Sequence[Array]) -> Array:
        """For every element, whether it is near enough; equal infinities and NaNs are."""
        with np.errstate(all="ignore"):
            near = self._near(ours, theirs)
            if self.function is not None:
                exact = self.function(feeds[0].astype(np.float64)).astype(ours.dtype)
                near |= self._near(ours, exact.reshape(ours.shape))
        return near

    def _near(self, ours: Array, theirs: Array) -> Array:
        same: Array = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        distance = np.abs(ours.astype(np.float64) - theirs)
        if self.ulps:
            allowed = self.ulps * np.spacing(np.abs(theirs)).astype(np.float64)
        else:
            allowed = np.maximum(self.absolute, self.relative * np.abs(theirs.astype(np.float64)))
        return same | (distance <= allowed)


# What the kernels promise.
PROMISE = Tolerance()


def two_ulps(function: Callable[[Array], Array]) -> Tolerance:
    """What they promise of transcendental functions."""
    return Tolerance(ulps=2, function=function)


def sum_of(products: int) -> Tolerance:
    """For sums of so many products near 1, which we do not add in the order of the oracle.

    Each addition may round by half a unit in the last place of the sum so far.
    """
    return Tolerance(absolute=max(PROMISE.absolute, products * 2.0**-23))
