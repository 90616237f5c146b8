"""What the health of a quantized model is told in: findings, and the model that they are about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinyml_runtime.interpreter import DEFAULT_MEMORY_LIMIT_BYTES
from tinyml_runtime.model.schema import Model
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.prepared_model import nodes_of
from tinyml_runtime.registration import Node
from tinyml_runtime.tensor import Tensor


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that costs accuracy, may break, or is waste, with what to do about it.

    `tensor` and `op_index` are of the main subgraph. `harm` is in decibels of SQNR: what is lost,
    as far as it can be told, else an estimate that puts findings in order.
    """

    tensor: int | None
    op_index: int | None
    kind: str
    words: str
    remedy: str
    harm: float


@dataclass(frozen=True, slots=True)
class Subject:
    """The main subgraph of a model: its tensors, its nodes, and which node makes which tensor."""

    tensors: Sequence[Tensor]
    nodes: Sequence[Node]
    makers: Mapping[int, Node]

    @classmethod
    def of(cls, model: Model) -> Subject:
        """The main subgraph of `model`; ModelError for constants that do not fit their shapes."""
        nodes = nodes_of(model, 0)
        makers = {index: node for node in nodes for index in node.outputs if index >= 0}
        return cls(make_tensors(model, DEFAULT_MEMORY_LIMIT_BYTES)[0], nodes, makers)

    def named(self, index: int) -> str:
        """A tensor by number and name."""
        return f"tensor {index} '{self.tensors[index].name[:24]}'"

    def maker(self, index: int) -> int | None:
        """The node that makes a tensor; None for inputs and constants."""
        node = self.makers.get(index)
        return None if node is None else node.index

    def input(self, node: Node, position: int) -> Tensor | None:
        """The input of a node at `position`; None where it has none there."""
        if position >= len(node.inputs) or node.inputs[position] < 0:
            return None
        return self.tensors[node.inputs[position]]


def decibels(ratio: float) -> float:
    """A ratio of amplitudes in decibels."""
    return 20.0 * math.log10(ratio)
