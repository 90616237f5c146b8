"""Nodes cut out of a model compute what they did in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import constant, fed
from tinyml_runtime.comparison.cutting import cut_nodes
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.options import AddOptions, WhileOptions
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.types import BuiltinOperator

DIGITS = Path(__file__).parents[3] / "examples/digits.tflite"


def _run(model: Model) -> Interpreter:
    interpreter = Interpreter(model)
    interpreter.allocate_tensors()
    generator = np.random.default_rng(0)
    for index, tensor in enumerate(interpreter.inputs):
        interpreter.set_input(generator.integers(-128, 128, tensor.shape).astype(np.int8), index)
    interpreter.invoke()
    return interpreter


@pytest.mark.parametrize("nodes", [[0], [4], [2, 8], [*range(10)]])
def test_nodes_give_what_they_gave_in_the_model(nodes: list[int]) -> None:
    whole = _run(load_model(DIGITS))
    cut = cut_nodes(whole.model, nodes)
    alone = Interpreter(load_model(write_model(cut.model)))
    alone.allocate_tensors()
    for index, port in enumerate(cut.inputs):
        alone.set_input(whole.tensor(port.tensor).values, index)
    alone.invoke()
    assert {port.node for port in cut.outputs} == set(nodes)
    for index, port in enumerate(cut.outputs):
        np.testing.assert_array_equal(alone.output(index), whole.tensor(port.tensor).values)


def test_a_node_takes_only_its_own_constants_along() -> None:
    model = load_model(DIGITS)
    cut = cut_nodes(model, [9])
    assert [code.name for code in cut.model.operator_codes] == ["SOFTMAX"]
    assert not any(len(buffer.data) for buffer in cut.model.buffers)
    assert len(write_model(cut.model)) < DIGITS.stat().st_size / 4


def test_an_input_that_a_node_takes_twice_is_fed_once() -> None:
    one = fed((2,), np.float32)
    call = Call(BuiltinOperator.ADD, ["x", "x"], ["y"], AddOptions())
    model = model_of(Graph({"x": one, "y": one}, ["x"], ["y"], [call]))
    assert len(cut_nodes(model, [0]).inputs) == 1


def test_a_loop_takes_its_subgraphs_along() -> None:
    number, one = fed((1,), np.int32), constant(np.array([1], np.int32))
    less = Call(BuiltinOperator.LESS, ["n", "one"], ["more"])
    add = Call(BuiltinOperator.ADD, ["n", "one"], ["m"], AddOptions())
    model = model_of(
        Graph(
            {"n": number, "m": number},
            ["n"],
            ["m"],
            [Call(BuiltinOperator.WHILE, ["n"], ["m"], WhileOptions(1, 2))],
        ),
        Graph({"n": number, "one": one, "more": fed((1,), np.bool_)}, ["n"], ["more"], [less]),
        Graph({"n": number, "one": one, "m": number}, ["n"], ["m"], [add]),
    )
    alone = Interpreter(load_model(write_model(cut_nodes(model, [0]).model)))
    alone.allocate_tensors()
    alone.set_input(np.array([-3], np.int32))
    alone.invoke()
    assert alone.output(0).tolist() == [1]
