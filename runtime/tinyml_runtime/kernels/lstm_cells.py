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

from tinyml_runtime.fixed_point import (
    FixedPoint,
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    wrap_int32,
)
from tinyml_runtime.kernels.int16_tables import logistic_table, tanh_table
from tinyml_runtime.kernels.lstm_scaling import INT16_LIMITS, IntegerScaling
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
        self._state_limits = scaling.state_limits
        self._to_state = _Rescaling(scaling.state_factors, units, INT16_LIMITS, bound=2**30)
        self._to_hidden = _Rescaling(
            [scaling.hidden_factor],
            units,
            scaling.hidden_limits,
            bound=2**30,
            zero_point=scaling.hidden_zero_point,
        )

    def run(self, source: Array, hidden: Array, state: Array, output: Array) -> None:
        """All steps of `source` [time, batch, features]; updates the states [batch, units]."""
        steps, batch, features = source.shape
        units = hidden.shape[1]
        given = self._from_input(source.reshape(-1, features)).reshape(steps, batch, -1)
        given += self._offsets
        low, high = self._state_limits
        products = np.empty((batch, 2 * units), np.int64)
        kept, added = products[:, :units], products[:, units:]
        memory = state.astype(np.int64)
        last = hidden
        for step in range(steps):
            sums = self._from_hidden(last)
            sums += given[step]
            gates = self._activations.take(sums)
            np.multiply(gates[:, :units], memory, out=kept)
            np.multiply(
                gates[:, units : 2 * units], gates[:, 3 * units :], out=added, dtype=np.int64
            )
            self._to_state(products)
            np.add(kept, added, out=memory)
            np.maximum(memory, low, out=memory)
            np.minimum(memory, high, out=memory)
            squashed = self._tanh.take(memory)  # negative indices count from the end, as bits do
            last = np.multiply(gates[:, 2 * units : 3 * units], squashed, dtype=np.int64)
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
        self._biases = biases - zero_point * weights.sum(axis=1)
        self._weights = np.ascontiguousarray(weights.T, accumulator_dtype(int(bounds.max())))
        self._rescale = _Rescaling(
            factors,
            weights.shape[0] // len(factors),
            INT16_LIMITS,
            bound=int((bounds.astype(np.float64) + np.abs(self._biases)).max()),
            wide=scaling.is_wide,
        )

    def __call__(self, rows: Array) -> Array:
        sums = (rows.astype(self._weights.dtype) @ self._weights).astype(np.int64)
        sums += self._biases
        self._rescale(sums)
        return sums


class _Rescaling:
    """Rescales rows of int64 accumulators in place, rounding as `fixed_point` does, and clamps.

    Each factor is for `repeats` columns. No accumulator is larger than `bound`.
    """

    def __init__(
        self,
        factors: Sequence[FixedPoint],
        repeats: int,
        limits: tuple[int, int],
        *,
        bound: int,
        zero_point: int = 0,
        wide: bool = False,
    ) -> None:
        self._multipliers = np.repeat([f.multiplier for f in factors], repeats)
        self._shifts = np.repeat([f.shift for f in factors], repeats)
        self._zero_point = zero_point
        self._limits = limits
        self._wide = wide
        # No intermediate leaves its 32 bits, and the wide form's 64 bits suffice.
        largest_shift = max(f.shift for f in factors)
        self._is_plain = bound * 2.0 ** max(largest_shift, 0) < 2.0**31 and largest_shift < 15
        if wide:
            reduced = np.where(
                self._multipliers < 0x7FFF0000, (self._multipliers + 2**15) >> 16, 0x7FFF
            )
            self._scaled, self._right = reduced, 15 - self._shifts
        else:
            self._scaled = self._multipliers << np.clip(self._shifts, 0, 30)
            self._right = np.maximum(-self._shifts, 0)
        half = (np.int64(1) << self._right) >> 1
        self._offset = half + (zero_point << self._right)
        # Ties of a right shift go away from zero: one less is added to negative values.
        self._ties = None if np.all(self._right > 0) else -(self._right > 0).astype(np.int64)

    def __call__(self, values: Array) -> None:
        if not self._is_plain:
            self._in_general(values)
        else:
            np.multiply(values, self._scaled, out=values)
            if not self._wide:
                values += 2**30
                values >>= 31
                sign = values >> 63
                values += sign if self._ties is None else sign & self._ties
            values += self._offset
            values >>= self._right
        low, high = self._limits
        np.maximum(values, low, out=values)
        np.minimum(values, high, out=values)

    def _in_general(self, values: Array) -> None:
        if self._wide:
            scaled = multiply_wide_by_quantized_multiplier(values, self._multipliers, self._shifts)
        else:
            wrapped = wrap_int32(values)
            scaled = multiply_by_quantized_multiplier(wrapped, self._multipliers, self._shifts)
        np.add(scaled, self._zero_point, out=values)


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
