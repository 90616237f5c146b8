"""The tensors of a model: its constants with their values, the others without memory."""

from __future__ import annotations

import numpy as np

from tinyml_runtime.errors import ModelError
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.schema import Model, TensorInfo
from tinyml_runtime.tensor import (
    Array,
    QuantizationParams,
    Tensor,
    dtype_of,
    unallocated,
    unpack_int4,
)
from tinyml_runtime.types import TensorType


def make_tensors(model: Model, memory_limit_bytes: int) -> list[list[Tensor]]:
    """The tensors of every subgraph.

    Raises:
        ModelError: a constant's bytes do not fit its shape; the metadata of compressed constants
            makes no sense, or they would take more memory than the limit.
    """
    decompressed = _decompressed(model, memory_limit_bytes)
    return [
        [
            _make_tensor(model, number, index, decompressed.get((number, index)))
            for index in range(len(subgraph.tensors))
        ]
        for number, subgraph in enumerate(model.subgraphs)
    ]


def _decompressed(model: Model, limit: int) -> dict[tuple[int, int], Array]:
    """The values of compressed constants, by subgraph and index."""
    if all(entry.name != COMPRESSION for entry in model.metadata):
        return {}
    from tinyml_runtime.model.compression import compressed_tensors, decompress

    compressed = compressed_tensors(model)
    infos = [model.subgraphs[number].tensors[index] for number, index in compressed]
    # They may all share a few bytes of the file.
    needed = sum(info.elements * dtype_of(info.type).itemsize for info in infos)
    if needed > limit:
        reason = f"its compressed constants need {needed} bytes, the limit is {limit}"
        raise ModelError(model.source, "", reason)
    return {
        (number, index): decompress(model, number, entry)
        for (number, index), entry in compressed.items()
    }


def _make_tensor(model: Model, subgraph: int, index: int, values: Array | None) -> Tensor:
    info = model.subgraphs[subgraph].tensors[index]
    quantization = info.quantization
    if values is None:
        values = _constant_values(model, subgraph, index, info)
    return Tensor(
        index=index,
        name=info.name,
        type=info.type,
        shape=info.shape,
        quantization=QuantizationParams()
        if quantization is None
        else QuantizationParams(
            quantization.scales, quantization.zero_points, quantization.dimension
        ),
        is_constant=values is not None,
        is_variable=info.is_variable and values is None,
        values=unallocated(info.type, info.shape) if values is None else values,
    )


def _constant_values(model: Model, subgraph: int, index: int, info: TensorInfo) -> Array | None:
    """The values that the file holds for a tensor, without a copy where they lie as they are."""
    data = model.buffers[info.buffer].data if info.buffer < len(model.buffers) else b""
    if not len(data):
        return None
    needed = info.type.stored_bytes(info.elements)
    if len(data) < needed:
        place = f"subgraph {subgraph}, tensor {index}"
        reason = f"its buffer holds {len(data)} bytes, its shape needs {needed}"
        raise ModelError(model.source, place, reason)
    raw = np.frombuffer(data, np.uint8, count=needed)
    if info.type is TensorType.INT4:
        return unpack_int4(raw, info.elements).reshape(info.shape)
    if info.type is TensorType.BOOL:
        return (raw != 0).reshape(info.shape)
    dtype = dtype_of(info.type)
    if raw.size != info.elements * dtype.itemsize:
        return raw  # strings and packed types that no kernel takes
    return raw.view(dtype).reshape(info.shape)
