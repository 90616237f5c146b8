"""UNIDIRECTIONAL_SEQUENCE_LSTM: by plain loops, and beside TFLM over several invocations."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.sequences import (
    assert_sequence_like_tflm,
    given,
    random_sequence,
    run_sequence,
    run_sequence_in_tflm,
    values_of,
)
from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_same,
    constant,
    fed,
    needs_tflm,
    run_ours,
    run_tflm,
    variable,
)
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.fixed_point import (
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    quantize_multiplier,
)
from tinyml_runtime.kernels.int16_tables import logistic_table, tanh_table
from tinyml_runtime.model.options import UnidirectionalSequenceLSTMOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

INPUT_WEIGHTS, RECURRENT_WEIGHTS, BIASES = range(1, 5), range(5, 9), range(12, 16)
HIDDEN, CELL = 18, 19


def lstm(
    kind: str = "int8",
    *,
    batch: int = 1,
    steps: int = 4,
    features: int = 3,
    units: int = 5,
    time_major: bool = False,
    clip: float = 0.0,
    activation: Activation = Activation.TANH,
    scales: tuple[float, float] = (0.03, 0.0078),
    zero_points: tuple[int, int] = (-5, 4),
    weight_scale: float = 0.01,
    weight_zero_point: int = 0,
    cell_scale: float = 2.0**-12,
    largest_bias: int = 3000,
    fixed: bool = True,
) -> SingleOp:
    """A case; scales and zero points are of input and output. Weights are inputs unless `fixed`."""
    generator = np.random.default_rng(0)
    operands: list[Operand | None] = [None] * 24
    lead = (steps, batch) if time_major else (batch, steps)
    shapes = {
        **dict.fromkeys(INPUT_WEIGHTS, (units, features)),
        **dict.fromkeys(RECURRENT_WEIGHTS, (units, units)),
        **dict.fromkeys(BIASES, (units,)),
    }
    if kind == "float32":
        for position, shape in shapes.items():
            operands[position] = constant(generator.normal(0.0, 0.4, shape).astype(kind))
        operands[0] = fed((*lead, features), kind)
        operands[HIDDEN] = operands[CELL] = Operand(
            (batch, units), TensorType.FLOAT32, is_variable=True
        )
        output = fed((*lead, units), kind)
    else:
        bias = "int32" if kind == "int8" else "int64"
        for position, shape in shapes.items():
            if position in BIASES:
                values = generator.integers(-largest_bias, largest_bias + 1, shape)
                operands[position] = constant(values.astype(bias), 1e-5)
            else:
                weights = generator.integers(-128, 128, shape).astype(np.int8)
                scale = weight_scale * (1.0 + position / 10)
                operands[position] = constant(weights, scale, weight_zero_point)
        operands[0] = fed((*lead, features), kind, scales[0], zero_points[0])
        operands[HIDDEN] = variable((batch, units), kind, scales[1], zero_points[1])
        operands[CELL] = variable((batch, units), "int16", cell_scale)
        output = fed((*lead, units), kind, scales[1], zero_points[1])
    if not fixed:
        for position in shapes:
            operands[position] = replace(given(operands[position]), values=None)
    return SingleOp(
        BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM,
        operands,
        [output],
        UnidirectionalSequenceLSTMOptions(activation, clip, 0.0, time_major),
    )


INT16: dict[str, Any] = {
    "kind": "int16",
    "scales": (0.001, 2.0**-15),
    "zero_points": (0, 0),
}
CASES: dict[str, dict[str, Any]] = {
    "int8": {},
    "int8, one of everything": {"steps": 1, "features": 1, "units": 1},
    "int8, batch": {"batch": 3},
    "int8, time major": {"time_major": True},
    "int8, time major, batch": {"time_major": True, "batch": 3},
    "int8, many units": {"features": 33, "units": 40, "weight_scale": 0.002},
    "int8, zero points at the ends": {"zero_points": (-128, 127)},
    "int8, zero points at the other ends": {"zero_points": (127, -128)},
    "int8, no zero points": {"zero_points": (0, 0)},
    "int8, weights with a zero point": {"weight_zero_point": 3},
    "int8, tiny weight scales": {"weight_scale": 1e-6},
    "int8, weight scales that need left shifts": {"weight_scale": 2.0},
    "int8, saturated gates": {"weight_scale": 0.5, "steps": 8},
    "int8, clipped cells": {"clip": 0.3},
    "int8, clip beyond the range": {"clip": 10.0},
    "int8, negative clip": {"clip": -1.0},
    "int8, coarse cells": {"cell_scale": 2.0**-9},
    "int8, fine cells that saturate": {"cell_scale": 2.0**-15},
    "int8, very fine cells": {"cell_scale": 2.0**-20},
    "int8, cells whose scale is no power of two": {"cell_scale": 0.0003},
    "int8, cell gate without tanh": {"activation": Activation.NONE},
    "int8, cell gate with another activation": {"activation": Activation.RELU},
    "int16": INT16,
    "int16, batch, time major": {**INT16, "batch": 2, "time_major": True},
    "int16, zero points": {**INT16, "zero_points": (7, -3)},
    "int16, clipped cells": {**INT16, "clip": 0.5, "cell_scale": 2.0**-11},
    "int16, large biases": {**INT16, "largest_bias": 10**9},
    "int16, left shifts": {**INT16, "scales": (0.01, 2.0**-15), "weight_scale": 0.5},
}
FLOAT_CASES: dict[str, dict[str, Any]] = {
    "one of everything": {"steps": 1, "features": 1, "units": 1},
    "many steps": {"steps": 20},
    "batch": {"batch": 3},
    "time major": {"batch": 2, "time_major": True},
    "clipped cells": {"clip": 0.2},
    "cell gate without tanh": {"activation": Activation.NONE, "steps": 2},
}


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("name", CASES)
def test_integer_sequences_give_what_tflm_gives(name: str) -> None:
    assert_sequence_like_tflm(lstm(**CASES[name]))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("name", FLOAT_CASES)
def test_float_sequences_come_close_to_what_tflm_gives(name: str) -> None:
    case = lstm("float32", **FLOAT_CASES[name])
    sequence = random_sequence(case, 3)
    ours, theirs = run_sequence(case, sequence), run_sequence_in_tflm(case, sequence)
    # Another order of sums is fed back at every step.
    np.testing.assert_allclose(np.stack(ours), np.stack(theirs), rtol=1e-5, atol=2e-6)


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("name", ["int8", "int16"])
def test_weights_that_are_inputs_give_what_tflm_gives(name: str) -> None:
    constants, case = lstm(**CASES[name]), lstm(**CASES[name], fixed=False)
    feeds = [
        *random_sequence(constants, 1),
        *(values_of(constants.inputs[i]) for i in (*range(1, 9), *BIASES)),
    ]
    model = case.model()
    assert_same(run_ours(model, feeds, times=2), run_tflm(model, feeds, times=2))


def _by_loops(case: SingleOp, source: Array) -> Array:
    """The output of one invocation of an integer LSTM, batch first, in Python's integers."""
    inputs = case.inputs
    given_scale, given_zero = _quantization(inputs[0])
    hidden_scale, hidden_zero = _quantization(inputs[HIDDEN])
    cell_scale, _ = _quantization(inputs[CELL])
    is_int16 = case.outputs[0].type is TensorType.INT16
    rescale = (
        multiply_wide_by_quantized_multiplier if is_int16 else multiply_by_quantized_multiplier
    )
    limits = np.iinfo("int16" if is_int16 else "int8")
    _, _, units = case.outputs[0].shape

    def gate(which: int, values: Array, last: Array, table: Array) -> Array:
        parts: list[Array] = []
        for stream, first, zero, scale in (
            (values, 1, given_zero, given_scale),
            (last, 5, hidden_zero, hidden_scale),
        ):
            weights = given(inputs[first + which])
            sums = values_of(weights).astype(int) @ (stream.astype(int) - zero)
            if first == 1:
                sums = sums + values_of(inputs[12 + which])
            product = float(np.float32(scale) * np.float32(weights.scales[0]))
            factor = quantize_multiplier(product * 4096.0)
            scaled = rescale(sums, factor.multiplier, factor.shift)
            parts.append(np.clip(scaled, -(2**15), 2**15 - 1))
        return table[np.clip(parts[0] + parts[1], -(2**15), 2**15 - 1)].astype(int)

    def product(left: Array, right: Array, scale: float) -> Array:
        factor = quantize_multiplier(scale)
        return multiply_by_quantized_multiplier(left * right, factor.multiplier, factor.shift)

    result = np.empty(case.outputs[0].shape, limits.dtype)
    squash = tanh_table(0, round(math.log2(cell_scale)) + 12)
    for sample, sequence in enumerate(source):
        last, cell = np.full(units, 0 if is_int16 else hidden_zero), np.zeros(units, int)
        for step, values in enumerate(sequence):
            admit, forget, new, show = (
                gate(which, values, last, tanh_table() if which == 2 else logistic_table())
                for which in range(4)
            )
            kept = product(forget, cell, 2.0**-15)
            added = product(admit, new, 2.0**-30 / cell_scale)
            cell = np.clip(kept + added, -(2**15), 2**15 - 1)
            shown = product(show, squash[cell].astype(int), 2.0**-30 / hidden_scale)
            last = np.clip(shown + hidden_zero, limits.min, limits.max)
            result[sample, step] = last
    return result


def _quantization(operand: Operand | None) -> tuple[float, int]:
    return given(operand).scales[0], given(operand).zero_points[0]


@pytest.mark.parametrize("name", ["int8", "int8, batch", "int8, saturated gates", "int16"])
def test_integer_results_are_those_of_plain_loops(name: str) -> None:
    case = lstm(**CASES[name])
    sequence = random_sequence(case, 1)
    np.testing.assert_array_equal(run_sequence(case, sequence)[0], _by_loops(case, sequence[0]))


def test_a_float_cell_is_the_textbook_formula() -> None:
    case = lstm("float32", steps=6)
    (source,) = random_sequence(case, 1)
    weights = [None if i is None else i.values for i in case.inputs]
    hidden, cell = np.zeros(5), np.zeros(5)
    expected: list[Array] = []
    for values in source[0].astype(np.float64):
        admit, forget, new, show = (
            np.asarray(weights[1 + gate]) @ values
            + np.asarray(weights[5 + gate]) @ hidden
            + np.asarray(weights[12 + gate])
            for gate in range(4)
        )
        cell = cell / (1 + np.exp(-forget)) + np.tanh(new) / (1 + np.exp(-admit))
        hidden = np.tanh(cell) / (1 + np.exp(-show))
        expected.append(hidden)
    np.testing.assert_allclose(run_sequence(case, [source])[0][0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["int8", "int8, batch", "int16"])
def test_time_may_come_first_or_second(name: str) -> None:
    settings = CASES[name]
    (source,) = random_sequence(lstm(**settings), 1)
    batch_major = run_sequence(lstm(**settings), [source])[0]
    swapped = np.ascontiguousarray(source.transpose(1, 0, 2))
    time_major = run_sequence(lstm(**settings, time_major=True), [swapped])[0]
    np.testing.assert_array_equal(time_major.transpose(1, 0, 2), batch_major)


@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_states_go_on_from_one_invocation_to_the_next(kind: str) -> None:
    long, short = lstm(kind, steps=6), lstm(kind, steps=3)
    (source,) = random_sequence(long, 1)
    parts = run_sequence(short, [source[:, :3], source[:, 3:]])
    whole = run_sequence(long, [source])[0]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-6, atol=1e-7)


def test_extreme_floats_saturate_the_gates() -> None:
    case = lstm("float32", steps=2)
    source = np.full((1, 2, 3), 1e6, np.float32)
    result = run_sequence(case, [source, -source])
    assert np.all(np.abs(np.stack(result)) <= 1.0)


CASE = lstm()


def _with(position: int, operand: Operand | None) -> SingleOp:
    inputs = list(CASE.inputs)
    inputs[position] = operand
    return replace(CASE, inputs=inputs)


def _int8(*shape: int, scales: Any = 0.01) -> Operand:
    return constant(np.zeros(shape, np.int8), scales)


REFUSED = {
    "20 inputs": (replace(CASE, inputs=CASE.inputs[:20]), "20 inputs, not 24"),
    "peepholes": (_with(9, _int8(5)), "peepholes"),
    "a projection": (_with(16, _int8(5, 5)), "projection"),
    "layer normalization": (_with(22, _int8(5)), "layer normalization"),
    "no input gate": (_with(1, None), "input 1 is missing"),
    "no bias": (_with(15, None), "input 15 is missing"),
    "an unknown type": (_with(0, fed((1, 4, 3), "int32")), "Input type INT32"),
    "float weights": (_with(3, constant(np.zeros((5, 3), np.float32))), "input 3 is FLOAT32"),
    "a 64-bit bias for int8": (_with(13, constant(np.zeros(5, np.int64))), "input 13 is INT64"),
    "a 32-bit bias for int16": (
        replace(
            lstm(**INT16),
            inputs=[*lstm(**INT16).inputs[:12], *CASE.inputs[12:16], *lstm(**INT16).inputs[16:]],
        ),
        "input 12 is INT32",
    ),
    "a hidden state that is no variable": (_with(18, fed((1, 5), "int8", 0.01)), "no variable"),
    "a cell state that is no variable": (_with(19, fed((1, 5), "int16", 0.01)), "no variable"),
    "an 8-bit cell state": (_with(19, variable((1, 5), "int8", 0.01)), "cell state is INT8"),
    "a hidden state of another type": (_with(18, variable((1, 5), "int16", 0.01)), "INT16"),
    "a cell state of another size": (_with(19, variable((1, 6), "int16", 0.01)), "cell state"),
    "a cell state without a scale": (_with(19, variable((1, 5), "int16", 0.0)), "no positive"),
    "a cell state of a huge scale": (_with(19, variable((1, 5), "int16", 1e9)), "out of range"),
    "a hidden state without a scale": (_with(18, variable((1, 5), "int8", 0.0)), "no positive"),
    "a hidden state of one dimension": (_with(18, variable((5,), "int8", 0.01)), "1 dimensions"),
    "an input of two dimensions": (_with(0, fed((4, 3), "int8", 0.01)), "2 dimensions"),
    "weights for other features": (_with(4, _int8(5, 4)), "input 4 has shape"),
    "recurrent weights for other units": (_with(8, _int8(5, 4)), "input 8 has shape"),
    "scales per channel": (_with(2, _int8(5, 3, scales=[0.1] * 5)), "scale per channel"),
    "another output shape": (replace(CASE, outputs=[fed((1, 4, 6), "int8", 0.01)]), "output 0"),
    "another output type": (replace(CASE, outputs=[fed((1, 4, 5), "int16", 0.01)]), "output 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_lstm_of_tflm_is_refused(name: str) -> None:
    case, reason = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), [])
