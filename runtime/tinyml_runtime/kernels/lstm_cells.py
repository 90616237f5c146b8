"""The step of an LSTM over time: gates from input and hidden state, then both states.

The four gates lie side by side, in the order input, forget, output, cell. Products with the
inputs of all time steps are made at once; a step adds those of the hidden state.

Source    tflite-micro `micro/kernels/lstm_eval.h`, `lstm_eval.cc`,
          `lite/kernels/internal/reference/integer_ops/fully_connected.h`, `mul.h`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np

from tinyml_runtime.kernels.int16_tables import logistic_table, tanh_table
from tinyml_runtime.kernels.lstm_scaling import INT16_LIMITS, IntegerScaling
from tinyml_runtime.kernels.rescaled_product import RescaledProduct
from tinyml_runtime.kernels.rescaling import Rescaling
from tinyml_runtime.tensor import Array

# The sum of two int16 gate inputs, counted from -65,536, is an index into a table of this length.
_SUMS = 2**17
_ONE = np.array(1.0, np.float32)


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
        units = weights.recurrent.shape[1]
        # The logistic needs the exponential of -x.
        signs = np.repeat(np.array([-1.0, -1.0, -1.0, 1.0], np.float32), units)
        self._inputs = np.ascontiguousarray(weights.inputs.T * signs)
        self._recurrent = np.ascontiguousarray(weights.recurrent.T * signs)
        self._biases = weights.biases * signs
        self._clip = np.float32(clip)
        self._has_tanh = has_tanh

    def bind(self, source: Array, hidden: Array, state: Array, output: Array) -> Callable[[], None]:
        """All steps of `source` [time, batch, features]; updates the states [batch, units]."""
        steps, batch, features = source.shape
        units = hidden.shape[1]
        given = np.empty((steps, batch, 4 * units), np.float32)
        by_row = given.reshape(-1, 4 * units)
        # The state stands behind the cell gate, so that both are multiplied at once.
        values = np.empty((batch, 5 * units), np.float32)
        logistic, cell, memory = np.split(values, [3 * units, 4 * units], axis=1)
        first, output_gate, second = np.split(values, [2 * units, 3 * units], axis=1)
        sums = np.empty((batch, 4 * units), np.float32)
        to_logistic, to_tanh = np.split(sums, [3 * units], axis=1)
        products = np.empty(first.shape, np.float32)
        increase, kept = np.split(products, 2, axis=1)

        def run() -> None:
            np.dot(source.reshape(-1, features), self._inputs, by_row)
            np.add(by_row, self._biases, by_row)
            memory[...] = state
            last = hidden
            for step, from_input in enumerate(given):
                np.add(from_input, last.dot(self._recurrent), sums)
                np.exp(to_logistic, logistic)
                np.add(logistic, _ONE, logistic)
                np.reciprocal(logistic, logistic)
                if self._has_tanh:
                    np.tanh(to_tanh, cell)
                else:
                    cell[...] = to_tanh
                np.multiply(first, second, products)
                np.add(increase, kept, memory)
                if self._clip > 0.0:
                    memory.clip(-self._clip, self._clip, memory)
                last = np.multiply(np.tanh(memory), output_gate)
                output[step] = last
            hidden[...] = last
            state[...] = memory

        return run


class IntegerCell:
    """The cell with int16 gates and cell state, and int8 or int16 hidden states; exact.

    All of them are integers in float64, some of them times the factor that they will need.
    """

    def __init__(self, weights: GateWeights, scaling: IntegerScaling) -> None:
        """Lay out weights, factors and tables."""
        units = weights.recurrent.shape[1]
        zero_points = np.repeat(scaling.input_weight_zero_points, units)[:, np.newaxis]
        self._from_input = RescaledProduct(
            weights.inputs.astype(np.int64) - zero_points,
            weights.biases.astype(np.int64),
            scaling.input_zero_point,
            scaling.input_factors,
            INT16_LIMITS,
            largest=scaling.activation_limit,
            wide=scaling.is_wide,
        )
        zero_points = np.repeat(scaling.recurrent_weight_zero_points, units)[:, np.newaxis]
        self._from_hidden = RescaledProduct(
            weights.recurrent.astype(np.int64) - zero_points,
            np.zeros(4 * units, np.int64),
            scaling.hidden_zero_point,
            scaling.recurrent_factors,
            INT16_LIMITS,
            largest=scaling.activation_limit,
            wide=scaling.is_wide,
        )
        self._offsets = np.repeat(_SUMS // 2 + np.array([0.0, 0.0, 0.0, _SUMS]), units)
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
        increase, self._kept = _operand_factors(self._to_state)
        (hidden,) = _operand_factors(self._to_hidden)
        self._activations = _gate_table(scaling.has_tanh, increase)
        # The state before it saturates has as many values as the sum of two gate inputs.
        saturated = np.clip(_wrapped_sums(), *scaling.state_limits)
        self._saturated = saturated * self._kept
        self._tanh = tanh_table(*scaling.state_tanh)[saturated] * hidden

    def bind(self, source: Array, hidden: Array, state: Array, output: Array) -> Callable[[], None]:
        """All steps of `source` [time, batch, features]; updates the states [batch, units]."""
        steps, batch, features = source.shape
        units = hidden.shape[1]
        given = np.empty((steps, batch, 4 * units))
        by_row = given.reshape(-1, 4 * units)
        inputs, multiply_inputs = self._from_input.bind(by_row, by_row)
        sums = np.empty((batch, 4 * units))
        last, multiply_hidden = self._from_hidden.bind(sums, sums)
        places = np.empty(sums.shape, np.intp)
        # The state stands behind the cell gate, so that both are multiplied at once.
        values = np.empty((batch, 5 * units))
        gates, memory = values[:, : 4 * units], values[:, 4 * units :]
        first, output_gate, second = np.split(values, [2 * units, 3 * units], axis=1)
        products = np.empty(first.shape)
        increase, kept = np.split(products, 2, axis=1)
        total = np.empty(memory.shape, np.intp)
        squashed = np.empty(memory.shape)
        results = np.empty((steps, batch, units))
        rescale_state = self._to_state.bind(products, products, is_scaled=self._to_state.is_float)
        rescale_hidden = self._to_hidden.bind(squashed, last, is_scaled=self._to_hidden.is_float)

        def run() -> None:
            inputs[...] = source.reshape(-1, features)
            multiply_inputs()
            np.add(given, self._offsets, given)
            np.multiply(state, self._kept, memory)
            last[...] = hidden
            for from_input, result in zip(given, results, strict=True):
                multiply_hidden()
                np.add(sums, from_input, sums)
                places[...] = sums
                self._activations.take(places, None, gates, "wrap")
                np.multiply(first, second, products)
                rescale_state()
                # Negative places count from the end of a table.
                np.add(increase, kept, squashed)
                total[...] = squashed
                self._saturated.take(total, None, memory, "wrap")
                self._tanh.take(total, None, squashed, "wrap")
                np.multiply(output_gate, squashed, squashed)
                rescale_hidden()
                result[...] = last
            output[...] = results
            hidden[...] = last
            state[...] = np.rint(memory / self._kept)

        return run


def _wrapped_sums() -> Array:
    """Every sum of two int16 values, in the order of its lowest bits: negative ones at the end."""
    return np.roll(np.arange(-_SUMS // 2, _SUMS // 2), _SUMS // 2)


def _operand_factors(rescale: Rescaling) -> Sequence[float]:
    """What one operand of products is multiplied with before."""
    return rescale.factors if rescale.is_float else [1.0] * len(rescale.factors)


@cache
def _gate_table(has_tanh: bool, cell_factor: float) -> Array:
    """Activations of every saturating sum of two gate inputs: logistic, then the cell gate's."""
    sums = np.clip(np.arange(-_SUMS // 2, _SUMS // 2), *INT16_LIMITS)
    cell = tanh_table()[sums] if has_tanh else sums
    return np.concatenate([logistic_table()[sums], cell * cell_factor])
