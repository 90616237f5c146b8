"""The interpreter: inputs, outputs, state, several subgraphs, batches, listeners, refusals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.single_op import SingleOp, constant, fed
from tinyml_runtime.errors import ModelError, UnsupportedModelError
from tinyml_runtime.events import Event, NodeFinished, NodeStarted
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.options import AddOptions, SVDFOptions
from tinyml_runtime.model.schema import (
    Buffer,
    Model,
    Operator,
    OperatorCode,
    SubGraph,
    TensorInfo,
)
from tinyml_runtime.types import BuiltinOperator, TensorType

ADD_THREE = SingleOp(
    BuiltinOperator.ADD,
    [fed((1, 4), np.float32), constant(np.full((1, 4), 3.0, np.float32))],
    [fed((1, 4), np.float32)],
    AddOptions(),
)


def _prepared(model: Model) -> Interpreter:
    interpreter = Interpreter(model)
    interpreter.allocate_tensors()
    return interpreter


def _running_sum() -> Model:
    """A model with state: a filter with the memory of two steps."""
    state = replace(fed((1, 2), np.float32), is_variable=True)
    case = SingleOp(
        BuiltinOperator.SVDF,
        [
            fed((1, 1), np.float32),
            constant(np.ones((1, 1), np.float32)),
            constant(np.ones((1, 2), np.float32)),
            constant(np.zeros(1, np.float32)),
            state,
        ],
        [fed((1, 1), np.float32)],
        SVDFOptions(rank=1),
    )
    return case.model()


def test_gives_back_a_copy_of_an_output() -> None:
    interpreter = _prepared(ADD_THREE.model())
    interpreter.set_input(np.zeros((1, 4), np.float32))
    interpreter.invoke()
    first = interpreter.output(0)
    interpreter.set_input(np.ones((1, 4), np.float32))
    interpreter.invoke()
    assert first.tolist() == [[3.0] * 4]
    assert interpreter.output(0).tolist() == [[4.0] * 4]


def test_an_input_can_be_written_in_place() -> None:
    interpreter = _prepared(ADD_THREE.model())
    interpreter.input(0)[...] = 2.0
    interpreter.invoke()
    assert interpreter.output(0).tolist() == [[5.0] * 4]


@pytest.mark.parametrize(
    "array", [np.zeros((4,), np.float32), np.zeros((1, 4), np.float64), np.zeros((1, 4), np.int8)]
)
def test_refuses_an_input_of_another_shape_or_type(array: np.ndarray[tuple[int, ...]]) -> None:
    interpreter = _prepared(ADD_THREE.model())
    with pytest.raises(ValueError, match=r"input 0 \('t0'\) takes float32\[1, 4\], not"):
        interpreter.set_input(array)


def test_refuses_an_input_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="there is no input 1"):
        _prepared(ADD_THREE.model()).set_input(np.zeros((1, 4), np.float32), 1)


def test_must_be_prepared_before_it_runs() -> None:
    with pytest.raises(ValueError, match="allocate_tensors"):
        Interpreter(ADD_THREE.model()).invoke()


def test_state_lasts_from_one_invocation_to_the_next() -> None:
    interpreter = _prepared(_running_sum())
    seen: list[float] = []
    for value in (1.0, 2.0, 4.0):
        interpreter.set_input(np.full((1, 1), value, np.float32))
        interpreter.invoke()
        seen.append(interpreter.output(0).item())
    assert seen == [1.0, 3.0, 6.0]


def test_reset_forgets_the_state() -> None:
    interpreter = _prepared(_running_sum())
    for _ in range(2):
        interpreter.reset()
        interpreter.set_input(np.ones((1, 1), np.float32))
        interpreter.invoke()
        assert interpreter.output(0).item() == 1.0


def test_a_batch_for_a_model_with_state_is_a_sequence() -> None:
    interpreter = _prepared(_running_sum())
    samples = np.array([1.0, 2.0, 4.0], np.float32).reshape(3, 1, 1)
    (outputs,) = interpreter.invoke_batch([samples])
    assert outputs.ravel().tolist() == [1.0, 3.0, 6.0]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("samples", [1, 2, 7, 100])
def test_a_batch_gives_what_single_samples_give(samples: int, threads: int) -> None:
    interpreter = _prepared(ADD_THREE.model())
    inputs = np.random.default_rng(0).standard_normal((samples, 1, 4)).astype(np.float32)
    (outputs,) = interpreter.invoke_batch([inputs], threads=threads)
    np.testing.assert_array_equal(outputs, inputs + np.float32(3.0))


def test_a_batch_of_no_samples_gives_no_outputs() -> None:
    interpreter = _prepared(ADD_THREE.model())
    (outputs,) = interpreter.invoke_batch([np.zeros((0, 1, 4), np.float32)])
    assert outputs.shape == (0, 1, 4)


def test_a_batch_of_tensors_without_elements_has_none_either() -> None:
    # TFLM takes the shape [0] for a scalar of older converters.
    case = SingleOp(
        BuiltinOperator.ADD,
        [fed((0,), np.float32), fed((1,), np.float32)],
        [fed((0,), np.float32)],
        AddOptions(),
    )
    inputs = [np.zeros((3, 0), np.float32), np.zeros((3, 1), np.float32)]
    (outputs,) = _prepared(case.model()).invoke_batch(inputs)
    assert outputs.shape == (3, 0)


def test_refuses_a_batch_whose_samples_have_another_shape() -> None:
    with pytest.raises(ValueError, match="takes samples of float32"):
        _prepared(ADD_THREE.model()).invoke_batch([np.zeros((5, 4), np.float32)])


class _Recorder:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def notify(self, event: Event) -> None:
        self.events.append(event)


def test_listeners_hear_of_every_node_with_its_values() -> None:
    recorder = _Recorder()
    interpreter = Interpreter(ADD_THREE.model(), listeners=[recorder])
    interpreter.allocate_tensors()
    interpreter.invoke()
    started, finished = recorder.events
    assert isinstance(started, NodeStarted)
    assert [tensor.name for tensor in started.inputs] == ["t0", "t1"]
    assert isinstance(finished, NodeFinished)
    assert finished.outputs[0].values.tolist() == [[3.0] * 4]


def _two_unknown_nodes() -> Model:
    model = ADD_THREE.model()
    graph = model.subgraphs[0]
    codes = (
        *model.operator_codes,
        OperatorCode(builtin_code=int(BuiltinOperator.WHERE)),
        OperatorCode(builtin_code=int(BuiltinOperator.CUSTOM), custom_code="MyOp"),
    )
    nodes = (Operator(1, (0,), (2,)), *graph.operators, Operator(2, (0,), (2,)))
    return replace(
        model, operator_codes=codes, subgraphs=(replace(graph, operators=nodes),), source="m.tflite"
    )


def test_lists_all_nodes_that_cannot_run_at_once() -> None:
    with pytest.raises(UnsupportedModelError) as caught:
        _prepared(_two_unknown_nodes())
    assert [problem.index for problem in caught.value.problems] == [0, 2]
    text = str(caught.value)
    assert text.startswith("m.tflite: 2 nodes cannot run")
    assert "node 0 (WHERE): Didn't find op for builtin opcode 'WHERE'" in text
    assert "node 2 (MyOp): Didn't find op for custom operator 'MyOp'" in text


def test_nodes_with_the_same_problem_share_a_line() -> None:
    model = _two_unknown_nodes()
    graph = model.subgraphs[0]
    nodes = (graph.operators[0], *graph.operators)
    with pytest.raises(UnsupportedModelError) as caught:
        _prepared(replace(model, subgraphs=(replace(graph, operators=nodes),)))
    assert len(caught.value.problems) == 3
    assert "subgraph 0, nodes 0, 1 (WHERE)" in str(caught.value)


def test_says_what_to_do_about_types_that_tflm_does_not_have() -> None:
    case = SingleOp(
        BuiltinOperator.ADD,
        [fed((2,), np.uint8, 0.5), fed((2,), np.uint8, 0.5)],
        [fed((2,), np.uint8, 0.5)],
    )
    with pytest.raises(UnsupportedModelError, match="convert the model with int8 quantization"):
        _prepared(case.model())


def test_refuses_tensors_that_would_not_fit_in_memory() -> None:
    huge = SingleOp(
        BuiltinOperator.ADD,
        [fed((50_000, 50_000), np.float32), fed((50_000, 50_000), np.float32)],
        [fed((50_000, 50_000), np.float32)],
    )
    with pytest.raises(ModelError, match="its tensors need 30000000000 bytes"):
        _prepared(huge.model())


def test_a_model_without_a_subgraph_is_no_model() -> None:
    with pytest.raises(ModelError, match="no subgraph"):
        Interpreter(Model())


def test_an_output_may_be_a_constant() -> None:
    info = TensorInfo("c", TensorType.INT8, (2,), buffer=1)
    graph = SubGraph("main", (info,), (), (0,), ())
    interpreter = _prepared(Model(subgraphs=(graph,), buffers=(Buffer(), Buffer(b"\x01\xff"))))
    interpreter.invoke()
    assert interpreter.output(0).tolist() == [1, -1]


def test_any_tensor_can_be_looked_at() -> None:
    interpreter = _prepared(ADD_THREE.model())
    interpreter.invoke()
    assert interpreter.tensor(2).values.tolist() == [[3.0] * 4]
    with pytest.raises(ValueError, match="there is no tensor 3"):
        interpreter.tensor(3)
