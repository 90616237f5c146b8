"""Models with state: the outputs of several invocations, one after another, ours and TFLM's."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tests.support.single_op import Operand, SingleOp, assert_same, random_values
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array


def given(operand: Operand | None) -> Operand:
    """An operand that must be there."""
    assert operand is not None
    return operand


def values_of(operand: Operand | None) -> Array:
    """The values of an operand that must be a constant."""
    values = given(operand).values
    assert values is not None
    return values


def random_sequence(case: SingleOp, steps: int, seed: int = 1) -> list[Array]:
    """Random values of the operator's first input, for `steps` invocations."""
    generator = np.random.default_rng(seed)
    return [random_values(given(case.inputs[0]), generator) for _ in range(steps)]


def run_sequence(case: SingleOp, sequence: Sequence[Array]) -> list[Array]:
    """Our output of every invocation; all from one interpreter."""
    interpreter = Interpreter(case.model())
    interpreter.allocate_tensors()
    results: list[Array] = []
    for array in sequence:
        interpreter.set_input(array)
        interpreter.invoke()
        results.append(interpreter.output())
    return results


def run_sequence_in_tflm(case: SingleOp, sequence: Sequence[Array]) -> list[Array]:
    """TFLM's output of every invocation; all from one interpreter."""
    runtime: Any = import_module("tflite_micro.python.tflite_micro.runtime")
    interpreter = runtime.Interpreter.from_bytes(write_model(case.model()), arena_size=1 << 22)
    results: list[Array] = []
    for array in sequence:
        interpreter.set_input(array, 0)
        interpreter.invoke()
        results.append(np.array(interpreter.get_output(0)))
    return results


def assert_sequence_like_tflm(case: SingleOp, steps: int = 4) -> None:
    """Our outputs are TFLM's in every invocation of a random sequence."""
    sequence = random_sequence(case, steps)
    assert_same(run_sequence(case, sequence), run_sequence_in_tflm(case, sequence))
