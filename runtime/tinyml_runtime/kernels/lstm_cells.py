"""The step of an LSTM over time: gates from input and hidden state, then both states.

The four gates lie side by side, in the order forget, input, output, cell. Products with the
inputs of all time steps are made at once; a step adds those of the hidden state.

Source    tflite-micro `micro/kernels/lstm_eval.h`, `lstm_eval.cc`,
          `lite/kernels/internal/reference/integer_ops/fully_connected.h`, `mul.h`
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from tinyml_runtime.fixed_point import FixedPoint
from tinyml_runtime.kernels.int16_tables import logistic_table, tanh_table
from tinyml_runtime.kernels.lstm_scaling import INT16_LIMITS, IntegerScaling
from tinyml_runtime.kernels.rescaling import Rescaling
from tinyml_runtime.requantize import accumulator_dtype
from tinyml_runtime.tensor import Array

# The sum of two int16 gate inputs, counted from -65,536, is an index into a table of this length.
_SUMS = 2**17
# exp(80) is a finite float32 whose reciprocal is not zero.
_LOWEST_LOGISTIC = np.float32(-80.0)


class GateWeights:
    """Input weights, recurrent weights and biases, each one array a gate."""

    def __init__(
        self, inputs: Sequence[Array], recurrent: Sequence[Array], biases: Sequence[Array]
    ) -> None:
        """Put the gates side by side: matrices [4 * units, depth], biases [4 * units]."""
        self.inputs = np.concatenate(inputs)
        self.recurrent = np.concatenate(recurrent)
        self.biases = np.concatenate(biases)


class FloatCell:
    """The cell in float32. Sums have another order than TFLM's."""

    def __init__(self, weights: GateWeights, clip: float, has_tanh: bool) -> None:
        """Lay out the weights; a `clip` of 0 or less is none."""
        self._inputs = np.ascontiguousarray(weights.inputs.T)
        self._recurrent = np.ascontiguousarray(weights.recurrent.T)
        self._biases = weights.biases
        self._clip = np.float32(clip)
        self._has_tanh = has_tanh

    def run(self, source: Array, hidden: Array, state: Array, output: Array) -> None:
        """All steps of `source` [time, batch, features]; updates the states [batch, units]."""
        steps, batch, features = source.shape
        units = hidden.shape[1]
        given = source.reshape(-1, features) @ self._inputs
        given += self._biases
        last = hidden
        for step, gates in enumerate(given.reshape(steps, batch, -1)):
            gates += last @ self._recurrent
            logistic, candidate = gates[:, : 3 * units], gates[:, 3 * units :]
            _apply_logistic(logistic)
            if self._has_tanh:
                np.tanh(candidate, out=candidate)
            state *= logistic[:, :units]
            candidate *= logistic[:, units : 2 * units]
            state += candidate
            if self._clip > 0.0:
                np.clip(state, -self._clip, self._clip, out=state)
            last = output[step]
            np.multiply(np.tanh(state), logistic[:, 2 * units :], out=last)
        hidden[...] = last


class IntegerCell:
    """The cell with int16 gates and cell state, and int8 or int16 hidden states; exact."""

    def __init__(self, weights: GateWeights, scaling: IntegerScaling) -> None:
        """Lay out weights, factors and tables."""
        units = weights.recurrent.shape[1]
        zero_points = np.repeat(scaling.input_weight_zero_points, units)[:, np.newaxis]
        self._from_input = _Product(
            weights.inputs.astype(np.int64) - zero_points,
            weights.biases.astype(np.int64),
            scaling.input_zero_point,
            scaling.input_factors,
            scaling,
        )
        zero_points = np.repeat(scaling.recurrent_weight_zero_points, units)[:, np.newaxis]
        self._from_hidden = _Product(
            weights.recurrent.astype(np.int64) - zero_points,
            np.zeros(4 * units, np.int64),
            scaling.hidden_zero_point,
            scaling.recurrent_factors,
            scaling,
        )
        self._offsets = np.repeat(_SUMS // 2 + np.array([0, 0, 0, _SUMS]), units)
        self._activations = _gate_table(scaling.has_tanh)
        self._tanh = tanh_table(*scaling.state_tanh)
        # Operations with 0-dimensional arrays take half as long as with Python's integers.
        self._lowest, self._highest = map(np.array, scaling.state_limits)
        # Gates are positive, so their products with int16 values are below 2**30.
        largest = 2.0**15 * (2.0**15 - 1.0)
        self._to_state = Rescaling(scaling.state_factors, 2 * units, INT16_LIMITS, bounds=largest)
        self._to_hidden = Rescaling(
            [scaling.hidden_factor],
            units,
            scaling.hidden_limits,
            bounds=largest,
            zero_point=scaling.hidden_zero_point,
        )

    def run(self, source: Array, hidden: Array, state: Array, output: Array) -> None:
        """All steps of `source` [time, batch, features]; updates the states [batch, units]."""
        steps, batch, features = source.shape
        units = hidden.shape[1]
        given = self._from_input(source.reshape(-1, features)).reshape(steps, batch, -1)
        given += self._offsets
        products = np.empty((batch, 2 * units), np.int64)
        kept, added = products[:, :units], products[:, units:]
        memory = state.astype(np.int64)
        last = hidden
        for step in range(steps):
            sums = self._from_hidden(last)
            sums += given[step]
            gates = self._activations.take(sums).astype(np.int64)
            np.multiply(gates[:, :units], memory, out=kept)
            np.multiply(gates[:, units : 2 * units], gates[:, 3 * units :], out=added)
            self._to_state(products)
            np.add(kept, added, out=memory)
            np.maximum(memory, self._lowest, out=memory)
            np.minimum(memory, self._highest, out=memory)
            # Negative indices count from the end, in the order of their bits.
            squashed = self._tanh.take(memory).astype(np.int64)
            last = gates[:, 2 * units : 3 * units] * squashed
            self._to_hidden(last)
            output[step] = last
        hidden[...] = last
        state[...] = memory


class _Product:
    """A fully connected layer of all gates: int8 or int16 rows to int64 values in int16's range."""

    def __init__(
        self,
        weights: Array,
        biases: Array,
        zero_point: int,
        factors: Sequence[FixedPoint],
        scaling: IntegerScaling,
    ) -> None:
        bounds = np.abs(weights).sum(axis=1) * scaling.activation_limit
        folded = biases - zero_point * weights.sum(axis=1)
        self._biases = folded[np.newaxis] if np.any(folded) else None
        self._weights = np.ascontiguousarray(weights.T, accumulator_dtype(int(bounds.max())))
        self._rescale = Rescaling(
            factors,
            weights.shape[0],
            INT16_LIMITS,
            bounds=bounds + np.abs(folded.astype(np.float64)),
            wide=scaling.is_wide,
        )

    def __call__(self, rows: Array) -> Array:
        sums = (rows.astype(self._weights.dtype) @ self._weights).astype(np.int64)
        if self._biases is not None:
            sums += self._biases
        self._rescale(sums)
        return sums


def _apply_logistic(values: Array) -> None:
    np.maximum(values, _LOWEST_LOGISTIC, out=values)
    np.negative(values, out=values)
    np.exp(values, out=values)
    values += 1.0
    np.reciprocal(values, out=values)


@cache
def _gate_table(has_tanh: bool) -> Array:
    """Activations of every saturating sum of two gate inputs: logistic, then the cell gate's."""
    sums = np.clip(np.arange(-_SUMS // 2, _SUMS // 2), *INT16_LIMITS)
    cell = tanh_table()[sums] if has_tanh else sums.astype(np.int16)
    return np.concatenate([logistic_table()[sums], cell])
