"""Graphs that read what is not there yet."""

from __future__ import annotations

import pytest

from tinyml_runtime.errors import ModelError
from tinyml_runtime.model.schema import (
    Buffer,
    Model,
    Operator,
    OperatorCode,
    SubGraph,
    TensorInfo,
)
from tinyml_runtime.planning.graph_order import check_order

CONSTANT, EMPTY, VARIABLE = (
    TensorInfo(buffer=1),
    TensorInfo(shape=(0,)),
    TensorInfo(is_variable=True),
)


def _model(*operators: Operator, outputs: tuple[int, ...] = ()) -> Model:
    tensors = (TensorInfo(), TensorInfo(), TensorInfo(), CONSTANT, EMPTY, VARIABLE)
    graph = SubGraph("", tensors, (0,), outputs, operators)
    return Model(
        operator_codes=(OperatorCode(),),
        subgraphs=(graph,),
        buffers=(Buffer(), Buffer(b"abcd")),
        source="it.tflite",
    )


def test_what_is_given_may_be_read() -> None:
    check_order(_model(Operator(0, (0, 3, 4, 5, -1), (1,)), Operator(0, (1,), (2,)), outputs=(2,)))


@pytest.mark.parametrize(
    ("operators", "reason"),
    [
        ((Operator(0, (1,), (2,)), Operator(0, (0,), (1,))), "before operator 1 makes it"),
        ((Operator(0, (1,), (1,)),), "which it makes itself: the graph has a cycle"),
        ((Operator(0, (1,), (2,)),), "reads tensor 1, which nothing makes"),
        (
            (Operator(0, (2,), (1,)), Operator(0, (1,), (2,))),
            "reads tensor 2 before operator 1 makes it: .* or the graph has a cycle",
        ),
    ],
)
def test_what_is_not_made_yet_is_told(operators: tuple[Operator, ...], reason: str) -> None:
    with pytest.raises(ModelError, match=reason) as caught:
        check_order(_model(*operators))
    assert str(caught.value).startswith("it.tflite: subgraph 0, operator 0: ")


def test_an_output_that_nothing_makes_is_told() -> None:
    with pytest.raises(ModelError, match="output tensor 2 is made by no node"):
        check_order(_model(Operator(0, (0,), (1,)), outputs=(2,)))
