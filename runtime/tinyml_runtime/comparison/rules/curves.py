"""Rules of functions of one value, and of SOFTMAX: the exact function against an approximation.

Source    XNNPACK `reference/unary-elementwise.cc`: a table of the function in floats, for int8
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.model.options import SoftmaxOptions
from tinyml_runtime.tensor import Array, Tensor

EXACT = (
    "exact-function",
    "computes the function itself, in floats, not TFLM's approximation in fixed point",
)
FUNCTION = ("float-function", "approximates the function in float32 otherwise")
# Both sides may be off by as many units in the last place of float32.
_LAST_PLACES = 16
_LAST_PLACE = 2.0**-23
_SMALLEST = 2.0**-126


def _logistic(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def _hard_swish(x: Array) -> Array:
    return x * (x + 3.0).clip(0.0, 6.0) / 6.0


def _elu(x: Array) -> Array:
    return np.where(x < 0.0, np.expm1(x), x)


def _relu6(x: Array) -> Array:
    return x.clip(0.0, 6.0)


def _rsqrt(x: Array) -> Array:
    return 1.0 / np.sqrt(x)


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "COS": np.cos,
    "ELU": _elu,
    "EXP": np.exp,
    "HARD_SWISH": _hard_swish,
    "LOG": np.log,
    "LOGISTIC": _logistic,
    "RELU6": _relu6,
    "RSQRT": _rsqrt,
    "SIN": np.sin,
    "SQRT": np.sqrt,
    "TANH": np.tanh,
}


def function_rules(operation: Operation) -> Iterator[Rule]:
    """A function of every element by itself."""
    function = FUNCTIONS[operation.node.operator]
    yield from _rules(operation, function)


def softmax_rules(operation: Operation) -> Iterator[Rule]:
    """SOFTMAX and LOG_SOFTMAX along the last axis."""
    is_log = operation.node.operator == "LOG_SOFTMAX"
    beta = 1.0 if is_log else operation.node.options_as(SoftmaxOptions).beta

    def function(x: Array) -> Array:
        moved = beta * (x - x.max(axis=-1, keepdims=True))
        total = np.exp(moved).sum(axis=-1, keepdims=True)
        return moved - np.log(total) if is_log else np.exp(moved) / total

    yield from _rules(operation, function)


def _rules(operation: Operation, function: Callable[[Array], Array]) -> Iterator[Rule]:
    source, output = operation.input(0), operation.output
    if source.dtype.kind == "f":
        if output.dtype.kind == "f":
            yield Rule(
                *FUNCTION,
                lambda: function(source.values.astype(np.float64)),
                lambda: _rounding_of(function, source),
            )
        return
    if source.is_quantized and output.is_quantized:
        for step in (_to_even, _away):
            yield Rule(*EXACT, partial(_stored, function, source, output, step), in_floats=True)


def _rounding_of(function: Callable[[Array], Array], source: Tensor) -> Array:
    """How far float32 approximations may be: some units in the last place, of result or input."""
    x = source.values.astype(np.float64)
    spread = np.abs(function(x * (1.0 + _LAST_PLACE)) - function(x))
    return _LAST_PLACES * (np.abs(function(x)) * _LAST_PLACE + spread) + _SMALLEST


def _stored(
    function: Callable[[Array], Array],
    source: Tensor,
    output: Tensor,
    to_steps: Callable[[Array, Tensor], Array],
) -> Array:
    """The function of real values in floats, as stored values."""
    centered = source.values.astype(np.int64) - source.zero_point
    real = centered.astype(np.float32) * np.float32(source.scale)
    results = function(real.astype(np.float64)).astype(np.float32)
    limits = np.iinfo(output.dtype)
    steps = np.nan_to_num(to_steps(results, output), nan=0.0)
    return steps.clip(limits.min, limits.max).astype(output.dtype)


def _to_even(results: Array, output: Tensor) -> Array:
    inverse = np.float32(1.0) / np.float32(output.scale)
    return np.rint(results * inverse + np.float32(output.zero_point)).astype(np.float64)


def _away(results: Array, output: Tensor) -> Array:
    steps = (results / np.float32(output.scale)).astype(np.float64)
    return np.trunc(steps + np.copysign(0.5, steps)) + output.zero_point
