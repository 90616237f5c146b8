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
    """The outputs, and everything that a node writes and no other node overwrites."""
    graph, nodes = model.subgraphs[0], nodes_of(model, 0)
    made = [(node, index) for node in nodes for index in node.outputs if index >= 0]
    writers = Counter(index for _, index in made)
    layers = [
        (node, index)
        for node, index in made
        if graph.tensors[index].type not in _WITHOUT_VALUES
        and writers[index] == 1
        and not graph.tensors[index].is_variable
    ]
    return Watched(graph.outputs, layers)
