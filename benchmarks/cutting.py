"""Cut the nodes of one operator out of a model, into models that hold nothing else.

The nodes stand side by side: each has inputs of its own, which are inputs of the model, and the
values that a run of the whole model brought there. Inputs are outputs as well: else TFLM would
reuse their memory, and they would have to be set before every invocation. Nodes are spread over
several models where their tensors would not stay in the processor's cache together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinyml_runtime import Array, Event, Interpreter, Model, Node, NodeStarted, write_model
from tinyml_runtime.comparison.cutting import cut_nodes
from tinyml_runtime.model.schema import Buffer, SubGraph, TensorInfo
from tinyml_runtime.types import TensorType

CACHED_BYTES = 1 << 18
_NEEDS_THE_MODEL = {
    **dict.fromkeys(("IF", "WHILE", "CALL_ONCE"), "control flow"),
    **dict.fromkeys(("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE"), "resource variables"),
}


@dataclass(frozen=True, slots=True)
class Cut:
    """Some nodes of one operator as a model, with values for its inputs."""

    operator: str
    nodes: int
    model: Model
    feeds: list[Array]

    @property
    def file(self) -> bytes:
        """The model as a file."""
        return write_model(self.model)

    @property
    def arena_bytes(self) -> int:
        """Enough memory for TFLM to run it."""
        tensors = self.model.subgraphs[0].tensors
        return (16 << 20) + 8 * sum(info.elements for info in tensors if not info.buffer) * 2


@dataclass(frozen=True, slots=True)
class NotMeasured:
    """Nodes that cannot be cut out, and why."""

    operator: str
    nodes: int
    why: str


@dataclass(slots=True)
class _Recorder:
    """Listens to a run and keeps what the nodes of the main subgraph are given."""

    inputs: dict[int, dict[int, Array]] = field(default_factory=dict[int, dict[int, Array]])
    nested: list[Node] = field(default_factory=list[Node])

    def notify(self, event: Event) -> None:
        if not isinstance(event, NodeStarted):
            return
        if event.node.subgraph:
            self.nested.append(event.node)
            return
        self.inputs[event.node.index] = {
            tensor.index: tensor.values.copy() for tensor in event.inputs if not tensor.is_constant
        }


def cut_operators(model: Model) -> tuple[list[Cut], list[NotMeasured]]:
    """The models of single operators that a model consists of; and what cannot be cut.

    Raises TinymlError where the whole model cannot be run.
    """
    recorder = _Recorder()
    interpreter = Interpreter(model, listeners=[recorder])
    interpreter.allocate_tensors()
    for index, tensor in enumerate(interpreter.inputs):
        interpreter.set_input(_random(tensor.shape, tensor.dtype), index)
    interpreter.invoke()
    if any(entry.name == "COMPRESSION_METADATA" for entry in model.metadata):
        return [], [NotMeasured("all", len(recorder.inputs), "constants are compressed")]
    nodes: dict[str, list[Node]] = defaultdict(list)
    for node in interpreter.nodes():
        if node.index in recorder.inputs:
            nodes[node.operator].append(node)
    left_out = [
        NotMeasured(operator, len(nodes.pop(operator)), why)
        for operator, why in _NEEDS_THE_MODEL.items()
        if operator in nodes
    ]
    if recorder.nested:
        left_out.append(NotMeasured("nodes of other subgraphs", len(recorder.nested), "called"))
    cuts = [
        _cut(model, part, recorder.inputs)
        for group in nodes.values()
        for part in _parts(interpreter, group)
    ]
    return cuts, left_out


def empty_model() -> Cut:
    """A model that has one tensor and no node."""
    tensor = TensorInfo("x", TensorType.INT8, (1, 4), has_rank=True)
    graph = SubGraph("main", (tensor,), (0,), (0,))
    return Cut(
        "none", 0, Model(subgraphs=(graph,), buffers=(Buffer(),)), [np.zeros((1, 4), np.int8)]
    )


def _random(shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> Array:
    generator = np.random.default_rng(0)
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    # Wider integers may be indices, and 0 and 1 exist nearly everywhere.
    low, high = (-100, 100) if dtype.itemsize == 1 and dtype.kind == "i" else (0, 2)
    if dtype.name in ("uint8", "int16"):
        low, high = 0, 200
    return generator.integers(low, high, shape).astype(dtype)


def _parts(interpreter: Interpreter, nodes: Sequence[Node]) -> list[list[Node]]:
    """The nodes in groups whose tensors stay in cache."""
    parts: list[list[Node]] = []
    room = 0
    for node in nodes:
        tensors = [interpreter.tensor(i) for i in {*node.inputs, *node.outputs} if i >= 0]
        needed = sum(tensor.values.nbytes for tensor in tensors if not tensor.is_constant)
        if needed > room or not parts:
            parts.append([])
            room = CACHED_BYTES
        parts[-1].append(node)
        room -= needed
    return parts


def _cut(model: Model, nodes: Sequence[Node], values: dict[int, dict[int, Array]]) -> Cut:
    cut = cut_nodes(model, [node.index for node in nodes])
    main = cut.model.subgraphs[0]
    graph = replace(main, outputs=(*main.inputs, *main.outputs))
    feeds = [values[port.node][port.tensor] for port in cut.inputs]
    alone = replace(cut.model, subgraphs=(graph, *cut.model.subgraphs[1:]))
    return Cut(nodes[0].operator, len(nodes), alone, feeds)
