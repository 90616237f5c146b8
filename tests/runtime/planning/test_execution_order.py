"""Other orders: the same results in less memory; what has state or side effects stays in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.conformance.cases import Case, Steps
from tests.conformance.cases_graphs import CASES as GRAPHS
from tests.support.branching import (
    Layers,
    branches_in_branches,
    random_branches,
    wide_branches,
)
from tests.support.graphs import Call, Graph, loaded, model_of
from tests.support.in_arena import invoke, plan, prepared_in_arena, random_steps
from tests.support.signal_op import flexbuffer
from tests.support.single_op import fed
from tinyml_runtime.errors import PlanError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.memory.execution_graph import ExecutionGraph, GraphNode
from tinyml_runtime.memory.offline_plan import has_offline_plan
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.execution_order import Reordering, check_order, reorder
from tinyml_runtime.planning.written_plan import write_plan


def _reordered(model: Model) -> Reordering:
    return reorder(model, plan(model), time_limit_seconds=2.0)


def _operators(model: Model) -> list[str]:
    return [model.code(operator).name for operator in model.subgraphs[0].operators]


def _assert_made_before_read(model: Model) -> None:
    """In words of its own: no operator reads what a later one makes."""
    for graph in model.subgraphs:
        made = {index for operator in graph.operators for index in operator.outputs}
        there: set[int] = set(graph.inputs)
        for operator in graph.operators:
            assert {index for index in operator.inputs if index in made} <= there
            there.update(operator.outputs)


def _assert_same(model: Model, other: Model, steps: Steps | None = None) -> None:
    apart, inside = Interpreter(model), prepared_in_arena(other)
    apart.allocate_tensors()
    for feeds in random_steps(model) if steps is None else steps:
        assert invoke(inside, feeds) == invoke(apart, feeds)


def test_a_branch_is_finished_before_the_next_one_begins() -> None:
    model = wide_branches(count=3, units=64)
    found = _reordered(model)
    # One wide row at a time, its input and the narrow rows made so far; before, three of them.
    assert found.peak_bytes == 256 + 32 + 2 * 16
    assert found.peak_bytes_before == 3 * 256 + 32
    assert found.orders[0].is_optimal
    _assert_same(model, found.model)


def test_subgraphs_are_reordered_too_and_count_for_who_calls_them() -> None:
    model = branches_in_branches()
    found = _reordered(model)
    assert sorted(found.orders) == [0, 1, 2]
    assert found.peak_bytes < found.peak_bytes_before
    assert plan(found.model).plan.bytes < plan(model).plan.bytes
    _assert_same(model, found.model)


def test_a_plan_for_the_former_order_does_not_stay() -> None:
    model = write_plan(plan(wide_branches())).model
    found = _reordered(model)
    assert not has_offline_plan(found.model)
    assert plan(found.model).plan.bytes < plan(model).plan.bytes
    _assert_same(model, found.model)


def test_a_chain_stays_as_it_is() -> None:
    layers = Layers(4)
    layers.dense(layers.dense(layers.dense("x", 8), 16), 2)
    model = loaded(model_of(layers.graph(layers.unread()[0])))
    found = _reordered(model)
    assert not found.is_changed
    assert found.model is model


@pytest.mark.parametrize("seed", range(20))
def test_an_order_needs_no_more_and_gives_the_same_outputs(seed: int) -> None:
    model = random_branches(seed)
    found = _reordered(model)
    assert found.peak_bytes <= found.peak_bytes_before
    assert plan(found.model).plan.lower_bound_bytes == found.peak_bytes
    _assert_made_before_read(found.model)
    _assert_same(model, found.model)


@pytest.mark.parametrize("case", GRAPHS[::3], ids=lambda case: case.name)
def test_variables_and_control_flow_give_the_same_in_another_order(case: Case) -> None:
    model = loaded(case.model)
    _assert_same(model, _reordered(model).model, case.feeds)


def _beside_wide_branches(operator: str, options: bytes = b"") -> Model:
    """An int8 operator between layers with wide rows and layers that make them narrow."""
    layers = Layers(8)
    wide = [layers.dense("x", 64) for _ in range(3)]
    graph = layers.graph()
    narrow = [layers.dense(name, 4) for name in wide]
    joined = layers.joined(narrow)
    row = fed((1, 1, 1, 8), np.int8, 0.5)
    calls = list(layers.calls)
    calls.insert(3, Call(operator, ["s"], ["r"], custom_options=options))
    slots = fed((1, 2, 1, 8), np.int8, 0.5)
    tensors = {**graph.tensors, "s": row, "r": slots}
    return loaded(model_of(Graph(tensors, ["x", "s"], [joined, "r"], calls)))


def test_nothing_passes_an_operator_that_may_end_the_invocation() -> None:
    model = _beside_wide_branches("CIRCULAR_BUFFER", flexbuffer(cycles_max=1))
    before = _operators(model)
    found = _reordered(model)
    at = before.index("CIRCULAR_BUFFER")
    ordered = found.orders[0].nodes
    assert ordered[at] == at
    assert set(ordered[:at]) == set(range(at))


def test_nothing_passes_a_custom_operator_that_is_not_known() -> None:
    model = _beside_wide_branches("CIRCULAR_BUFFER", flexbuffer(cycles_max=1))
    mine = KernelLibrary(
        "mine", {"CIRCULAR_BUFFER": REFERENCE.kernels["CIRCULAR_BUFFER"]}, REFERENCE.arena_uses
    )
    ordered = reorder(model, plan(model), mine).orders[0].nodes
    assert ordered[3] == 3


def _graph(*nodes: tuple[Sequence[int], Sequence[int]], kept: Sequence[int] = ()) -> ExecutionGraph:
    made = tuple(GraphNode(tuple(inputs), tuple(outputs)) for inputs, outputs in nodes)
    return ExecutionGraph(made, (16,) * 4, (0,), (3,), tuple(kept))


@pytest.mark.parametrize("order", [(0, 1), (0, 1, 1), (0, 1, 3), (1, 0, 2), (0, 2, 1)])
def test_an_order_that_breaks_a_dependency_is_refused(order: tuple[int, ...]) -> None:
    graph = _graph(([0], [1]), ([1], [2]), ([2], [3]))
    check_order(graph, (0, 1, 2))
    with pytest.raises(PlanError, match="execution order"):
        check_order(graph, order)


def test_nodes_with_state_keep_their_order_without_a_tensor_between_them() -> None:
    graph = _graph(([0], [1]), ([0], [2]), ([1, 2], [3]), kept=[0, 1])
    with pytest.raises(PlanError, match="node 1 before one that it depends on"):
        check_order(graph, (1, 0, 2))
