"""Constants that a file holds as indices into tables of values: TFLM's compressed models.

The metadata entry COMPRESSION_METADATA is a FlatBuffer of its own. It names tensors whose buffer
holds indices of 1 to 7 bits, the high bits first, and for each the buffer with its values. A tensor
with several scales has a table for each of its channels, one after another.

Source: tflite-micro `micro/compression/metadata.fbs`, `micro/micro_allocator.cc`,
`micro/micro_context.cc`, `micro/kernels/decompress.cc`, `decompress_common.cc`.

TFLM decompresses for CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED, CONCATENATION and
ASSIGN_VARIABLE; other kernels see the indices there, here the values.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tinyml_runtime.errors import ModelError
from tinyml_runtime.model.check import COMPRESSION
from tinyml_runtime.model.flatbuffer import Defect, FlatBuffer, Table
from tinyml_runtime.model.schema import Model, TensorInfo
from tinyml_runtime.tensor import Array, dtype_of
from tinyml_runtime.types import TensorType

SCHEMA_VERSION = 1
MOST_BITS = 7
# TFLM keeps the number of values per channel in a byte.
STRIDES = 256

VALUE_TYPES = (
    TensorType.BOOL,
    TensorType.FLOAT32,
    TensorType.INT8,
    TensorType.INT16,
    TensorType.INT32,
    TensorType.INT64,
)


@dataclass(frozen=True, slots=True)
class CompressedTensor:
    """An entry of the metadata: a tensor, the width of its indices, the buffer of its values."""

    tensor: int
    value_buffer: int
    index_bits: int


@dataclass(frozen=True, slots=True)
class LookUp:
    """How indices find values: every channel has its own `stride` values in the table.

    Channels lie along the first axis, or along the last one, where they change fastest.
    """

    index_bits: int
    stride: int
    channels: int = 1
    along_last_axis: bool = False

    def values(self, packed: Array, table: Array, count: int) -> Array:
        """The values of `count` elements; raises `Defect` where bytes are missing for that."""
        if count % self.channels:
            raise Defect(f"{count} elements cannot be shared by {self.channels} channels")
        places = self._indices(packed, count).astype(np.intp)
        if self.channels > 1 and count:
            shape = (-1, self.channels) if self.along_last_axis else (self.channels, -1)
            starts = np.arange(self.channels) * self.stride
            rows = places.reshape(shape)
            rows += starts if self.along_last_axis else starts[:, None]
        if count and int(places.max()) >= table.size:
            raise Defect(f"an index asks for value {places.max()}, there are {table.size}")
        return table[places]

    def _indices(self, packed: Array, count: int) -> Array:
        if not self.index_bits:
            return np.zeros(count, np.uint8)
        needed = (count * self.index_bits + 7) // 8
        if packed.size < needed:
            raise Defect(f"there are {packed.size} bytes of indices, {needed} are needed")
        bits = np.unpackbits(packed[:needed], count=count * self.index_bits)
        rows = np.packbits(bits.reshape(count, self.index_bits), axis=1).reshape(count)
        return rows >> (8 - self.index_bits)


def compressed_tensors(model: Model) -> dict[tuple[int, int], CompressedTensor]:
    """The compressed tensors of a model by subgraph and index; raises `ModelError`."""
    for entry in model.metadata:
        data = model.buffers[entry.buffer].data if entry.buffer < len(model.buffers) else b""
        if entry.name == COMPRESSION and entry.buffer and len(data):
            try:
                return _listed(model, _read(data))
            except Defect as defect:
                place = ", ".join(part for part in (COMPRESSION, defect.place) if part)
                raise ModelError(model.source, place, defect.reason) from None
    return {}


def decompress(model: Model, subgraph: int, entry: CompressedTensor) -> Array:
    """The values of a compressed tensor, in its shape; raises `ModelError`."""
    info = model.subgraphs[subgraph].tensors[entry.tensor]
    try:
        return _values(model, info, entry).reshape(info.shape)
    except Defect as defect:
        place = f"subgraph {subgraph}, tensor {entry.tensor} (compressed)"
        raise ModelError(model.source, place, defect.reason) from None


def _read(data: bytes | memoryview) -> tuple[tuple[CompressedTensor, ...], ...]:
    root = FlatBuffer(data).root()
    version: int = root.scalar("I", 0, SCHEMA_VERSION)
    if version > SCHEMA_VERSION:
        raise Defect(f"schema version mismatch (using {SCHEMA_VERSION} got {version})")
    return root.each(1, "subgraph", _read_subgraph)


def _read_subgraph(table: Table) -> tuple[CompressedTensor, ...]:
    return table.each(0, "tensor", _read_tensor)


def _read_tensor(table: Table) -> CompressedTensor:
    return CompressedTensor(
        tensor=table.scalar("i", 0),
        value_buffer=table.scalar("I", 1),
        index_bits=table.scalar("B", 2),
    )


def _listed(
    model: Model, subgraphs: tuple[tuple[CompressedTensor, ...], ...]
) -> dict[tuple[int, int], CompressedTensor]:
    if not subgraphs:
        raise Defect("zero length Subgraph vector")
    if len(subgraphs) > len(model.subgraphs):
        raise Defect(f"there are {len(subgraphs)} subgraphs, {len(model.subgraphs)} in the model")
    found: dict[tuple[int, int], CompressedTensor] = {}
    for subgraph, entries in enumerate(subgraphs):
        if not entries:
            raise Defect("zero length LutTensor vector", f"subgraph {subgraph}")
        tensors = model.subgraphs[subgraph].tensors
        for entry in entries:
            place = f"subgraph {subgraph}, tensor {entry.tensor}"
            if not 0 <= entry.tensor < len(tensors):
                raise Defect("there is no such tensor", place)
            if (subgraph, entry.tensor) in found:
                raise Defect("the tensor is listed twice", place)
            _check(entry, tensors[entry.tensor], model, place)
            found[subgraph, entry.tensor] = entry
    return found


def _check(entry: CompressedTensor, info: TensorInfo, model: Model, place: str) -> None:
    if not 1 <= entry.index_bits <= MOST_BITS:
        raise Defect(f"invalid bit width {entry.index_bits}", place)
    buffers = model.buffers
    if entry.value_buffer >= len(buffers) or not len(buffers[entry.value_buffer].data):
        raise Defect(f"invalid value table for value_buffer {entry.value_buffer}", place)
    if not info.shape:
        raise Defect("scalar tensors not supported", place)
    if info.type not in VALUE_TYPES:
        raise Defect(f"tensors of type {info.type.name} cannot be compressed", place)


def _values(model: Model, info: TensorInfo, entry: CompressedTensor) -> Array:
    dtype = dtype_of(info.type)
    raw = np.frombuffer(model.buffers[entry.value_buffer].data, np.uint8)
    table = table_of(raw, info.type)
    packed = np.frombuffer(model.buffers[info.buffer].data, np.uint8)
    stride = raw.size // dtype.itemsize
    scales = () if info.quantization is None else info.quantization.scales
    if len(scales) < 2:
        return LookUp(entry.index_bits, stride % STRIDES).values(packed, table, info.elements)
    axis = info.quantization.dimension if info.quantization else 0
    if axis not in (0, len(info.shape) - 1):
        raise Defect(f"unsupported quantization axis {axis}")
    look_up = LookUp(
        entry.index_bits, stride // len(scales) % STRIDES, max(1, info.shape[axis]), axis != 0
    )
    return look_up.values(packed, table, info.elements)


def table_of(raw: Array, kind: TensorType) -> Array:
    """As many values of this type as the bytes hold."""
    dtype = dtype_of(kind)
    whole = raw[: raw.size // dtype.itemsize * dtype.itemsize]
    return whole != 0 if kind is TensorType.BOOL else whole.view(dtype)
