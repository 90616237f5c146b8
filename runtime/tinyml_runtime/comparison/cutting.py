"""Cut nodes out of a model, each for itself: a model in which they stand side by side.

Every node has inputs of its own, which are inputs of the new model, and its outputs are outputs of
it: with the values that a run of the whole model brought to a node, the node computes what it did
there. Constants and state are shared as before, and so are handles of resource variables.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tinyml_runtime.interpreter import DEFAULT_MEMORY_LIMIT_BYTES
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.schema import Buffer, Model, Operator, OperatorCode, SubGraph, TensorInfo
from tinyml_runtime.model_tensors import make_tensors
from tinyml_runtime.types import TensorType


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the new model: whose it is, and the tensor's index in the old one."""

    node: int
    tensor: int


@dataclass(frozen=True, slots=True)
class Cut:
    """Nodes of the main subgraph as a model; ports in the order of its inputs and outputs."""

    model: Model
    inputs: Sequence[Port]
    outputs: Sequence[Port]


def cut_nodes(model: Model, nodes: Sequence[int]) -> Cut:
    """The nodes of the main subgraph with these indices, side by side.

    Other subgraphs are kept where one of the nodes can call them. Raises ModelError for compressed
    constants that make no sense.
    """
    model = _decompressed(model)
    main = model.subgraphs[0]
    placing = _Placing(model)
    operators = [placing.operator(node, main.operators[node]) for node in nodes]
    graph = SubGraph(
        main.name,
        tuple(placing.tensors),
        tuple(placing.inputs.values()),
        tuple(placing.outputs.values()),
        tuple(operators),
    )
    keeps_all = any(_calls(model.code(main.operators[node])) for node in nodes)
    others = model.subgraphs[1:] if keeps_all else ()
    used = {info.buffer for part in (graph, *others) for info in part.tensors}
    codes, operators = (model.operator_codes, operators) if keeps_all else _needed(model, operators)
    cut = Model(
        version=model.version,
        operator_codes=tuple(codes),
        subgraphs=(replace(graph, operators=tuple(operators)), *others),
        # Buffers keep their numbers; those that no tensor has any more are empty.
        buffers=tuple(
            buffer if number in used else Buffer() for number, buffer in enumerate(model.buffers)
        ),
        source=model.source,
    )
    return Cut(cut, tuple(placing.inputs), tuple(placing.outputs))


class _Placing:
    """Tensors of the new model, as nodes ask for them."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._places: dict[Port, int] = {}
        self.tensors: list[TensorInfo] = []
        self.inputs: dict[Port, int] = {}
        self.outputs: dict[Port, int] = {}

    def operator(self, node: int, operator: Operator) -> Operator:
        """The same operator on tensors of its own."""
        made = tuple(self._place(node, index) for index in operator.outputs)
        for index, place in zip(operator.outputs, made, strict=True):
            if place >= 0 and not self._is_shared(index):
                self.outputs[Port(node, index)] = place
        given = tuple(self._place(node, index) for index in operator.inputs)
        for index, place in zip(operator.inputs, given, strict=True):
            if place >= 0 and not self._is_shared(index) and place not in made:
                self.inputs[Port(node, index)] = place
        between = tuple(self._place(node, index) for index in operator.intermediates)
        return replace(operator, inputs=given, outputs=made, intermediates=between)

    def _place(self, node: int, index: int) -> int:
        if index < 0:
            return -1
        key = Port(-1 if self._is_shared(index) else node, index)
        if key not in self._places:
            self._places[key] = len(self.tensors)
            self.tensors.append(self._model.subgraphs[0].tensors[index])
        return self._places[key]

    def _is_shared(self, index: int) -> bool:
        info = self._model.subgraphs[0].tensors[index]
        is_constant = bool(len(self._model.buffers[info.buffer].data))
        is_state = info.is_variable and index not in self._model.subgraphs[0].inputs
        return is_constant or is_state or info.type is TensorType.RESOURCE


def _calls(code: OperatorCode) -> bool:
    return code.name in ("IF", "WHILE", "CALL_ONCE")


def _needed(
    model: Model, operators: Sequence[Operator]
) -> tuple[list[OperatorCode], list[Operator]]:
    """The operator codes that are in use, and the operators with their new numbers."""
    numbers = {operator.opcode_index: None for operator in operators}
    places = {number: place for place, number in enumerate(numbers)}
    codes = [model.operator_codes[number] for number in numbers]
    return codes, [replace(one, opcode_index=places[one.opcode_index]) for one in operators]


def _decompressed(model: Model) -> Model:
    """The same model with its compressed constants written out."""
    if all(entry.name != COMPRESSION for entry in model.metadata):
        return model
    main, buffers = model.subgraphs[0], list(model.buffers)
    tensors = list(main.tensors)
    for tensor in make_tensors(model, DEFAULT_MEMORY_LIMIT_BYTES)[0]:
        if tensor.is_constant and tensor.values.nbytes == tensor.type.stored_bytes(tensor.size):
            tensors[tensor.index] = replace(tensors[tensor.index], buffer=len(buffers))
            buffers.append(Buffer(tensor.values.tobytes()))
    graph = replace(main, tensors=tuple(tensors))
    return replace(
        model,
        subgraphs=(graph, *model.subgraphs[1:]),
        buffers=tuple(buffers),
        metadata=tuple(entry for entry in model.metadata if entry.name != COMPRESSION),
    )
