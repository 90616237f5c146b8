"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE: by hand, and beside TFLM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.graphs import (
    RESOURCE,
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
from tinyml_runtime.model.options import (
    AddOptions,
    CallOnceOptions,
    IfOptions,
    VarHandleOptions,
    WhileOptions,
)
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator as Op
from tinyml_runtime.types import TensorType

PAIR = fed((2,), np.float32)
READ, ASSIGN = Op.READ_VARIABLE, Op.ASSIGN_VARIABLE


def _floats(*values: float) -> Array:
    return np.array(values, np.float32)


def _handle(output: str, name: str = "v", container: str = "") -> Call:
    return Call(Op.VAR_HANDLE, [], [output], VarHandleOptions(container, name))


def _initial(*values: float, name: str = "v") -> Graph:
    tensors = {"h": RESOURCE, "c": constant(_floats(*values))}
    return Graph(tensors, [], [], [_handle("h", name), Call(ASSIGN, ["h", "c"])])


def _totals() -> Graph:
    """Adds its input to a variable."""
    calls = [
        _handle("h"),
        Call(READ, ["h"], ["old"]),
        Call(Op.ADD, ["old", "x"], ["new"], AddOptions()),
        Call(ASSIGN, ["h", "new"]),
    ]
    return Graph({"x": PAIR, "h": RESOURCE, "old": PAIR, "new": PAIR}, ["x"], ["new"], calls)


def running_sum() -> Model:
    """The sum of all inputs so far."""
    return model_of(_totals())


def running_sum_from_start() -> Model:
    """The same, from (100, 200) on."""
    totals = _totals()
    calls = [Call(Op.CALL_ONCE, options=CallOnceOptions(1)), *totals.calls]
    main = Graph(totals.tensors, totals.inputs, totals.outputs, calls)
    return model_of(main, _initial(100.0, 200.0))


def delay(operand: Operand, names: Sequence[tuple[str, str]] = (("", "v"), ("", "w"))) -> Model:
    """The input of two invocations before, through two variables."""
    (first, second) = names
    calls = [
        _handle("a", first[1], first[0]),
        _handle("b", second[1], second[0]),
        Call(READ, ["b"], ["y"]),
        Call(READ, ["a"], ["between"]),
        Call(ASSIGN, ["b", "between"]),
        Call(ASSIGN, ["a", "x"]),
    ]
    tensors = {"x": operand, "y": operand, "between": operand, "a": RESOURCE, "b": RESOURCE}
    return model_of(Graph(tensors, ["x"], ["y"], calls))


def sum_in_a_branch() -> Model:
    """The branch of an IF adds to the variable; the handle is one of its operands."""
    flag = fed((1,), np.bool_)
    main = Graph(
        {"flag": flag, "x": PAIR, "h": RESOURCE, "y": PAIR, "v": PAIR},
        ["flag", "x"],
        ["y", "v"],
        [
            Call(Op.CALL_ONCE, options=CallOnceOptions(3)),
            _handle("h"),
            Call(Op.IF, ["flag", "h", "x"], ["y"], IfOptions(1, 2)),
            Call(READ, ["h"], ["v"]),
        ],
    )
    tensors = {"h": RESOURCE, "x": PAIR, "old": PAIR, "new": PAIR}
    then = Graph(
        tensors,
        ["h", "x"],
        ["new"],
        [
            Call(READ, ["h"], ["old"]),
            Call(Op.ADD, ["old", "x"], ["new"], AddOptions()),
            Call(ASSIGN, ["h", "new"]),
        ],
    )
    otherwise = Graph({"h": RESOURCE, "x": PAIR}, ["h", "x"], ["x"])
    return model_of(main, then, otherwise, _initial(1.0, 2.0))


def sum_in_a_loop() -> Model:
    """A loop of which every turn adds one to a variable, until it is 10."""
    one = fed((1,), np.float32)
    main = Graph(
        {"x": one, "h": RESOURCE, "y": one},
        ["x"],
        ["y"],
        [_handle("h"), Call(ASSIGN, ["h", "x"]), Call(Op.WHILE, ["x"], ["y"], WhileOptions(1, 2))],
    )
    condition = Graph(
        {
            "x": one,
            "h": RESOURCE,
            "v": one,
            "ten": constant(_floats(10.0)),
            "l": fed((1,), np.bool_),
        },
        ["x"],
        ["l"],
        [_handle("h"), Call(READ, ["h"], ["v"]), Call(Op.LESS, ["v", "ten"], ["l"])],
    )
    body = Graph(
        {"x": one, "h": RESOURCE, "v": one, "w": one, "one": constant(_floats(1.0))},
        ["x"],
        ["w"],
        [
            _handle("h"),
            Call(READ, ["h"], ["v"]),
            Call(Op.ADD, ["v", "one"], ["w"], AddOptions()),
            Call(ASSIGN, ["h", "w"]),
        ],
    )
    return model_of(main, condition, body)


INPUTS = [[_floats(1.0, 2.0)], [_floats(3.0, 4.0)], [_floats(5.0, 6.0)]]


def _outputs(results: Sequence[Sequence[Array]]) -> list[Any]:
    return [step[0].tolist() for step in results]


def test_a_variable_lasts_from_one_invocation_to_the_next() -> None:
    assert _outputs(run_steps(running_sum(), INPUTS)) == [[1.0, 2.0], [4.0, 6.0], [9.0, 12.0]]


def test_call_once_sets_a_variable_at_the_first_invocation_only() -> None:
    assert _outputs(run_steps(running_sum_from_start(), INPUTS)) == [
        [101.0, 202.0],
        [104.0, 206.0],
        [109.0, 212.0],
    ]


def test_reset_forgets_variables_and_call_once_does_not_run_again() -> None:
    results = run_steps(running_sum_from_start(), INPUTS, reset_before=[2])
    assert _outputs(results) == [[101.0, 202.0], [104.0, 206.0], [5.0, 6.0]]


def test_after_a_new_preparation_call_once_runs_again() -> None:
    interpreter = prepared(running_sum_from_start())
    for _ in range(2):
        interpreter.allocate_tensors()
        interpreter.set_input(_floats(1.0, 2.0))
        interpreter.invoke()
        assert interpreter.output().tolist() == [101.0, 202.0]


@pytest.mark.parametrize(
    ("names", "third"),
    [
        ((("", "v"), ("", "w")), [1.0, 2.0]),
        ((("c", "v"), ("d", "v")), [1.0, 2.0]),
        # One variable: what was read is written back before the input is.
        ((("c", "v"), ("c", "v")), [3.0, 4.0]),
    ],
)
def test_container_and_name_together_identify_a_variable(
    names: Sequence[tuple[str, str]], third: list[float]
) -> None:
    assert _outputs(run_steps(delay(PAIR, names), INPUTS))[2] == third


def test_an_int8_variable_starts_with_its_zero_point() -> None:
    steps = [[np.array([value], np.int8)] for value in (1, 2, 3, 4)]
    results = run_steps(delay(fed((1,), np.int8, 0.5, -7)), steps, reset_before=[3])
    assert _outputs(results) == [[-7], [-7], [1], [-7]]


def test_every_byte_of_a_variable_starts_with_the_zero_point() -> None:
    results = run_steps(delay(fed((1,), np.int16, 0.5, 3)), [[np.array([1], np.int16)]])
    assert _outputs(results) == [[0x0303]]


def test_a_variable_is_state() -> None:
    assert prepared(running_sum()).is_stateful


def test_a_batch_for_a_model_with_variables_is_a_sequence() -> None:
    (outputs,) = prepared(running_sum_from_start()).invoke_batch([np.concatenate([INPUTS])[:, 0]])
    assert outputs.tolist() == [[101.0, 202.0], [104.0, 206.0], [109.0, 212.0]]


def test_interpreters_do_not_share_variables() -> None:
    first, second = prepared(running_sum()), prepared(running_sum())
    for interpreter in (first, second):
        interpreter.set_input(_floats(1.0, 2.0))
        interpreter.invoke()
        assert interpreter.output().tolist() == [1.0, 2.0]


def _kinds() -> dict[str, Model]:
    return {
        "float32": delay(fed((2, 3), np.float32)),
        "int8": delay(fed((3, 2), np.int8, 0.5, -7)),
        "int16": delay(fed((4,), np.int16, 0.5, 300)),
        "int32": delay(fed((4,), np.int32)),
        "bool": delay(fed((4,), np.bool_)),
        "int64": delay(fed((4,), np.int64)),
    }


ORACLE: list[tuple[str, Callable[[], Model]]] = [
    ("sum", running_sum),
    ("sum from start", running_sum_from_start),
    ("branch", sum_in_a_branch),
    ("loop", sum_in_a_loop),
    *((kind, lambda kind=kind: _kinds()[kind]) for kind in _kinds()),
]


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize(("name", "make"), ORACLE)
def test_variables_are_those_of_tflm(name: str, make: Callable[[], Model]) -> None:
    model = make()
    generator = np.random.default_rng(0)
    operands = [fed(tensor.shape, tensor.dtype) for tensor in prepared(model).inputs]
    steps = [[random_values(operand, generator) for operand in operands] for _ in range(6)]
    resets = (4,)
    ours = run_steps(loaded(model), steps, resets)
    for mine, theirs in zip(ours, run_steps_in_tflm(model, steps, resets), strict=True):
        assert_same(mine, theirs)


def _reading(handle: Operand, *calls: Call, output: Operand = PAIR) -> Model:
    tensors = {"x": PAIR, "h": handle, "y": output, "n": constant(np.array([5], np.int32))}
    return model_of(Graph(tensors, ["x"], ["y"], calls))


RUNS_STOPPED = [
    (
        lambda: _reading(RESOURCE, _handle("h"), Call(READ, ["h"], ["y"])),
        r"READ_VARIABLE \(subgraph 0, node 1\): no node assigns to the variable 'v'",
    ),
    (
        lambda: _reading(RESOURCE, Call(READ, ["n"], ["y"])),
        "non-existent resource variable 5",
    ),
    (
        lambda: _reading(
            RESOURCE,
            _handle("h"),
            Call(ASSIGN, ["h", "x"]),
            Call(READ, ["h"], ["y"]),
            output=fed((3,), np.float32),
        ),
        "variable 'v' has 8 bytes, the node's tensor 12",
    ),
]


@pytest.mark.parametrize(("make", "reason"), RUNS_STOPPED)
def test_a_run_stops_at_a_variable_that_is_not_there(
    make: Callable[[], Model], reason: str
) -> None:
    with pytest.raises(RunError, match=reason):
        prepared(make()).invoke()


REFUSED = [
    (
        lambda: _reading(RESOURCE, Call(ASSIGN, ["n", "x"])),
        "Attempting to read non-existent resource variable 5",
    ),
    (
        lambda: _reading(Operand((2,), TensorType.RESOURCE), _handle("h")),
        "the handle has 2 elements, not 1",
    ),
    (lambda: _reading(PAIR, Call(READ, ["h"], ["y"])), "the handle is FLOAT32"),
    (lambda: _reading(RESOURCE, Call(ASSIGN, ["h"])), "there are 1 inputs, not 2"),
    (lambda: _reading(RESOURCE, Call(ASSIGN, ["h", "x"], ["y"])), "there are 1 outputs"),
    (
        lambda: _reading(
            RESOURCE, _handle("h"), Call(ASSIGN, ["h", "x"]), Call(ASSIGN, ["h", "n"])
        ),
        "the variable 'v' has 8 bytes, which does not fit the value",
    ),
]


@pytest.mark.parametrize(("make", "reason"), REFUSED)
def test_refuses_what_cannot_run(make: Callable[[], Model], reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(make())
