"""Generated models with unusual arenas: many channels, outputs, variables, subgraphs, states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tests.runtime.kernels.test_lstm import INT16, lstm
from tests.support.branching import (
    branches_in_branches,
    random_branches,
    wide_branches,
    with_a_graph_that_never_runs,
)
from tests.support.encodings import compressed
from tests.support.graphs import RESOURCE, Call, Graph, model_of
from tests.support.single_op import Operand, SingleOp, constant, fed, variable
from tinyml_runtime.model.options import (
    AddOptions,
    CallOnceOptions,
    ConcatenationOptions,
    Conv2DOptions,
    FullyConnectedOptions,
    SplitOptions,
    SVDFOptions,
    VarHandleOptions,
    WhileOptions,
)
from tinyml_runtime.model.schema import Buffer, Model, Operator, SubGraph, TensorInfo
from tinyml_runtime.types import BuiltinOperator as Op

INT8 = fed((1, 8), np.int8, 0.5, -3)
FLAG, COUNT = fed((1,), np.bool_), fed((1,), np.int32)


def wide_convolution(channels: int) -> Model:
    """CONV_2D with a scale for each of many channels."""
    weights = np.ones((channels, 1, 1, 2), np.int8)
    scales = [0.001 * (1 + channel % 97) for channel in range(channels)]
    bias = constant(np.zeros(channels, np.int32), [0.5 * scale for scale in scales])
    options = Conv2DOptions(stride_w=1, stride_h=1)
    operands = [fed((1, 2, 2, 2), np.int8, 0.5), constant(weights, scales), bias]
    return SingleOp(Op.CONV_2D, operands, [fed((1, 2, 2, channels), np.int8, 1.0)], options).model()


def many_outputs(count: int) -> Model:
    """SPLIT: every part is an output of the model, and so is its input."""
    parts = {f"y{index}": fed((1, 2), np.int8, 0.5) for index in range(count)}
    whole = fed((1, 2 * count), np.int8, 0.5)
    tensors = {"x": whole, "axis": constant(np.array([1], np.int32)), **parts}
    call = Call(Op.SPLIT, ["axis", "x"], list(parts), SplitOptions(count))
    return model_of(Graph(tensors, ["x"], [*parts, "x"], [call]))


def many_inputs(count: int) -> Model:
    """CONCATENATION of many inputs of the model."""
    parts = {f"x{index}": fed((1, index + 1), np.float32) for index in range(count)}
    width = sum(part.shape[1] for part in parts.values())
    call = Call(Op.CONCATENATION, list(parts), ["y"], ConcatenationOptions(axis=1))
    return model_of(Graph({**parts, "y": fed((1, width), np.float32)}, list(parts), ["y"], [call]))


def several_lstms() -> Model:
    """Three layers beside each other, one of each kind, and their states."""
    return beside(lstm().model(), lstm("float32", units=7).model(), lstm(batch=2, **INT16).model())


def beside(*models: Model) -> Model:
    """The main subgraphs of models as one that has the inputs and outputs of all."""
    tensors: list[TensorInfo] = []
    buffers: list[Buffer] = []
    operators: list[Operator] = []
    inputs: list[int] = []
    outputs: list[int] = []
    for number, model in enumerate(models):
        graph, first = model.subgraphs[0], len(tensors)
        operators += [
            replace(
                one,
                opcode_index=number,
                inputs=_moved(one.inputs, first),
                outputs=_moved(one.outputs, first),
            )
            for one in graph.operators
        ]
        inputs += _moved(graph.inputs, first)
        outputs += _moved(graph.outputs, first)
        tensors += [replace(one, buffer=one.buffer + len(buffers)) for one in graph.tensors]
        buffers += model.buffers
    codes = tuple(model.operator_codes[0] for model in models)
    graph = SubGraph("", tuple(tensors), tuple(inputs), tuple(outputs), tuple(operators))
    return Model(operator_codes=codes, subgraphs=(graph,), buffers=tuple(buffers))


def _moved(indices: Sequence[int], first: int) -> tuple[int, ...]:
    return tuple(index if index < 0 else index + first for index in indices)


def chained_states(count: int) -> Model:
    """SVDF layers one after another, each with a state of its own."""
    tensors: dict[str, Operand] = {"y0": fed((1, 8), np.float32)}
    calls: list[Call] = []
    for layer in range(count):
        names = [f"y{layer}", *(f"{part}{layer}" for part in ("feature", "time", "bias", "state"))]
        feature, time, bias, state = names[1:]
        tensors[feature] = constant(np.ones((16, 8), np.float32))
        tensors[time] = constant(np.ones((16, 3 + layer), np.float32))
        tensors[bias] = constant(np.zeros(8, np.float32))
        tensors[state] = _state((1, 16 * (3 + layer)))
        tensors[f"y{layer + 1}"] = fed((1, 8), np.float32)
        calls.append(Call(Op.SVDF, names, [f"y{layer + 1}"], SVDFOptions(rank=2)))
    return model_of(Graph(tensors, ["y0"], [f"y{count}"], calls))


def many_variables(count: int) -> Model:
    """Running sums, each in a resource variable that a subgraph sets to zero at the start."""
    zeros = constant(np.zeros((1, 8), np.float32))
    handles: dict[str, Operand] = {}
    sums: list[Call] = [Call(Op.CALL_ONCE, [], [], CallOnceOptions(1))]
    resets: list[Call] = []
    tensors: dict[str, Operand] = {"x": fed((1, 8), np.float32)}
    for number in range(count):
        handle, before, after = (f"{name}{number}" for name in ("h", "b", "a"))
        named = Call(Op.VAR_HANDLE, [], [handle], VarHandleOptions("", f"sum {number}"))
        handles[handle] = RESOURCE
        tensors |= {before: fed((1, 8), np.float32), after: fed((1, 8), np.float32)}
        sums += [
            named,
            Call(Op.READ_VARIABLE, [handle], [before]),
            Call(Op.ADD, [before, "x"], [after], AddOptions()),
            Call(Op.ASSIGN_VARIABLE, [handle, after]),
        ]
        resets += [named, Call(Op.ASSIGN_VARIABLE, [handle, "zeros"])]
    main = Graph({**tensors, **handles}, ["x"], [f"a{count - 1}"], sums)
    return model_of(main, Graph({**handles, "zeros": zeros}, calls=resets))


def loops(count: int) -> Model:
    """WHILE loops one after another, each with its own two subgraphs, over a dense layer."""
    tensors: dict[str, Operand] = {"n0": COUNT, "x0": INT8}
    calls: list[Call] = []
    called: list[Graph] = []
    for loop in range(count):
        tensors |= {f"n{loop + 1}": COUNT, f"x{loop + 1}": INT8}
        options = WhileOptions(2 * loop + 1, 2 * loop + 2)
        before, after = ([f"{name}{at}" for name in "nx"] for at in (loop, loop + 1))
        calls.append(Call(Op.WHILE, before, after, options))
        called += [_is_below_four(), _layer_and_count()]
    return model_of(Graph(tensors, ["n0", "x0"], [f"n{count}", f"x{count}"], calls), *called)


def compressed_layer() -> Model:
    """FULLY_CONNECTED whose weights and bias are compressed."""
    weights = constant(np.arange(64, dtype=np.int8).reshape(8, 8) % 4, [0.5] * 8)
    bias = constant(np.arange(8, dtype=np.int32) % 2, [0.25] * 8)
    options = FullyConnectedOptions()
    layer = SingleOp(Op.FULLY_CONNECTED, [INT8, weights, bias], [INT8], options)
    return compressed(layer.model(), {1: 2, 2: 1})


def _state(shape: tuple[int, ...]) -> Operand:
    made = variable(shape, np.float32, 1.0)
    return Operand(made.shape, made.type, is_variable=True)


def _is_below_four() -> Graph:
    tensors = {"n": COUNT, "x": INT8, "four": constant(np.array([4], np.int32)), "flag": FLAG}
    return Graph(tensors, ["n", "x"], ["flag"], [Call(Op.LESS, ["n", "four"], ["flag"])])


def _layer_and_count() -> Graph:
    tensors = {
        "n": COUNT,
        "x": INT8,
        "one": constant(np.array([1], np.int32)),
        "weights": constant(np.ones((8, 8), np.int8), [0.01] * 8),
        "m": COUNT,
        "y": INT8,
    }
    calls = [
        Call(Op.ADD, ["n", "one"], ["m"], AddOptions()),
        Call(Op.FULLY_CONNECTED, ["x", "weights"], ["y"], FullyConnectedOptions()),
    ]
    return Graph(tensors, ["n", "x"], ["m", "y"], calls)


MODELS: Mapping[str, Callable[[], Model]] = {
    "1,000 channels": lambda: wide_convolution(1000),
    "40 outputs": lambda: many_outputs(40),
    "10 inputs": lambda: many_inputs(10),
    "several LSTMs": several_lstms,
    "chained states": lambda: chained_states(5),
    "one variable": lambda: many_variables(1),
    "12 variables": lambda: many_variables(12),
    "one loop": lambda: loops(1),
    "6 loops": lambda: loops(6),
    "compressed weights": compressed_layer,
    "wide branches": wide_branches,
    "branches in branches": branches_in_branches,
    "a graph that never runs": with_a_graph_that_never_runs,
    **{f"random branches {seed}": lambda seed=seed: random_branches(seed) for seed in range(20)},
}
