"""Rules of operators that end with a rescaling: every way to multiply, and other clamps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np

from tinyml_runtime.comparison.rules.multiplying import AS_TFLM, FLOAT, WAYS, Multiply
from tinyml_runtime.comparison.rules.rule import Rule
from tinyml_runtime.kernels.fused_activation import quantized_range
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import Activation

# From a way to multiply to rescaled values, before the zero point is added.
Formula: TypeAlias = Callable[[Multiply], Array]

NO_CLAMP = (
    "activation-clamp",
    "does not clamp to the range of the fused activation",
)


@dataclass(frozen=True, slots=True)
class Rescaled:
    """An operator whose outputs are rescaled, moved to the zero point, and clamped."""

    formula: Formula
    zero_point: int
    low: int
    high: int
    dtype: np.dtype[np.integer]

    @classmethod
    def to(cls, output: Tensor, formula: Formula, activation: Activation) -> Rescaled:
        """Rescaled values as stored values of `output`, clamped as the activation asks."""
        low, high = quantized_range(activation, output)
        return cls(formula, output.zero_point, low, high, output.dtype)

    def values(self, multiply: Multiply) -> Array:
        """The outputs with a way to multiply."""
        return self.stored(self.formula(multiply))

    def stored(self, rescaled: Array) -> Array:
        """Rescaled values at the zero point and clamped."""
        return (rescaled + self.zero_point).clip(self.low, self.high).astype(self.dtype)

    def unclamped(self) -> Rescaled:
        """The same without an activation."""
        limits = np.iinfo(self.dtype)
        return replace(self, low=int(limits.min), high=int(limits.max))

    def with_formula(self, formula: Formula) -> Rescaled:
        """The same of other rescaled values."""
        return replace(self, formula=formula)


def rescaling_rules(operation: Rescaled) -> Iterator[Rule]:
    """Every way to multiply; and no clamp, with TFLM's way and with floats.

    What rescales in floats, XNNPACK, has no kernels for int16.
    """
    for way in WAYS:
        if way is FLOAT and operation.dtype.itemsize > 1:
            continue
        recompute = partial(operation.values, way.multiply)
        yield Rule(way.name, way.words, recompute, in_floats=way is FLOAT)
    whole = operation.unclamped()
    if whole != operation:
        yield from usual_rules(*NO_CLAMP, whole)


def usual_rules(name: str, words: str, operation: Rescaled) -> Iterator[Rule]:
    """A cause that lies before or behind the rescaling: with TFLM's rescaling, and in floats."""
    yield Rule(name, words, partial(operation.values, AS_TFLM))
    if operation.dtype.itemsize == 1:
        yield Rule(name, words, partial(operation.values, FLOAT.multiply), in_floats=True)
