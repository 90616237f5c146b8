"""IF, WHILE and CALL_ONCE: by hand, beside TFLM, and the models that cannot run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tests.support.graphs import (
    Call,
    Graph,
    loaded,
    model_of,
    prepared,
    run_steps,
    run_steps_in_tflm,
)
from tests.support.single_op import (
    Operand,
    assert_same,
    constant,
    fed,
    needs_tflm,
    random_values,
)
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.events import Event, NodeFinished, NodeStarted
from tinyml_runtime.model.options import (
    AddOptions,
    CallOnceOptions,
    IfOptions,
    MulOptions,
    WhileOptions,
)
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.types import TensorType

FLAG = fed((1,), np.bool_)
PAIR = fed((2,), np.float32)
COUNT = fed((1,), np.int32)


def _floats(*values: float) -> Array:
    return np.array(values, np.float32)


def _plus(number: float) -> Graph:
    tensors = {"x": PAIR, "c": constant(_floats(number, number)), "y": PAIR}
    return Graph(tensors, ["x"], ["y"], [Call(Op.ADD, ["x", "c"], ["y"], AddOptions())])


def _times(number: float) -> Graph:
    tensors = {"x": PAIR, "c": constant(_floats(number, number)), "y": PAIR}
    return Graph(tensors, ["x"], ["y"], [Call(Op.MUL, ["x", "c"], ["y"], MulOptions())])


def _choice(options: IfOptions | None = None) -> Graph:
    call = Call(Op.IF, ["flag", "x"], ["y"], options or IfOptions(1, 2))
    return Graph({"flag": FLAG, "x": PAIR, "y": PAIR}, ["flag", "x"], ["y"], [call])


def plus_or_times() -> Model:
    """A flag and two numbers: 10 is added to them, or they are multiplied by 3."""
    return model_of(_choice(), _plus(10.0), _times(3.0))


def _below(limit: int) -> Graph:
    tensors = {"n": COUNT, "x": PAIR, "limit": constant(np.array([limit], np.int32)), "less": FLAG}
    return Graph(tensors, ["n", "x"], ["less"], [Call(Op.LESS, ["n", "limit"], ["less"])])


def _double_and_count() -> Graph:
    tensors = {
        "n": COUNT,
        "x": PAIR,
        "one": constant(np.array([1], np.int32)),
        "next": COUNT,
        "y": PAIR,
    }
    calls = [
        Call(Op.ADD, ["x", "x"], ["y"], AddOptions()),
        Call(Op.ADD, ["n", "one"], ["next"], AddOptions()),
    ]
    return Graph(tensors, ["n", "x"], ["next", "y"], calls)


def doubling(limit: int = 5) -> Model:
    """A number and two more, which are doubled while the first, counted up, is below `limit`."""
    loop = Call(Op.WHILE, ["n", "x"], ["m", "y"], WhileOptions(1, 2))
    tensors = {"n": COUNT, "x": PAIR, "m": COUNT, "y": PAIR}
    main = Graph(tensors, ["n", "x"], ["m", "y"], [loop])
    return model_of(main, _below(limit), _double_and_count())


def choice_in_a_loop() -> Model:
    """As `doubling`, but each turn asks a flag whether to add 10 or to multiply by 3."""
    tensors = {"n": COUNT, "flag": FLAG, "x": PAIR}
    results = {"m": COUNT, "g": FLAG, "y": PAIR}
    one, limit = constant(np.array([1], np.int32)), constant(np.array([4], np.int32))
    main = Graph(
        {**tensors, **results},
        list(tensors),
        list(results),
        [Call(Op.WHILE, list(tensors), list(results), WhileOptions(1, 2))],
    )
    condition = Graph(
        {**tensors, "limit": limit, "less": FLAG},
        list(tensors),
        ["less"],
        [Call(Op.LESS, ["n", "limit"], ["less"])],
    )
    body = Graph(
        {**tensors, **results, "one": one},
        list(tensors),
        list(results),
        [
            Call(Op.IF, ["flag", "x"], ["y"], IfOptions(3, 4)),
            Call(Op.LOGICAL_NOT, ["flag"], ["g"]),
            Call(Op.ADD, ["n", "one"], ["m"], AddOptions()),
        ],
    )
    return model_of(main, condition, body, _plus(10.0), _times(3.0))


def without_else() -> Model:
    """The subgraph for a condition that does not hold gives nothing."""
    return model_of(_choice(), _plus(10.0), Graph({"x": PAIR}, ["x"]))


def test_if_runs_the_subgraph_that_the_condition_chooses() -> None:
    flags = [[np.array([flag]), _floats(1.0, 2.0)] for flag in (True, False)]
    assert [outputs[0].tolist() for outputs in run_steps(plus_or_times(), flags)] == [
        [11.0, 12.0],
        [3.0, 6.0],
    ]


@pytest.mark.parametrize(
    ("start", "count", "values"),
    [(0, 5, [32.0, -96.0]), (3, 5, [4.0, -12.0]), (5, 5, [1.0, -3.0]), (9, 9, [1.0, -3.0])],
)
def test_while_runs_its_body_as_long_as_its_condition_holds(
    start: int, count: int, values: list[float]
) -> None:
    ((number, pair),) = run_steps(doubling(), [[np.array([start], np.int32), _floats(1.0, -3.0)]])
    assert number.tolist() == [count]
    assert pair.tolist() == values


def test_control_flow_may_be_nested() -> None:
    feeds = [np.array([0], np.int32), np.array([True]), _floats(1.0, 0.0)]
    ((number, flag, pair),) = run_steps(choice_in_a_loop(), [feeds])
    # ((1 + 10) * 3 + 10) * 3 = 129
    assert (number.tolist(), flag.tolist(), pair.tolist()) == ([4], [True], [129.0, 120.0])


def test_outputs_stay_as_they_were_where_a_branch_gives_none() -> None:
    steps = [[np.array([flag]), _floats(1.0, 2.0)] for flag in (True, False)]
    assert [outputs[0].tolist() for outputs in run_steps(without_else(), steps)] == [
        [11.0, 12.0],
        [11.0, 12.0],
    ]


def test_operands_need_as_many_bytes_not_the_same_shape() -> None:
    branch = _plus(1.0)
    wide = fed((1, 2), np.float32)
    branch = replace(branch, tensors={"x": wide, "c": branch.tensors["c"], "y": wide})
    steps = [[np.array([True]), _floats(1.0, 2.0)]]
    ((result,),) = run_steps(model_of(_choice(), branch, _times(3.0)), steps)
    assert result.tolist() == [2.0, 3.0]


def _small_values(operand: Operand, generator: np.random.Generator) -> Array:
    if operand.type is TensorType.INT32:
        return generator.integers(-3, 8, operand.shape).astype(np.int32)
    return random_values(operand, generator)


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize(
    "make", [plus_or_times, doubling, choice_in_a_loop], ids=lambda make: make.__name__
)
def test_control_flow_is_that_of_tflm(make: Callable[[], Model]) -> None:
    model = make()
    generator = np.random.default_rng(0)
    operands = [fed(tensor.shape, tensor.dtype) for tensor in prepared(model).inputs]
    steps = [[_small_values(operand, generator) for operand in operands] for _ in range(6)]
    for ours, theirs in zip(
        run_steps(loaded(model), steps), run_steps_in_tflm(model, steps), strict=True
    ):
        assert_same(ours, theirs)


@pytest.mark.parametrize("threads", [1, 4])
def test_a_batch_gives_what_single_samples_give(threads: int) -> None:
    samples = 50
    numbers = np.arange(samples, dtype=np.int32).reshape(samples, 1) % 7
    pairs = np.random.default_rng(0).standard_normal((samples, 2)).astype(np.float32)
    together = prepared(doubling()).invoke_batch([numbers, pairs], threads=threads)
    alone = run_steps(doubling(), list(zip(numbers, pairs, strict=True)))
    for index, outputs in enumerate(together):
        np.testing.assert_array_equal(outputs, [step[index] for step in alone])


class _Recorder:
    def __init__(self) -> None:
        self.places: list[tuple[str, int, str]] = []

    def notify(self, event: Event) -> None:
        kind = {NodeStarted: "start", NodeFinished: "end"}[type(event)]
        self.places.append((kind, event.node.subgraph, event.node.operator))


def test_listeners_hear_of_the_nodes_of_other_subgraphs() -> None:
    recorder = _Recorder()
    interpreter = prepared(plus_or_times(), listeners=[recorder])
    interpreter.set_input(np.array([True]), 0)
    interpreter.invoke()
    assert recorder.places == [
        ("start", 0, "IF"),
        ("start", 1, "ADD"),
        ("end", 1, "ADD"),
        ("end", 0, "IF"),
    ]


def test_a_loop_without_end_is_stopped() -> None:
    interpreter = prepared(doubling(limit=2**31 - 1), max_nested_invocations=1000)
    with pytest.raises(RunError, match=r"run other subgraphs 1000 times .* a loop without end"):
        interpreter.invoke()


def test_the_limit_of_a_loop_holds_for_each_invocation() -> None:
    interpreter = prepared(doubling(limit=5), max_nested_invocations=11)
    for _ in range(3):
        interpreter.set_input(np.array([0], np.int32), 0)
        interpreter.invoke()
    assert interpreter.output(0).tolist() == [5]


def _chain(length: int, calls_each: int = 1) -> Model:
    """Subgraphs of which each calls the next so many times."""
    call = Call(Op.IF, ["flag", "x"], ["y"])
    tensors = {"flag": constant(np.array([True])), "x": PAIR, "y": PAIR}
    graphs = [
        Graph(
            tensors,
            ["x"],
            ["y"],
            [replace(call, options=IfOptions(number + 1, number + 1))] * calls_each,
        )
        for number in range(length)
    ]
    return model_of(*graphs, _plus(1.0))


def test_calls_may_be_64_levels_deep() -> None:
    ((result,),) = run_steps(_chain(64), [[_floats(1.0, 2.0)]])
    assert result.tolist() == [2.0, 3.0]


def test_calls_that_multiply_from_level_to_level_are_stopped() -> None:
    interpreter = prepared(_chain(60, calls_each=2), max_nested_invocations=5000)
    with pytest.raises(RunError, match="run other subgraphs 5000 times"):
        interpreter.invoke()


def _with_condition(shape: tuple[int, ...], dtype: type[np.generic]) -> Model:
    choice = _choice()
    tensors = {**choice.tensors, "flag": fed(shape, dtype)}
    return model_of(replace(choice, tensors=tensors), _plus(1.0), _times(2.0))


def _with_branch(branch: Graph) -> Model:
    return model_of(_choice(), _plus(1.0), branch)


def _with_loop(condition: Graph, body: Graph) -> Model:
    tensors = {"n": COUNT, "x": PAIR, "m": COUNT, "y": PAIR}
    loop = Call(Op.WHILE, ["n", "x"], ["m", "y"], WhileOptions(1, 2))
    return model_of(Graph(tensors, ["n", "x"], ["m", "y"], [loop]), condition, body)


def _without_options() -> Model:
    choice = _choice()
    return model_of(replace(choice, calls=[replace(choice.calls[0], options=None)]), _plus(1.0))


def _once(graph: Graph, *, with_input: bool = False) -> Model:
    call = Call(Op.CALL_ONCE, ["x"] if with_input else [], [], CallOnceOptions(1))
    return model_of(Graph({"x": PAIR}, ["x"], ["x"], [call]), graph)


_TRIPLE = fed((3,), np.float32)
_FIXED = constant(_floats(1.0, 2.0))

REFUSED = [
    (lambda: _choice_calling(9), "there is no subgraph 9"),
    (_without_options, "does not say which subgraphs it runs"),
    (lambda: _with_condition((1,), np.int32), "the condition is INT32"),
    (lambda: _with_condition((2,), np.bool_), "the condition has 2 elements, not 1"),
    (lambda: _with_branch(Graph({"x": _TRIPLE}, ["x"], ["x"])), "number 0 has 12 bytes, not 8"),
    (
        lambda: _with_branch(Graph({"x": PAIR}, ["x", "x"], ["x"])),
        "inputs of subgraph 2: 2 where 1 are needed",
    ),
    (
        lambda: _with_branch(Graph({"x": PAIR}, ["x"], ["x", "x"])),
        "outputs of subgraph 2: 2 where 1 are needed",
    ),
    (lambda: _with_branch(Graph({"x": _FIXED}, ["x"], ["x"])), "are constants of the file"),
    (lambda: _with_loop(_below(3), _plus(1.0)), "inputs of subgraph 2: 1 where 2 are needed"),
    (
        lambda: _with_loop(_plus(1.0), _double_and_count()),
        "inputs of subgraph 1: 1 where 2 are needed",
    ),
    (
        lambda: _with_loop(replace(_below(3), outputs=[]), _double_and_count()),
        "subgraph 1, the condition, gives nothing",
    ),
    (
        lambda: _with_loop(_below(3), replace(_double_and_count(), outputs=["y", "next"])),
        "outputs of subgraph 2: number 0 has 8 bytes, not 4",
    ),
    (lambda: _once(_plus(1.0)), "subgraph 1 has inputs"),
    (lambda: _once(Graph({}), with_input=True), r"NumInputs\(node\) == 0 was not true"),
    (lambda: _choice_calling(0), "subgraph 0 calls itself"),
    (lambda: model_of(_choice(), _choice(), _times(2.0)), "subgraph 1 calls itself"),
    (
        lambda: model_of(_choice(IfOptions(1, 1)), _choice(IfOptions(2, 2)), _choice()),
        "subgraph 1 calls itself, directly or through others",
    ),
    (lambda: _chain(65), "subgraph 1 has 64 levels of calls below it; at most 63 can run"),
    (lambda: _chain(3000), "levels of calls below it"),
]


def _choice_calling(subgraph: int) -> Model:
    return model_of(_choice(IfOptions(1, subgraph)), _plus(1.0))


@pytest.mark.parametrize(("make", "reason"), REFUSED)
def test_refuses_what_cannot_run(make: Callable[[], Model], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(make())
