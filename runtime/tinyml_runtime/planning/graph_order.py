"""Whether every tensor is made before it is read: TFLM runs the nodes as they stand in the file."""

from __future__ import annotations

from tinyml_runtime.errors import ModelError
from tinyml_runtime.model.schema import Model, SubGraph


def check_order(model: Model) -> None:
    """ModelError for the first node that reads a tensor that no node before it makes.

    TFLM does not notice: it plans such a tensor from before the first node on and runs on what
    happens to be there.
    """
    for number, graph in enumerate(model.subgraphs):
        makers = {index: place for place, op in enumerate(graph.operators) for index in op.outputs}
        known = _given(model, graph)
        for place, operator in enumerate(graph.operators):
            for index in operator.inputs:
                if index >= 0 and index not in known:
                    raise ModelError(
                        model.source,
                        f"subgraph {number}, operator {place}",
                        _reason(index, place, makers.get(index)),
                    )
            known.update(operator.outputs)
        for index in graph.outputs:
            if index not in known:
                reason = f"output tensor {index} is made by no node"
                raise ModelError(model.source, f"subgraph {number}", reason)


def _given(model: Model, graph: SubGraph) -> set[int]:
    """Tensors that hold something before the first node runs."""
    return {
        *graph.inputs,
        *(
            index
            for index, tensor in enumerate(graph.tensors)
            if tensor.is_variable or len(model.buffers[tensor.buffer].data) or not tensor.elements
        ),
    }


def _reason(tensor: int, place: int, maker: int | None) -> str:
    if maker is None:
        return f"it reads tensor {tensor}, which nothing makes"
    if maker == place:
        return f"it reads tensor {tensor}, which it makes itself: the graph has a cycle"
    return (
        f"it reads tensor {tensor} before operator {maker} makes it: the operators are out of "
        "order, or the graph has a cycle"
    )
