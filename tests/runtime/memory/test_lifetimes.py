"""When tensors live, worked out by hand on TFLM's clock."""

from __future__ import annotations

import pytest

from tinyml_runtime.errors import ModelError
from tinyml_runtime.memory.lifetimes import Lifetimes
from tinyml_runtime.model.options import IfOptions
from tinyml_runtime.model.schema import Model, Operator, OperatorCode, SubGraph, TensorInfo


def _graph(
    tensors: int, inputs: tuple[int, ...], outputs: tuple[int, ...], *operators: Operator
) -> SubGraph:
    return SubGraph("", (TensorInfo(),) * tensors, inputs, outputs, operators)


def _lives(lifetimes: Lifetimes, subgraph: int = 0) -> list[tuple[int, int]]:
    return [(one.first, one.last) for one in lifetimes.tensors[subgraph]]


def test_a_chain() -> None:
    graph = _graph(
        4, (0,), (2,), Operator(0, (0, -1), (1,)), Operator(0, (1,), (2,)), Operator(0, (2,), (3,))
    )
    lifetimes = Lifetimes(Model(operator_codes=(OperatorCode(),), subgraphs=(graph,)), [(0, 1)])
    # Node k runs at k + 1. Tensor 3 is made and never read; output 2 lives to the end.
    assert _lives(lifetimes) == [(0, 1), (1, 2), (2, 3), (3, 3)]
    assert (lifetimes.scratch[0].first, lifetimes.scratch[0].last) == (2, 2)
    assert [(one.time, one.node) for one in lifetimes.steps] == [(1, 0), (2, 1), (3, 2)]


def test_a_node_that_calls_subgraphs_lives_through_them() -> None:
    branch = _graph(2, (0,), (1,), Operator(0, (0,), (1,)))
    main = _graph(3, (0, 1), (2,), Operator(0, (0, 1), (2,), IfOptions(1, 2)))
    model = Model(operator_codes=(OperatorCode(),), subgraphs=(main, branch, branch))
    lifetimes = Lifetimes(model, [(0, 0), (2, 0)])
    # Node at 1; then-branch enters at 2, its node at 3; else-branch enters at 4, its node at 5.
    assert _lives(lifetimes) == [(0, 5), (0, 5), (1, 5)]
    assert _lives(lifetimes, 1) == [(2, 3), (3, 3)]
    assert _lives(lifetimes, 2) == [(4, 5), (5, 5)]
    assert [(one.first, one.last) for one in lifetimes.scratch] == [(1, 5), (5, 5)]


def test_a_subgraph_that_nothing_calls_is_not_reached() -> None:
    lonely = _graph(1, (0,), (0,))
    lifetimes = Lifetimes(Model(subgraphs=(_graph(1, (0,), (0,)), lonely)), [])
    assert _lives(lifetimes, 1) == [(-1, -1)]


def test_subgraphs_that_call_each_other_twice_have_an_end() -> None:
    # 40 levels of two calls each would take 2**40 steps.
    levels = [
        _graph(1, (0,), (0,), Operator(0, (0,), (), IfOptions(k + 1, k + 1))) for k in range(40)
    ]
    model = Model(operator_codes=(OperatorCode(),), subgraphs=(*levels, _graph(1, (0,), (0,))))
    with pytest.raises(ModelError, match="run more than"):
        Lifetimes(model, [])
