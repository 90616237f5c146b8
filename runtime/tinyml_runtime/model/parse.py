"""The tables of a `.tflite` file as the dataclasses of `schema`, field by field; checks no meaning.

Numbers of vtable slots follow the order of the fields in the TFLite FlatBuffers schema; a union
takes two.
"""

from __future__ import annotations

from tinyml_runtime.model.flatbuffer import Defect, FlatBuffer, Table
from tinyml_runtime.model.options_table import BUILTIN_OPTIONS, BUILTIN_OPTIONS_2, Options
from tinyml_runtime.model.options_wire import known, read_options
from tinyml_runtime.model.schema import (
    BlockwiseQuantization,
    Buffer,
    CustomQuantization,
    DimensionMetadata,
    ExternalBuffer,
    IndexVector,
    Metadata,
    Model,
    MultiAxisQuantization,
    Operator,
    OperatorCode,
    Quantization,
    Signature,
    Sparsity,
    SubGraph,
    TensorInfo,
    TensorMap,
    VariantSubType,
)
from tinyml_runtime.types import TensorType

# An outside offset of 0 or 1 means that the bytes are inside.
_NO_OFFSET = 1
_EMPTY = Buffer()
_INDEX_VECTORS = {1: ("i", 32), 2: ("H", 16), 3: ("B", 8)}


def parse_model(file: FlatBuffer, source: str) -> Model:
    """Read the whole file; raises `Defect`."""
    root = file.root()
    return Model(
        version=root.scalar("I", 0),
        description=root.string(3),
        operator_codes=root.each(1, "operator code", _operator_code),
        subgraphs=root.each(2, "subgraph", _subgraph),
        buffers=root.each(4, "buffer", _buffer) or (_EMPTY,),
        metadata=root.each(6, "metadata", _metadata),
        metadata_buffers=root.vector("i", 5),
        signatures=root.each(7, "signature", _signature),
        external_buffer_groups=root.each(8, "external buffer group", _group),
        external_buffers=root.each(9, "external buffer", _external_buffer),
        source=source,
    )


def _operator_code(table: Table) -> OperatorCode:
    return OperatorCode(
        deprecated_builtin_code=table.scalar("b", 0),
        custom_code=table.string(1),
        version=table.scalar("i", 2, 1),
        builtin_code=table.scalar("i", 3),
    )


def _subgraph(table: Table) -> SubGraph:
    return SubGraph(
        tensors=table.each(0, "tensor", _tensor),
        inputs=table.vector("i", 1),
        outputs=table.vector("i", 2),
        operators=table.each(3, "operator", _operator),
        name=table.string(4),
        debug_metadata_index=table.scalar("i", 5, -1),
    )


def _tensor(table: Table) -> TensorInfo:
    quantization, sparsity = table.table(4), table.table(6)
    return TensorInfo(
        shape=table.vector("i", 0),
        type=known(TensorType, table.scalar("b", 1), "tensor type"),
        buffer=table.scalar("I", 2),
        name=table.string(3),
        quantization=_quantization(quantization) if quantization else None,
        is_variable=table.scalar("?", 5, False),
        sparsity=_sparsity(sparsity) if sparsity else None,
        shape_signature=table.vector("i", 7),
        has_rank=table.scalar("?", 8, False),
        variant_tensors=table.each(9, "variant", _variant),
        external_buffer=table.scalar("I", 10),
    )


def _quantization(table: Table) -> Quantization:
    return Quantization(
        minimum=table.vector("f", 0),
        maximum=table.vector("f", 1),
        scales=table.vector("f", 2),
        zero_points=table.vector("q", 3),
        details=_details(table.scalar("B", 4), table.table(5)),
        dimension=table.scalar("i", 6),
    )


def _details(
    kind: int, table: Table | None
) -> CustomQuantization | BlockwiseQuantization | MultiAxisQuantization | None:
    if not kind or table is None:
        return None
    if kind == 1:
        return CustomQuantization(table.copy(0))
    scales, zero_points, block = (table.scalar("i", slot) for slot in range(3))
    if kind == 2:
        return BlockwiseQuantization(scales, zero_points, block)
    if kind == 3:
        return MultiAxisQuantization(scales, zero_points, block, table.vector("i", 3))
    raise Defect(f"quantization details {kind} are none that the format names")


def _sparsity(table: Table) -> Sparsity:
    return Sparsity(
        traversal_order=table.vector("i", 0),
        block_map=table.vector("i", 1),
        dimensions=table.each(2, "sparse dimension", _dimension),
    )


def _dimension(table: Table) -> DimensionMetadata:
    return DimensionMetadata(
        is_sparse=table.scalar("?", 0, False),
        dense_size=table.scalar("i", 1),
        segments=_indices(table.scalar("B", 2), table.table(3)),
        indices=_indices(table.scalar("B", 4), table.table(5)),
    )


def _indices(kind: int, table: Table | None) -> IndexVector | None:
    if not kind or table is None:
        return None
    if kind not in _INDEX_VECTORS:
        raise Defect(f"sparse index vector {kind} is none that the format names")
    code, bits = _INDEX_VECTORS[kind]
    return IndexVector(table.vector(code, 0), bits)


def _variant(table: Table) -> VariantSubType:
    return VariantSubType(
        shape=table.vector("i", 0),
        type=known(TensorType, table.scalar("b", 1), "tensor type"),
        has_rank=table.scalar("?", 2, False),
    )


def _operator(table: Table) -> Operator:
    outside = _outside(table, 9)
    return Operator(
        opcode_index=table.scalar("I", 0),
        inputs=table.vector("i", 1),
        outputs=table.vector("i", 2),
        options=_options(table),
        custom_options=table.copy(5) if outside is None else _copied(table, outside),
        custom_options_outside=outside is not None,
        mutating_variable_inputs=table.vector("?", 7),
        intermediates=table.vector("i", 8),
        debug_metadata_index=table.scalar("i", 13, -1),
    )


def _options(table: Table) -> Options | None:
    first: int = table.scalar("B", 3)
    second: int = table.scalar("B", 11)
    if first and second:
        raise Defect("the operator has builtin options of both kinds")
    number, names, slot = (second, BUILTIN_OPTIONS_2, 12) if second else (first, BUILTIN_OPTIONS, 4)
    if number >= len(names):
        raise Defect(f"builtin options {number} are none that the format names")
    options = table.table(slot)
    return read_options(options, names[number]) if number and options else None


def _buffer(table: Table) -> Buffer:
    outside = _outside(table, 1)
    if outside is not None:
        return Buffer(outside, is_outside=True)
    inside = table.blob(0)
    return Buffer(inside) if inside else _EMPTY


def _outside(table: Table, slot: int) -> memoryview | None:
    """Bytes behind the FlatBuffer: their offset is in `slot`, their size in the next."""
    start = table.scalar("Q", slot)
    return table.file.span(start, table.scalar("Q", slot + 1)) if start > _NO_OFFSET else None


def _copied(table: Table, data: memoryview) -> bytes:
    table.file.spend(len(data))
    return bytes(data)


def _metadata(table: Table) -> Metadata:
    return Metadata(name=table.string(0), buffer=table.scalar("I", 1))


def _signature(table: Table) -> Signature:
    return Signature(
        inputs=table.each(0, "input", _tensor_map),
        outputs=table.each(1, "output", _tensor_map),
        key=table.string(2),
        subgraph=table.scalar("I", 4),
    )


def _tensor_map(table: Table) -> TensorMap:
    return TensorMap(name=table.string(0), tensor=table.scalar("I", 1))


def _group(table: Table) -> str:
    return table.string(0)


def _external_buffer(table: Table) -> ExternalBuffer:
    return ExternalBuffer(
        id=table.scalar("I", 0),
        group=table.scalar("I", 1),
        offset=table.scalar("Q", 2),
        length=table.scalar("Q", 3),
        packing=table.string(4),
    )
