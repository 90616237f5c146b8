"""Which tensors of a model are compared."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.model.schema import Model
from tinyml_runtime.prepared_model import nodes_of
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

# Types that hold no values to compare.
_WITHOUT_VALUES = (TensorType.RESOURCE, TensorType.VARIANT, TensorType.STRING)


@dataclass(frozen=True, slots=True)
class Watched:
    """Tensors of the main subgraph: the model's outputs, and those that its nodes make."""

    outputs: Sequence[int]
    layers: Sequence[tuple[Node, int]] = ()

    @property
    def tensors(self) -> list[int]:
        """The indices of all of them, each once; those of the outputs come first."""
        return [*dict.fromkeys([*self.outputs, *(index for _, index in self.layers)])]


def watch_outputs(model: Model) -> Watched:
    """The outputs alone."""
    return Watched(model.subgraphs[0].outputs)


def watch_layers(model: Model) -> Watched:
    """The outputs, and everything that a node writes and nothing overwrites."""
    graph, lost = model.subgraphs[0], overwritten(model)
    layers = [
        (node, index)
        for node in nodes_of(model, 0)
        for index in node.outputs
        if index >= 0
        and index not in lost
        and graph.tensors[index].type not in _WITHOUT_VALUES
        and not graph.tensors[index].is_variable
    ]
    return Watched(graph.outputs, layers)


def overwritten(model: Model) -> set[int]:
    """Tensors whose values of before are gone when the run is over: several nodes write them.

    So does a node that writes an input of the model, or one of its own.
    """
    graph = model.subgraphs[0]
    writers = Counter(index for operator in graph.operators for index in operator.outputs)
    in_place = {i for operator in graph.operators for i in {*operator.outputs} & {*operator.inputs}}
    several = {index for index, count in writers.items() if count > 1}
    return several | in_place | {*graph.inputs} & writers.keys()


def stateful_nodes(model: Model) -> set[int]:
    """The nodes that keep something in variable tensors from one invocation to the next."""
    graph = model.subgraphs[0]
    return {
        number
        for number, operator in enumerate(graph.operators)
        if any(index >= 0 and graph.tensors[index].is_variable for index in operator.inputs)
    }
