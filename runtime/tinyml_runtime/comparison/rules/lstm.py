"""UNIDIRECTIONAL_SEQUENCE_LSTM of int8 as TFLite runs it: gemmlowp's curves in 16 bits.

TFLM looks up logistic and tanh in tables, and multiplies states by fixed-point factors; TFLite
computes the curves and divides products by powers of two. States start afresh: what a sample
inherits from the one before cannot be seen here.

Source    TFLite `kernels/lstm_eval.cc`, `internal/reference/portable_tensor_utils.cc`
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np

from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.fixed_point import (
    FixedPoint,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
)
from tinyml_runtime.kernels.gemmlowp_functions import INT16_BITS, logistic, tanh
from tinyml_runtime.model.options import UnidirectionalSequenceLSTMOptions
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.types import TensorType

CURVES = (
    "gate-functions",
    "computes the gates' logistic and tanh by gemmlowp in 16 bits, not by TFLM's tables",
)
# Input, forget, cell and output gate.
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES = (1, 2, 3, 4), (5, 6, 7, 8), (12, 13, 14, 15)
_HIDDEN, _CELL = 18, 19
_LEAST_INPUTS = 20
_GATE_BITS = 3
_GATE_SCALE = 2.0**-12
_MOST_TANH_BITS = 4


def lstm_rules(operation: Operation) -> Iterator[Rule]:
    """The one rule, for LSTMs of int8 without projection, peepholes or layer norm."""
    needed = (*_INPUT_WEIGHTS, *_RECURRENT_WEIGHTS, *_BIASES, _HIDDEN, _CELL)
    if len(operation.inputs) < _LEAST_INPUTS or operation.output.type is not TensorType.INT8:
        return
    given = {position for position, tensor in enumerate(operation.inputs) if tensor is not None}
    if given - {0, *needed} or not given.issuperset(needed):
        return
    power = math.log2(operation.input(_CELL).scale)
    if power == int(power) and 0 <= INT16_BITS + power <= _MOST_TANH_BITS:
        yield Rule(*CURVES, lambda: _recompute(operation, int(power)))


def _recompute(operation: Operation, cell_power: int) -> Array:
    options = operation.node.options_as(UnidirectionalSequenceLSTMOptions)
    source, output = operation.input(0), operation.output
    hidden, cell = operation.input(_HIDDEN), operation.input(_CELL)
    steps = source.values.astype(np.int64) - source.zero_point
    if not options.time_major:
        steps = steps.swapaxes(0, 1)
    from_input = _products(operation, source, _INPUT_WEIGHTS, _BIASES)
    from_hidden = _products(operation, hidden, _RECURRENT_WEIGHTS, None)
    to_hidden = quantize_multiplier(2.0 ** (-2 * INT16_BITS) / hidden.scale)
    clip = options.cell_clip / cell.scale if options.cell_clip > 0.0 else math.inf
    state = np.zeros((steps.shape[1], cell.shape[-1]), np.int64)
    last = np.zeros((steps.shape[1], hidden.shape[-1]), np.int64)
    results: list[Array] = []
    for step in steps:
        sums = [
            _saturated(_saturated(given(step)) + recurrent(last))
            for given, recurrent in zip(from_input, from_hidden, strict=True)
        ]
        enter, keep, leave = (_logistic()[sums[gate]] for gate in (0, 1, 3))
        kept = rounding_divide_by_pot(keep * state, INT16_BITS)
        added = rounding_divide_by_pot(
            enter * _tanh(_GATE_BITS)[sums[2]], 2 * INT16_BITS + cell_power
        )
        state = _saturated(kept + added)
        if clip < math.inf:
            state = state.clip(-int(clip), int(clip))
        product = leave * _tanh(INT16_BITS + cell_power)[state]
        stored = _times(product, to_hidden) + hidden.zero_point
        results.append(stored.clip(-128, 127))
        last = results[-1] - hidden.zero_point
    stacked = np.stack(results)
    return (stacked if options.time_major else stacked.swapaxes(0, 1)).astype(output.dtype)


class _Product:
    """Values times the weights of a gate, rescaled to the scale that gates take."""

    def __init__(self, source: Tensor, weights: Tensor, bias: Tensor | None) -> None:
        self._weights = (weights.values.astype(np.int64) - weights.zero_point).T
        self._bias = 0 if bias is None else bias.values.reshape(-1).astype(np.int64)
        product = np.float32(source.scale) * np.float32(weights.scale)
        self._factor = quantize_multiplier(float(product) / _GATE_SCALE)

    def __call__(self, values: Array) -> Array:
        return _times(values @ self._weights + self._bias, self._factor)


def _products(
    operation: Operation, source: Tensor, weights: Sequence[int], biases: Sequence[int] | None
) -> list[_Product]:
    places = biases or (None,) * len(weights)
    return [
        _Product(source, operation.input(place), None if bias is None else operation.input(bias))
        for place, bias in zip(weights, places, strict=True)
    ]


def _times(values: Array, factor: FixedPoint) -> Array:
    return multiply_by_quantized_multiplier(values, factor.multiplier, factor.shift)


def _saturated(values: Array) -> Array:
    return values.clip(-(2**INT16_BITS), 2**INT16_BITS - 1)


def _every_int16() -> Array:
    """All int16 values, so that a value, negative ones from the end, is its own index."""
    return np.roll(np.arange(-(2**INT16_BITS), 2**INT16_BITS), -(2**INT16_BITS))


@cache
def _logistic() -> Array:
    return logistic(_every_int16(), _GATE_BITS, INT16_BITS)


@cache
def _tanh(integer_bits: int) -> Array:
    return tanh(_every_int16(), integer_bits, INT16_BITS)
