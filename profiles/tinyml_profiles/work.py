"""What every node of a model runs, as loops with counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tinyml_profiles.instructions import Instructions, Values
from tinyml_profiles.load import load_target
from tinyml_profiles.target import Core
from tinyml_profiles.traffic import Traffic
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.check import called_subgraphs
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.prepared_model import nodes_of, prepare_model
from tinyml_runtime.registration import Node
from tinyml_runtime.resolver import OpResolver
from tinyml_runtime.tensor import Array, Tensor
from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.generic import count_made
from tinyml_runtime.workloads.moments import share_of_zeros, zero_shares

if TYPE_CHECKING:
    from tinyml_runtime.planning.sequence import Graph  # planning takes long to import

_MEMORY_LIMIT_BYTES = 2**31


@dataclass(frozen=True, slots=True)
class NodeWork:
    """A node and its loops, counted for `values`."""

    node: Node
    loops: Sequence[LoopWork]
    values: Values = Values.ALL


class NodeTensors:
    """`WorkContext` of one subgraph on a core with some extensions."""

    def __init__(
        self, tensors: Sequence[Tensor], extensions: frozenset[str], nodes: Sequence[Node] = ()
    ) -> None:
        """Give workloads these tensors, which `nodes` make of each other."""
        self.extensions = extensions
        self._tensors = tensors
        self._nodes = nodes

    @property
    def size(self) -> int:
        """Elements of all tensors that are no constants."""
        return sum(tensor.size for tensor in self._tensors if not tensor.is_constant)

    def input(self, node: Node, position: int) -> Tensor | None:
        """The input tensor at `position`, or None where the node has none there."""
        return self._operand(node.inputs, position)

    def output(self, node: Node, position: int) -> Tensor | None:
        """The output tensor at `position`, or None where the node has none there."""
        return self._operand(node.outputs, position)

    def zero_share(self, node: Node, position: int) -> float:
        """The share of floats of the input tensor at `position` that are zero, before a run."""
        tensor = self.input(node, position)
        if tensor is None:
            return 0.0
        return share_of_zeros(tensor) if tensor.is_constant else self._shares.get(tensor.index, 0.0)

    def values(self, node: Node, position: int) -> Array | None:
        """None: nothing runs."""
        return None

    @cached_property
    def _shares(self) -> Mapping[int, float]:
        return zero_shares(self._nodes, self._tensors)

    def _operand(self, indices: Sequence[int], position: int) -> Tensor | None:
        if position >= len(indices) or indices[position] < 0:
            return None
        return self._tensors[indices[position]]


@dataclass(frozen=True, slots=True)
class CountedNode:
    """What a node makes and executes; `is_assumed` says that a part of that is not measured.

    `instructions` are None without a table of loops.
    """

    name: str
    macs: int
    instructions: Instructions | None
    is_assumed: bool
    traffic: Traffic


@dataclass(frozen=True, slots=True)
class ModelWork:
    """The work of all nodes that run: those of the main subgraph, and of what it calls.

    `counted` keeps what was counted by a table of loops (its identity, which lasts: tables are
    never dropped), a library, a subgraph and a node.
    """

    nodes: Sequence[NodeWork]
    contexts: Sequence[NodeTensors]
    calls: bool
    counted: dict[tuple[int, str, int, int], CountedNode] = field(
        default_factory=dict[tuple[int, str, int, int], CountedNode], compare=False, repr=False
    )

    def context(self, work: NodeWork) -> NodeTensors:
        """The tensors that a node sees."""
        return self.contexts[work.node.subgraph]

    def output_name(self, work: NodeWork) -> str:
        """The name of the tensor that the node makes first."""
        output = self.context(work).output(work.node, 0)
        return "" if output is None else output.name


def model_work(model: Model, core: Core, library: str | KernelLibrary = "reference") -> ModelWork:
    """The work of a model that loads; UnsupportedModelError with all reasons if it does not."""
    resolver = OpResolver.for_library(library)
    tensors = make_tensors(model, _MEMORY_LIMIT_BYTES)
    prepared = prepare_model(model, tensors, resolver)
    if prepared.problems:
        raise UnsupportedModelError(model.source, prepared.problems)
    nodes = [[step.node for step in steps] for steps in prepared.steps]
    return _works(model, tensors, nodes, resolver, core.extensions)


def graph_work(graph: Graph, core: Core, library: str | KernelLibrary = "reference") -> ModelWork:
    """As `model_work`, of a model that has been prepared with the kernels of `library`."""
    resolver = OpResolver.for_library(library)
    return _works(graph.model, graph.tensors, graph.nodes, resolver, core.extensions)


def _works(
    model: Model,
    tensors: Sequence[Sequence[Tensor]],
    nodes: Sequence[Sequence[Node]],
    resolver: OpResolver,
    extensions: frozenset[str],
) -> ModelWork:
    contexts = [
        NodeTensors(own, extensions, theirs) for own, theirs in zip(tensors, nodes, strict=True)
    ]
    reached = _reached(model)
    works = [
        _work(contexts[number], resolver, node) for number in reached for node in nodes[number]
    ]
    return ModelWork(works, contexts, len(reached) > 1)


def node_workloads(
    model: Model, core: str, library: str | KernelLibrary = "reference", subgraph: int = 0
) -> list[NodeWork]:
    """The work of every node of a subgraph, in execution order, whether or not the model loads."""
    resolver = OpResolver.for_library(library)
    tensors = make_tensors(model, _MEMORY_LIMIT_BYTES)[subgraph]
    nodes = list(nodes_of(model, subgraph))
    context = NodeTensors(tensors, load_target(core).core.extensions, nodes)
    return [_work(context, resolver, node) for node in nodes]


def _reached(model: Model) -> list[int]:
    """The main subgraph and all that it calls, each once, in the order in which they are met."""
    order = [0]
    for number in order:
        for operator in model.subgraphs[number].operators:
            order += [called for called in called_subgraphs(operator) if called not in order]
    return order


def _work(context: NodeTensors, resolver: OpResolver, node: Node) -> NodeWork:
    return NodeWork(node, count_loops(context, resolver, node))


def count_loops(context: NodeTensors, resolver: OpResolver, node: Node) -> Sequence[LoopWork]:
    """The loops of a node: its kernel's, or those of a loop over the elements that it makes."""
    count = resolver.find_workload(node.operator) or count_made
    return count(context, node)
