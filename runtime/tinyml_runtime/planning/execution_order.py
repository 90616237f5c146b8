"""Another order of a model's operators: results stay what they are, memory at the peak shrinks.

What keeps its place relative to each other: nodes with variable tensors or resources, nodes that
call subgraphs, kernels with state. Nothing passes a custom operator that keeps state or that is not
known: it may end the invocation, as CIRCULAR_BUFFER does, and what came before it has to be done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tinyml_runtime.errors import PlanError
from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.memory.deadline import Deadline
from tinyml_runtime.memory.execution_graph import (
    ExecutionGraph,
    GraphNode,
    MemoryUse,
    predecessors,
)
from tinyml_runtime.memory.reordering import ExecutionOrder, smallest_order
from tinyml_runtime.model.check import called_subgraphs
from tinyml_runtime.model.schema import Model, Operator, SubGraph
from tinyml_runtime.nesting import nesting_depths
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.written_plan import without_plan
from tinyml_runtime.resolver import OpResolver
from tinyml_runtime.types import BuiltinOperator, TensorType


@dataclass(frozen=True, slots=True)
class Reordering:
    """A model in another order, and the order of each subgraph that is run.

    `orders` holds, by subgraph, the former places of the operators. Peaks count the bytes in use at
    one time while the main subgraph runs; a plan may need more for them.
    """

    model: Model
    orders: Mapping[int, ExecutionOrder]
    peak_bytes_before: int

    @property
    def peak_bytes(self) -> int:
        """The most bytes in use at one time in the new order."""
        return self.orders[0].peak_bytes

    @property
    def is_changed(self) -> bool:
        """Whether any operator has another place than before."""
        return not all(_is_as_before(order) for order in self.orders.values())


def reorder(
    model: Model,
    plan: ArenaPlan,
    library: str | KernelLibrary = "reference",
    time_limit_seconds: float = 10.0,
) -> Reordering:
    """The order with the smallest peak that is found, in all subgraphs that are run.

    `plan`, made for this model and `library` by any planner, says which tensors are in the arena
    and what scratch buffers there are. A model without a better order comes back as it was; one in
    another order loses the memory plan that it carries, which is for the former one.
    """
    resolver = OpResolver.for_library(library)
    deadline = Deadline(time_limit_seconds)
    reached = {0, *(step.subgraph for step in plan.steps)}
    before: dict[int, int] = {}
    orders: dict[int, ExecutionOrder] = {}
    # Subgraphs that are called come first: their peaks count for those that call them.
    for left, number in zip(
        range(len(reached), 0, -1), _innermost_first(model, reached), strict=True
    ):
        peaks = {called: order.peak_bytes for called, order in orders.items()}
        graph = execution_graph(model, plan, number, resolver, peaks)
        order = smallest_order(graph, deadline.seconds_left / left)
        check_order(graph, order.nodes)
        orders[number] = order
        former = execution_graph(model, plan, number, resolver, before)
        before[number] = MemoryUse(former).peak_bytes(range(len(former.nodes)))
    return Reordering(_in_order(model, orders), orders, before[0])


def execution_graph(
    model: Model,
    plan: ArenaPlan,
    subgraph: int,
    resolver: OpResolver,
    peaks: Mapping[int, int],
) -> ExecutionGraph:
    """What an order of a subgraph depends on; `peaks` are the bytes of subgraphs that it calls."""
    graph = model.subgraphs[subgraph]
    sizes = [0] * (len(graph.tensors) + 1)
    scratch: dict[int, list[int]] = {}
    for buffer in plan.buffers:
        if buffer.subgraph == subgraph and buffer.tensor is not None:
            sizes[buffer.tensor] = buffer.request.bytes
        if buffer.subgraph == subgraph and buffer.scratch_of is not None:
            scratch.setdefault(buffer.scratch_of, []).append(buffer.request.bytes)
    barriers = _barriers(model, resolver)[subgraph]
    barrier = (len(graph.tensors),)  # a buffer without bytes: all nodes read it, barriers write it
    nodes: list[GraphNode] = []
    for place, operator in enumerate(graph.operators):
        called = max((peaks.get(number, 0) for number in called_subgraphs(operator)), default=0)
        inputs = tuple(index for index in operator.inputs if index >= 0) + barrier
        outputs = operator.outputs + (barrier if place in barriers else ())
        nodes.append(GraphNode(inputs, outputs, (*scratch.get(place, ()), called)))
    kept = [
        place
        for place, operator in enumerate(graph.operators)
        if _has_state(model, graph, operator, resolver)
    ]
    return ExecutionGraph(tuple(nodes), tuple(sizes), graph.inputs, graph.outputs, tuple(kept))


def _is_as_before(order: ExecutionOrder) -> bool:
    """Whether every node has the place that it had."""
    return all(node == place for place, node in enumerate(order.nodes))


def check_order(graph: ExecutionGraph, order: Sequence[int]) -> None:
    """PlanError unless every node is there once and comes after all that it depends on."""
    places = {node: place for place, node in enumerate(order)}
    if sorted(order) != list(range(len(graph.nodes))):
        raise PlanError("the execution order does not have every node once")
    for node, before in enumerate(predecessors(graph)):
        if any(places[other] > places[node] for other in before):
            raise PlanError(f"the execution order has node {node} before one that it depends on")


def _in_order(model: Model, orders: Mapping[int, ExecutionOrder]) -> Model:
    if all(_is_as_before(order) for order in orders.values()):
        return model
    model = without_plan(model)
    subgraphs = list(model.subgraphs)
    for number, order in orders.items():
        operators = subgraphs[number].operators
        ordered = tuple(operators[place] for place in order.nodes)
        subgraphs[number] = replace(subgraphs[number], operators=ordered)
    return replace(model, subgraphs=tuple(subgraphs))


def _innermost_first(model: Model, reached: set[int]) -> list[int]:
    depths = nesting_depths(model)
    return sorted(reached, key=lambda number: depths[number])


def _has_state(model: Model, graph: SubGraph, operator: Operator, resolver: OpResolver) -> bool:
    indices = [index for index in (*operator.inputs, *operator.outputs) if index >= 0]
    tensors = [graph.tensors[index] for index in indices]
    if any(one.is_variable or one.type is TensorType.RESOURCE for one in tensors):
        return True
    kernel = resolver.find(model.code(operator).name)
    is_known = kernel is not None and kernel.reset is None
    return bool(called_subgraphs(operator)) or not is_known


def _barriers(model: Model, resolver: OpResolver) -> list[set[int]]:
    """The nodes of every subgraph that may end the invocation."""
    own = [
        {
            place
            for place, operator in enumerate(graph.operators)
            if _may_end(model, operator, resolver)
        }
        for graph in model.subgraphs
    ]
    if not any(own):
        return own
    return [
        places | {k for k, operator in enumerate(graph.operators) if called_subgraphs(operator)}
        for places, graph in zip(own, model.subgraphs, strict=True)
    ]


def _may_end(model: Model, operator: Operator, resolver: OpResolver) -> bool:
    code = model.code(operator)
    if code.builtin is not BuiltinOperator.CUSTOM:
        return False
    kernel = resolver.find(code.name)
    return kernel is None or kernel.reset is not None or kernel is not REFERENCE.find(code.name)
