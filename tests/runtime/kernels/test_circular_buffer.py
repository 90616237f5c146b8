"""CIRCULAR_BUFFER: by hand, beside TFLM, and what it refuses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests.support.graphs import Call, Graph, loaded, model_of, prepared, run_steps_in_tflm
from tests.support.graphs import run_steps as run_ours
from tests.support.signal_op import flexbuffer
from tests.support.single_op import (
    Operand,
    assert_same,
    fed,
    needs_tflm,
    random_values,
    variable,
)
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.events import Event, NodeFinished
from tinyml_runtime.model.options import AddOptions, CallOnceOptions, ReducerOptions
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.types import TensorType

CIRCULAR = "CIRCULAR_BUFFER"


def _memory(*shape: int) -> Operand:
    return variable(shape, np.int8, 0.5, -3)


def buffered(steps: int, options: bytes, channels: tuple[int, int] = (1, 2)) -> Model:
    """A buffer of the last `steps` inputs, and their doubles."""
    shape = (1, steps, *channels)
    tensors = {
        "x": fed((1, 1, *channels), np.int8, 0.5, -3),
        "buffer": _memory(*shape),
        "doubles": fed(shape, np.int8, 1.0, -3),
    }
    calls = [
        Call(CIRCULAR, ["x"], ["buffer"], custom_options=options),
        Call(Op.ADD, ["buffer", "buffer"], ["doubles"], AddOptions()),
    ]
    return model_of(Graph(tensors, ["x"], ["doubles"], calls))


def cascade(lengths: Sequence[int], channels: tuple[int, int], options: bytes = b"") -> Model:
    """Buffers one after another, of which each gets the newest step of the one before."""
    tensors = {"x0": fed((1, 1, *channels), np.int8, 0.5, -3)}
    calls: list[Call] = []
    for index, length in enumerate(lengths):
        tensors[f"b{index}"] = _memory(1, length, *channels)
        tensors[f"x{index + 1}"] = tensors["x0"]
        calls.append(Call(CIRCULAR, [f"x{index}"], [f"b{index}"], custom_options=options))
        calls.append(Call(Op.MEAN, [f"b{index}", "rows"], [f"x{index + 1}"], _keep()))
    rows = Operand((1,), TensorType.INT32, np.array([1], np.int32))
    tensors["rows"] = rows
    return model_of(Graph(tensors, ["x0"], [f"x{len(lengths)}"], calls))


def _keep() -> ReducerOptions:
    return ReducerOptions(keep_dims=True)


def _inputs(count: int) -> list[list[Array]]:
    return [[np.array([n, -n], np.int8).reshape(1, 1, 1, 2)] for n in range(1, count + 1)]


def test_keeps_the_last_steps_oldest_first() -> None:
    model = buffered(3, flexbuffer(cycles_max=1))
    interpreter = prepared(model)
    for (array,) in _inputs(4):
        interpreter.set_input(array)
        interpreter.invoke()
    assert interpreter.tensor(1).values.reshape(3, 2).tolist() == [[2, -2], [3, -3], [4, -4]]


def test_starts_at_the_zero_point() -> None:
    interpreter = prepared(buffered(3, flexbuffer(cycles_max=1)))
    interpreter.set_input(_inputs(1)[0][0])
    interpreter.invoke()
    assert interpreter.tensor(1).values.reshape(3, 2).tolist() == [[-3, -3], [-3, -3], [1, -1]]


def test_what_follows_runs_once_in_a_period() -> None:
    results = run_ours(buffered(1, flexbuffer(cycles_max=3)), _inputs(6))
    # real value of a stored n is (n + 3) / 2; its double is stored, at scale 1, as n.
    assert [outputs[0].ravel().tolist() for outputs in results] == [
        [0, 0],
        [0, 0],
        [3, -3],
        [3, -3],
        [3, -3],
        [6, -6],
    ]


def test_reset_starts_the_period_anew() -> None:
    results = run_ours(buffered(1, flexbuffer(cycles_max=3)), _inputs(6), reset_before=[2])
    assert [outputs[0].ravel().tolist()[0] for outputs in results] == [0, 0, 0, 0, 5, 5]


def test_a_period_is_state() -> None:
    model = buffered(2, flexbuffer(cycles_max=2))
    graph = model.subgraphs[0]
    tensors = tuple(replace(tensor, is_variable=False) for tensor in graph.tensors)
    model = replace(model, subgraphs=(replace(graph, tensors=tensors),))
    assert prepared(model).is_stateful


class _Recorder:
    def __init__(self) -> None:
        self.finished: list[str] = []

    def notify(self, event: Event) -> None:
        if isinstance(event, NodeFinished):
            self.finished.append(event.node.operator)


def test_listeners_hear_of_the_node_that_ends_an_invocation() -> None:
    recorder = _Recorder()
    interpreter = prepared(buffered(2, flexbuffer(cycles_max=2)), listeners=[recorder])
    for _ in range(2):
        interpreter.invoke()
    assert recorder.finished == [CIRCULAR, CIRCULAR, "ADD"]


def test_a_buffer_in_another_subgraph_ends_the_whole_invocation() -> None:
    one = fed((1,), np.float32)
    calls = [
        Call(Op.CALL_ONCE, options=CallOnceOptions(1)),
        Call(Op.ADD, ["x", "x"], ["y"], AddOptions()),
    ]
    main = Graph({"x": one, "y": one}, ["x"], ["y"], calls)
    tensors = {"c": _constant_step(), "buffer": _memory(1, 1, 1, 2)}
    once = Graph(tensors, [], [], [Call(CIRCULAR, ["c"], ["buffer"], None, flexbuffer(c=2))])
    steps = [[np.ones(1, np.float32)]] * 3
    # The subgraph ends the first invocation; it counts as not run, runs again, and then no more.
    assert [outputs[0].item() for outputs in run_ours(model_of(main, once), steps)] == [
        0.0,
        2.0,
        2.0,
    ]


def _constant_step() -> Operand:
    return Operand((1, 1, 1, 2), TensorType.INT8, np.zeros((1, 1, 1, 2), np.int8))


# Periods of buffers without options, by the shapes of the models that TFLM knows.
PERIODS = [
    ([5], (1, 2), [1]),
    ([13], (1, 2), [1]),
    ([25], (1, 2), [1]),
    ([4], (1, 2), [2]),
    ([2, 2, 5], (1, 2), [2, 2, 1]),
    ([2, 2, 2, 2, 2, 2], (2, 96), [2, 2, 2, 2, 1, 2]),
    ([2, 2, 2, 2, 2], (1, 96), [2, 2, 2, 2, 2]),
    ([2, 5, 2, 2, 2, 2], (2, 96), [2, 1, 2, 2, 2, 2]),
    ([2, 5, 2, 2, 2, 2, 2], (2, 96), [2, 1, 2, 2, 2, 2, 1]),
]


@pytest.mark.parametrize(("lengths", "channels", "periods"), PERIODS)
def test_a_buffer_without_options_has_the_period_that_its_shape_tells(
    lengths: list[int], channels: tuple[int, int], periods: list[int]
) -> None:
    recorder = _Recorder()
    interpreter = prepared(cascade(lengths, channels), listeners=[recorder])
    product = int(np.prod(periods))
    for _ in range(product):
        interpreter.invoke()
    runs = [product]
    for period in periods:
        runs.append(runs[-1] // period)
    assert recorder.finished.count(CIRCULAR) == sum(runs[:-1])
    assert recorder.finished.count("MEAN") == sum(runs[1:])


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize(
    "model",
    [
        buffered(3, flexbuffer(cycles_max=1)),
        buffered(1, flexbuffer(cycles_max=1), (3, 5)),
        buffered(4, flexbuffer(cycles_max=1), (2, 3)),
        cascade([2, 3], (1, 3), flexbuffer(cycles_max=1)),
    ],
)
def test_every_output_is_that_of_tflm(model: Model) -> None:
    steps = _random_steps(model, 8)
    ours, theirs = run_ours(loaded(model), steps, [5]), run_steps_in_tflm(model, steps, [5])
    for mine, other in zip(ours, theirs, strict=True):
        assert_same(mine, other)


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize(
    ("model", "period"),
    [
        (buffered(3, flexbuffer(cycles_max=2)), 2),
        (buffered(3, flexbuffer(cycles_max=3)), 3),
        (buffered(3, flexbuffer(cycles_max=300)), 300),
        (cascade([2, 3], (1, 3), flexbuffer(cycles_max=2)), 4),
    ],
)
def test_the_outputs_at_the_end_of_periods_are_those_of_tflm(model: Model, period: int) -> None:
    # In the other invocations TFLM's outputs lie where other tensors may have been.
    steps = _random_steps(model, 2 * period)
    ours, theirs = run_ours(loaded(model), steps), run_steps_in_tflm(model, steps)
    for last in (period - 1, 2 * period - 1):
        assert_same(ours[last], theirs[last])


def _random_steps(model: Model, count: int) -> list[list[Array]]:
    generator = np.random.default_rng(0)
    operand = fed(prepared(model).inputs[0].shape, np.int8)
    return [[random_values(operand, generator)] for _ in range(count)]


def _operands(source: Operand, output: Operand, options: bytes = b"") -> Model:
    calls = [Call(CIRCULAR, ["x"], ["y"], custom_options=options)]
    return model_of(Graph({"x": source, "y": output}, ["x"], ["y"], calls))


REFUSED = [
    (fed((1, 1, 1, 2), np.int16), fed((1, 3, 1, 2), np.int16), b"", "the input is INT16"),
    (fed((1, 1, 1, 2), np.int8), fed((1, 3, 1, 2), np.int16), b"", "the output is INT16"),
    (fed((1, 2, 1, 2), np.int8), fed((1, 3, 1, 2), np.int8), b"", "the input has 2 steps, not 1"),
    (fed((1, 1, 2, 2), np.int8), fed((1, 3, 1, 2), np.int8), b"", "differ in dimension 2"),
    (fed((1, 1, 1, 2), np.int8), fed((1, 3, 1, 3), np.int8), b"", "differ in dimension 3"),
    (fed((2, 1, 1, 2), np.int8), fed((1, 3, 1, 2), np.int8), b"", "differ in dimension 0"),
    (fed((1, 1, 2), np.int8), fed((1, 3, 2), np.int8), b"", "the input has 3 dimensions"),
    (fed((1, 1, 1, 2), np.int8), fed((1, 3, 1, 2), np.int8), b"\x01\x02\x03", "custom options: "),
]


@pytest.mark.parametrize(("source", "output", "options", "reason"), REFUSED)
def test_refuses_what_cannot_run(
    source: Operand, output: Operand, options: bytes, reason: str
) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(_operands(source, output, options))
