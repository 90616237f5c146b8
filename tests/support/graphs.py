"""Models of several nodes and subgraphs, built by the names of their tensors; runs with state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from tests.support.single_op import Operand
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.options import Options
from tinyml_runtime.model.schema import (
    Buffer,
    Metadata,
    Model,
    Operator,
    OperatorCode,
    Quantization,
    SubGraph,
    TensorInfo,
)
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

RESOURCE = Operand((1,), TensorType.RESOURCE)


@dataclass(frozen=True)
class Call:
    """A node: an operator on tensors of its graph, by name."""

    operator: BuiltinOperator | str
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    options: Options | None = None
    custom_options: bytes = b""


@dataclass(frozen=True)
class Graph:
    """A subgraph: its tensors by name, which of them go in and come out, its nodes in order."""

    tensors: Mapping[str, Operand]
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    calls: Sequence[Call] = ()


@dataclass
class _Parts:
    codes: list[BuiltinOperator | str] = field(default_factory=list[BuiltinOperator | str])
    buffers: list[Buffer] = field(default_factory=lambda: [Buffer()])

    def code(self, operator: BuiltinOperator | str) -> int:
        if operator not in self.codes:
            self.codes.append(operator)
        return self.codes.index(operator)

    def buffer(self, data: bytes) -> int:
        self.buffers.append(Buffer(data))
        return len(self.buffers) - 1


def model_of(*graphs: Graph, metadata: Mapping[str, bytes] | None = None) -> Model:
    """The model whose subgraphs are `graphs`, the first of them the main one."""
    parts = _Parts()
    subgraphs = tuple(_subgraph(graph, parts) for graph in graphs)
    entries = tuple(Metadata(name, parts.buffer(data)) for name, data in (metadata or {}).items())
    return Model(
        operator_codes=tuple(_operator_code(code) for code in parts.codes),
        subgraphs=subgraphs,
        buffers=tuple(parts.buffers),
        metadata=entries,
    )


def loaded(model: Model) -> Model:
    """The model as it comes back from a file."""
    return load_model(write_model(model))


def prepared(model: Model, **arguments: Any) -> Interpreter:
    """Our interpreter, ready to run."""
    interpreter = Interpreter(model, **arguments)
    interpreter.allocate_tensors()
    return interpreter


def run_steps(
    model: Model, steps: Sequence[Sequence[Array]], reset_before: Sequence[int] = ()
) -> list[list[Array]]:
    """Our outputs of every invocation, all from one interpreter; it is reset before some."""
    interpreter = prepared(model)
    results: list[list[Array]] = []
    for step, feeds in enumerate(steps):
        if step in reset_before:
            interpreter.reset()
        for index, array in enumerate(feeds):
            interpreter.set_input(array, index)
        interpreter.invoke()
        results.append([interpreter.output(index) for index in range(len(interpreter.outputs))])
    return results


def run_steps_in_tflm(
    model: Model, steps: Sequence[Sequence[Array]], reset_before: Sequence[int] = ()
) -> list[list[Array]]:
    """TFLM's outputs of the same."""
    runtime: Any = import_module("tflite_micro.python.tflite_micro.runtime")
    data = write_model(model)
    interpreter = runtime.Interpreter.from_bytes(data, arena_size=1 << 22)
    count = len(model.subgraphs[0].outputs)
    results: list[list[Array]] = []
    for step, feeds in enumerate(steps):
        if step in reset_before:
            interpreter.reset()
        for index, array in enumerate(feeds):
            interpreter.set_input(array, index)
        interpreter.invoke()
        results.append([np.array(interpreter.get_output(index)) for index in range(count)])
    return results


def _subgraph(graph: Graph, parts: _Parts) -> SubGraph:
    names = list(graph.tensors)

    def indices(chosen: Sequence[str]) -> tuple[int, ...]:
        return tuple(names.index(name) for name in chosen)

    tensors = tuple(_tensor(name, operand, parts) for name, operand in graph.tensors.items())
    operators = tuple(
        Operator(
            parts.code(call.operator),
            indices(call.inputs),
            indices(call.outputs),
            call.options,
            call.custom_options,
        )
        for call in graph.calls
    )
    return SubGraph("", tensors, indices(graph.inputs), indices(graph.outputs), operators)


def _tensor(name: str, operand: Operand, parts: _Parts) -> TensorInfo:
    quantization = None
    if operand.scales:
        quantization = Quantization(operand.scales, operand.zero_points, operand.dimension)
    return TensorInfo(
        name=name,
        type=operand.type,
        shape=operand.shape,
        has_rank=True,
        buffer=0 if operand.values is None else parts.buffer(operand.values.tobytes()),
        quantization=quantization,
        is_variable=operand.is_variable,
    )


def _operator_code(operator: BuiltinOperator | str) -> OperatorCode:
    if isinstance(operator, str):
        custom = int(BuiltinOperator.CUSTOM)
        return OperatorCode(custom, custom, custom_code=operator)
    return OperatorCode(int(operator), min(int(operator), 127))
