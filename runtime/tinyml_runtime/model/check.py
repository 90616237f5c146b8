"""Whether the parts of a model fit together: indices, shapes, sizes, quantization, calls.

Nothing here depends on what an operator does: kernels check that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import isfinite
from typing import TypeVar

from tinyml_runtime.model.flatbuffer import Defect
from tinyml_runtime.model.schema import (
    BlockwiseQuantization,
    ExternalBuffer,
    Metadata,
    Model,
    MultiAxisQuantization,
    Operator,
    Quantization,
    Signature,
    SubGraph,
    TensorInfo,
)

SCHEMA_VERSION = 3
MOST_BYTES = 2**62
MOST_SHOWN = 8
# Tensors of a model with this metadata may hold fewer bytes than their shape says.
COMPRESSION = "COMPRESSION_METADATA"

T = TypeVar("T")
_CALLS = {
    "IfOptions": ("then_subgraph_index", "else_subgraph_index"),
    "WhileOptions": ("cond_subgraph_index", "body_subgraph_index"),
    "CallOnceOptions": ("init_subgraph_index",),
}


def check_model(model: Model) -> None:
    """Raise a `Defect` for the first part of `model` that does not fit the others."""
    if model.version != SCHEMA_VERSION:
        raise Defect(f"schema version {model.version} is not {SCHEMA_VERSION}, the only one known")
    if not model.subgraphs:
        raise Defect("the model has no subgraph")
    may_be_short = any(entry.name == COMPRESSION for entry in model.metadata)
    external = {buffer.id for buffer in model.external_buffers}

    def check_subgraph(subgraph: SubGraph) -> None:
        _check_graph(model, subgraph)

        def check_tensor(tensor: TensorInfo) -> None:
            _check_data(tensor, model, may_be_short)
            if tensor.quantization is not None:
                _check_quantization(tensor.quantization, tensor.shape, len(subgraph.tensors))
            if tensor.external_buffer and tensor.external_buffer not in external:
                raise Defect(f"external buffer {tensor.external_buffer} does not exist")

        _each("tensor", subgraph.tensors, check_tensor)

    _each("subgraph", model.subgraphs, check_subgraph)
    _check_cycles(model)
    _check_beside_the_graph(model)


def called_subgraphs(operator: Operator) -> tuple[int, ...]:
    """Indices of the subgraphs that the operator's options name."""
    names = _CALLS.get(type(operator.options).__name__, ())
    return tuple(getattr(operator.options, name) for name in names)


def _each(name: str, items: Iterable[T], check: Callable[[T], None]) -> None:
    for index, item in enumerate(items):
        try:
            check(item)
        except Defect as defect:
            raise defect.within(f"{name} {index}") from None


def _check_index(what: str, index: int, count: int, lowest: int = 0) -> None:
    if not lowest <= index < count:
        raise Defect(f"{what} {index} does not exist (there are {count})")


def _check_indices(what: str, indices: tuple[int, ...], count: int, lowest: int = 0) -> None:
    if indices and not (lowest <= min(indices) and max(indices) < count):
        for index in indices:
            _check_index(what, index, count, lowest)


def _check_graph(model: Model, subgraph: SubGraph) -> None:
    count = len(subgraph.tensors)
    _check_indices("input tensor", subgraph.inputs, count)
    _check_indices("output tensor", subgraph.outputs, count)
    _each("operator", subgraph.operators, lambda operator: _check_operator(model, operator, count))
    if any(min(tensor.shape, default=0) < 0 for tensor in subgraph.tensors):
        _check_negative_shapes(subgraph)


def _check_operator(model: Model, operator: Operator, count: int) -> None:
    _check_index("operator code", operator.opcode_index, len(model.operator_codes))
    _check_indices("input tensor", operator.inputs, count, lowest=-1)
    _check_indices("output tensor", operator.outputs, count)
    _check_indices("intermediate tensor", operator.intermediates, count)
    if operator.options is not None:
        _check_indices("called subgraph", called_subgraphs(operator), len(model.subgraphs))


def _check_data(tensor: TensorInfo, model: Model, may_be_short: bool) -> None:
    needed = _bytes_needed(tensor)
    _check_index("buffer", tensor.buffer, len(model.buffers))
    held = len(model.buffers[tensor.buffer].data)
    if held and held < needed and tensor.sparsity is None and not may_be_short:
        raise Defect(f"buffer {tensor.buffer} holds {held} bytes, the tensor needs {needed}")


def _bytes_needed(tensor: TensorInfo) -> int:
    """Bytes of the tensor's elements; a zero in the shape does not excuse the other dimensions."""
    elements = 1
    for size in tensor.shape:
        elements *= abs(size) or 1
        if elements > MOST_BYTES:
            raise Defect("the tensor has more elements than any memory can hold")
    return 0 if 0 in tensor.shape else tensor.type.stored_bytes(elements)


def _check_negative_shapes(subgraph: SubGraph) -> None:
    """Refuse negative sizes, except on tensors that nothing uses: converters leave such behind."""
    used = {*subgraph.inputs, *subgraph.outputs}
    for operator in subgraph.operators:
        used.update(operator.inputs, operator.outputs, operator.intermediates)
    for index, tensor in enumerate(subgraph.tensors):
        if index in used and min(tensor.shape, default=0) < 0:
            raise Defect(f"the shape {_text(tensor.shape)} has a negative size", f"tensor {index}")


def _check_quantization(quantization: Quantization, shape: tuple[int, ...], tensors: int) -> None:
    scales, zero_points = len(quantization.scales), len(quantization.zero_points)
    if scales > 1 and not _fits(scales, quantization.dimension, shape):
        raise Defect(
            f"{scales} scales do not fit dimension {quantization.dimension} of shape {_text(shape)}"
        )
    if zero_points > 1 and zero_points != scales:
        raise Defect(f"there are {zero_points} zero points for {scales} scales")
    if not all(map(isfinite, quantization.scales)):
        raise Defect("a scale is not a finite number")
    details = quantization.details
    if isinstance(details, BlockwiseQuantization | MultiAxisQuantization):
        _check_index("scale tensor", details.scales, tensors)
        _check_index("zero point tensor", details.zero_points, tensors, lowest=-1)


def _text(shape: tuple[int, ...]) -> str:
    shown = ", ".join(map(str, shape[:MOST_SHOWN]))
    return f"[{shown}{', ...' if len(shape) > MOST_SHOWN else ''}]"


def _fits(scales: int, dimension: int, shape: tuple[int, ...]) -> bool:
    # Converters copy the dimension of the weights to a bias, which has only one.
    return shape[dimension] == scales if 0 <= dimension < len(shape) else scales in shape


def _check_cycles(model: Model) -> None:
    """Refuse subgraphs that call themselves: nothing could run them to an end."""
    calls = {
        index: {called for operator in subgraph.operators for called in called_subgraphs(operator)}
        for index, subgraph in enumerate(model.subgraphs)
    }
    if not any(calls.values()):
        return
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter(calls).prepare()
    except CycleError as error:
        cycle: list[int] = error.args[1]
        raise Defect("the subgraph calls itself", f"subgraph {min(cycle)}") from None


def _check_beside_the_graph(model: Model) -> None:
    buffers = len(model.buffers)

    def check_metadata(entry: Metadata) -> None:
        _check_index("buffer", entry.buffer, buffers)

    def check_signature(signature: Signature) -> None:
        _check_index("subgraph", signature.subgraph, len(model.subgraphs))
        count = len(model.subgraphs[signature.subgraph].tensors)
        _check_indices("input tensor", tuple(entry.tensor for entry in signature.inputs), count)
        _check_indices("output tensor", tuple(entry.tensor for entry in signature.outputs), count)

    def check_external(buffer: ExternalBuffer) -> None:
        _check_index("external buffer group", buffer.group, len(model.external_buffer_groups))

    _each("metadata", model.metadata, check_metadata)
    _check_indices("metadata buffer", model.metadata_buffers, buffers)
    _each("signature", model.signatures, check_signature)
    _each("external buffer", model.external_buffers, check_external)
