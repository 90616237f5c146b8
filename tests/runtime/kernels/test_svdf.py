"""SVDF: by hand, by plain loops, and beside TFLM over several invocations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.sequences import (
    assert_sequence_like_tflm,
    given,
    random_sequence,
    run_sequence,
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
from tinyml_runtime.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.options import SVDFOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

FEATURE_SCALE, TIME_SCALE = 0.01, 0.004


def svdf(
    kind: str = "int8",
    *,
    batch: int = 1,
    features: int = 6,
    units: int = 4,
    rank: int = 2,
    memory: int = 3,
    in_scale: float = 0.05,
    state_scale: float = 0.01,
    out_scale: float = 0.05,
    zero_points: tuple[int, int, int] = (0, 0, 0),
    activation: Activation = Activation.NONE,
    largest_time: int = 100,
    fixed: bool = True,
) -> SingleOp:
    """A case; `kind` is that of the state. Weights and bias are inputs unless `fixed`."""
    generator = np.random.default_rng(0)
    filters = units * rank
    shape = (batch, units)
    if kind == "float32":
        operands = [
            fed((batch, features), kind),
            *(
                constant((0.1 * generator.standard_normal(dims)).astype(kind))
                for dims in ((filters, features), (filters, memory), (units,))
            ),
            _float_state((batch, filters * memory)),
        ]
        output = fed(shape, kind)
    else:
        bias_scale = float(np.float32(state_scale) * np.float32(TIME_SCALE))
        time = generator.integers(-largest_time, largest_time + 1, (filters, memory))
        operands = [
            fed((batch, features), "int8", in_scale, zero_points[0]),
            constant(
                generator.integers(-128, 128, (filters, features)).astype(np.int8), FEATURE_SCALE
            ),
            constant(time.astype(kind), TIME_SCALE),
            constant(generator.integers(-9000, 9000, units).astype(np.int32), bias_scale),
            variable((batch, filters * memory), kind, state_scale, zero_points[1]),
        ]
        output = fed(shape, "int8", out_scale, zero_points[2])
    if not fixed:
        operands[1:4] = [replace(operand, values=None) for operand in operands[1:4]]
    return SingleOp(BuiltinOperator.SVDF, operands, [output], SVDFOptions(rank, activation))


def _float_state(shape: tuple[int, ...]) -> Operand:
    return Operand(shape, TensorType.FLOAT32, is_variable=True)


def _by_loops(case: SingleOp, sequence: list[Array]) -> Array:
    """The output after a sequence, in Python's integers; the state starts at zero."""
    source, features, time, bias, state = (given(operand) for operand in case.inputs)
    output = case.outputs[0]
    weights, delays = values_of(features).astype(int), values_of(time).astype(int)
    limits = np.iinfo("int16" if state.type is TensorType.INT16 else "int8")
    to_state = _factor(source.scales[0], features.scales[0], state.scales[0])
    to_output = _factor(state.scales[0], time.scales[0], output.scales[0])
    filters, memory = delays.shape
    history = np.zeros((source.shape[0], filters, memory), int)
    for array in sequence:
        sums = (array.astype(int) - source.zero_points[0]) @ weights.T
        newest = multiply_by_quantized_multiplier(sums, to_state.multiplier, to_state.shift)
        newest = np.clip(newest, limits.min, limits.max)[:, :, np.newaxis]
        history = np.concatenate([history[:, :, 1:], newest], axis=2)
    by_filter = (history * delays).sum(axis=2)
    sums = by_filter.reshape(*output.shape, -1).sum(axis=2) + values_of(bias)
    scaled = multiply_by_quantized_multiplier(sums, to_output.multiplier, to_output.shift)
    return np.clip(scaled + output.zero_points[0], -128, 127).astype(np.int8)


def _factor(first: float, second: float, third: float) -> Any:
    return quantize_multiplier(float(np.float32(first) * np.float32(second) / np.float32(third)))


CASES: dict[str, dict[str, Any]] = {
    "float32": {"kind": "float32"},
    "float32, batch": {"kind": "float32", "batch": 3},
    "float32, rank 1, memory 1": {"kind": "float32", "rank": 1, "memory": 1},
    "int8": {"kind": "int8"},
    "int16": {"kind": "int16"},
    "int8, batch": {"kind": "int8", "batch": 3},
    "int16, batch": {"kind": "int16", "batch": 2},
    "one of everything": {"features": 1, "units": 1, "rank": 1, "memory": 1},
    "odd sizes": {"kind": "int16", "features": 17, "units": 5, "rank": 3, "memory": 7},
    "zero points at the ends": {"zero_points": (-128, 0, 127)},
    "zero points at the other ends": {"zero_points": (127, 0, -128)},
    "a state with a zero point": {"zero_points": (3, -128, 5)},
    "a state with another zero point": {"zero_points": (3, 100, 5)},
    "saturated states": {"kind": "int16", "state_scale": 0.00001, "out_scale": 0.5},
    "saturated outputs": {"out_scale": 0.0001},
    "left shifts": {"in_scale": 40.0, "state_scale": 0.1, "out_scale": 0.0001},
    "sums over time that overflow": {
        "kind": "int16",
        "state_scale": 0.00001,
        "largest_time": 2**15 - 1,
    },
    "integers ignore activations": {"activation": Activation.RELU6, "zero_points": (0, 0, -100)},
}
ACTIVATIONS = [a for a in Activation if a is not Activation.NONE]


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("name", CASES)
def test_a_sequence_of_inputs_gives_what_tflm_gives(name: str) -> None:
    assert_sequence_like_tflm(svdf(**CASES[name]))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float_activations_are_those_of_tflm(activation: Activation) -> None:
    assert_sequence_like_tflm(svdf("float32", activation=activation))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("kind", ["float32", "int8", "int16"])
def test_weights_that_are_inputs_give_what_tflm_gives(kind: str) -> None:
    fixed, case = svdf(kind), svdf(kind, fixed=False)
    feeds = [
        *random_sequence(fixed, 1),
        *(values_of(operand) for operand in fixed.inputs[1:4]),
    ]
    model = case.model()
    assert_same(run_ours(model, feeds, times=3), run_tflm(model, feeds, times=3))


@pytest.mark.parametrize("name", ["int8", "int16, batch", "odd sizes", "zero points at the ends"])
def test_integer_results_are_those_of_plain_loops(name: str) -> None:
    case = svdf(**CASES[name])
    sequence = random_sequence(case, 5)
    np.testing.assert_array_equal(run_sequence(case, sequence)[-1], _by_loops(case, sequence))


def test_filters_remember_the_last_inputs() -> None:
    case = SingleOp(
        BuiltinOperator.SVDF,
        [
            fed((1, 1), "float32"),
            constant(np.array([[1.0], [10.0]], np.float32)),
            constant(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)),
            constant(np.array([0.5], np.float32)),
            _float_state((1, 4)),
        ],
        [fed((1, 1), "float32")],
        SVDFOptions(rank=2),
    )
    sequence = [np.array([[value]], np.float32) for value in (1.0, 2.0, 3.0)]
    # newest * (2 + 40) + the one before * (1 + 30) + 0.5
    assert [float(r[0, 0]) for r in run_sequence(case, sequence)] == [42.5, 115.5, 188.5]


def test_a_reset_forgets_all_inputs() -> None:
    case = svdf("int16")
    first, second = random_sequence(case, 2)
    interpreter = Interpreter(case.model())
    interpreter.allocate_tensors()
    for array in (first, second):
        interpreter.set_input(array)
        interpreter.invoke()
    interpreter.reset()
    interpreter.set_input(second)
    interpreter.invoke()
    np.testing.assert_array_equal(interpreter.output(), run_sequence(case, [second])[0])


def test_a_batch_of_samples_is_a_sequence() -> None:
    case = svdf("int8")
    sequence = random_sequence(case, 5)
    interpreter = Interpreter(case.model())
    interpreter.allocate_tensors()
    together = interpreter.invoke_batch([np.stack(sequence)])[0]
    np.testing.assert_array_equal(together, np.stack(run_sequence(case, sequence)))


CASE = svdf()


def _with(position: int, operand: Operand | None) -> SingleOp:
    inputs = list(CASE.inputs)
    inputs[position] = operand
    return replace(CASE, inputs=inputs)


REFUSED = {
    "an unknown type": (_with(0, fed((1, 6), "int16", 0.05)), "input is INT16"),
    "hybrid weights": (_with(0, fed((1, 6), "float32")), "feature weights is INT8"),
    "a rank that does not divide": (replace(CASE, options=SVDFOptions(rank=3)), "rank 3"),
    "no options": (replace(CASE, options=None), "rank 0"),
    "a state that is no variable": (_with(4, fed((1, 24), "int8", 0.01)), "no variable"),
    "a state of another type": (_with(4, variable((1, 24), "int16", 0.01)), "state is INT16"),
    "a state of another size": (_with(4, variable((1, 23), "int8", 0.01)), "state has shape"),
    "a state without a scale": (_with(4, variable((1, 24), "int8", 0.0)), "no positive scale"),
    "no bias": (_with(3, None), "input 3 is missing"),
    "a bias of another scale": (
        _with(3, constant(np.zeros(4, np.int32), 0.1)),
        "scale of the bias",
    ),
    "a bias of another type": (_with(3, constant(np.zeros(4, np.int16), 4e-5)), "bias is INT16"),
    "a bias of another length": (_with(3, constant(np.zeros(5, np.int32), 4e-5)), "bias has shape"),
    "time weights of another type": (_with(2, constant(np.zeros((8, 3), np.int32))), "INT32"),
    "time weights for other filters": (
        _with(2, constant(np.zeros((7, 3), np.int8), 0.004)),
        "time weights has shape",
    ),
    "feature weights for other features": (
        _with(1, constant(np.zeros((8, 5), np.int8), 0.01)),
        "feature weights has shape",
    ),
    "an input of three dimensions": (_with(0, fed((1, 6, 1), "int8", 0.05)), "3 dimensions"),
    "another output shape": (replace(CASE, outputs=[fed((1, 5), "int8", 0.05)]), "output 0"),
    "another output type": (replace(CASE, outputs=[fed((1, 4), "int16", 0.05)]), "INT16"),
    "four inputs": (replace(CASE, inputs=CASE.inputs[:4]), "4 inputs"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_svdf_of_tflm_is_refused(name: str) -> None:
    case, reason = REFUSED[name]
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), [])
