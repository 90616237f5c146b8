"""A `Model` as the bytes of a `.tflite` file: what `load` reads from them equals what was given.

Vectors and names on which interpreters rely unasked are written even when they are empty.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tinyml_runtime.model.builder import ABSENT, TableBuilder, outside, part, scalar
from tinyml_runtime.model.foreign import IDENTIFIER
from tinyml_runtime.model.options_table import BUILTIN_OPTIONS, BUILTIN_OPTIONS_2, Options
from tinyml_runtime.model.options_wire import write_options
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

Field = tuple[Any, ...]
T = TypeVar("T")
_INDEX_VECTORS = {32: (1, "i"), 16: (2, "H"), 8: (3, "B")}
_NO_PARAMETERS = (ABSENT, ABSENT)


def write_model(model: Model) -> bytes:
    """The file that holds `model`, with its buffers aligned to 16 bytes."""
    return _Writer().model(model)


class _Writer:
    def __init__(self) -> None:
        self._to = TableBuilder()

    def model(self, model: Model) -> bytes:
        root = self._to.table(
            scalar("I", model.version),
            self._tables(model.operator_codes, self._operator_code),
            self._tables(model.subgraphs, self._subgraph),
            self._string(model.description),
            self._tables(model.buffers, self._buffer),
            self._vector("i", model.metadata_buffers),
            self._some_tables(model.metadata, self._metadata),
            self._some_tables(model.signatures, self._signature),
            self._some_tables(model.external_buffer_groups, self._group),
            self._some_tables(model.external_buffers, self._external_buffer),
        )
        return self._to.finish(root, IDENTIFIER)

    def _string(self, text: str) -> Field:
        return part(self._to.string(text)) if text else ABSENT

    def _name(self, text: str) -> Field:
        return part(self._to.string(text))

    def _vector(self, code: str, values: tuple[Any, ...]) -> Field:
        return part(self._to.vector(code, values)) if values else ABSENT

    def _indices(self, values: tuple[int, ...]) -> Field:
        return part(self._to.vector("i", values))

    def _tables(self, items: Sequence[T], write: Callable[[T], int]) -> Field:
        return part(self._to.tables([write(item) for item in items]))

    def _some_tables(self, items: Sequence[T], write: Callable[[T], int]) -> Field:
        return self._tables(items, write) if items else ABSENT

    def _operator_code(self, code: OperatorCode) -> int:
        return self._to.table(
            scalar("b", code.deprecated_builtin_code),
            self._string(code.custom_code),
            scalar("i", code.version, 1),
            scalar("i", code.builtin_code),
        )

    def _subgraph(self, subgraph: SubGraph) -> int:
        return self._to.table(
            self._tables(subgraph.tensors, self._tensor),
            self._indices(subgraph.inputs),
            self._indices(subgraph.outputs),
            self._tables(subgraph.operators, self._operator),
            self._string(subgraph.name),
            scalar("i", subgraph.debug_metadata_index, -1),
        )

    def _tensor(self, tensor: TensorInfo) -> int:
        quantization, sparsity = tensor.quantization, tensor.sparsity
        return self._to.table(
            self._indices(tensor.shape),
            scalar("b", tensor.type),
            scalar("I", tensor.buffer),
            self._name(tensor.name),
            part(self._quantization(quantization)) if quantization is not None else ABSENT,
            scalar("?", tensor.is_variable),
            part(self._sparsity(sparsity)) if sparsity is not None else ABSENT,
            self._vector("i", tensor.shape_signature),
            scalar("?", tensor.has_rank),
            self._some_tables(tensor.variant_tensors, self._variant),
            scalar("I", tensor.external_buffer),
        )

    def _quantization(self, quantization: Quantization) -> int:
        return self._to.table(
            self._vector("f", quantization.minimum),
            self._vector("f", quantization.maximum),
            self._vector("f", quantization.scales),
            self._vector("q", quantization.zero_points),
            *self._details(quantization.details),
            scalar("i", quantization.dimension),
        )

    def _details(
        self, details: CustomQuantization | BlockwiseQuantization | MultiAxisQuantization | None
    ) -> tuple[Field, Field]:
        if details is None:
            return _NO_PARAMETERS
        if isinstance(details, CustomQuantization):
            custom = self._to.table(part(self._to.blob(details.custom)))
            return scalar("B", 1), part(custom)
        numbers = (
            scalar("i", details.scales),
            scalar("i", details.zero_points),
            scalar("i", details.block_size),
        )
        if isinstance(details, BlockwiseQuantization):
            return scalar("B", 2), part(self._to.table(*numbers))
        dimensions = self._vector("i", details.quantized_dimensions)
        return scalar("B", 3), part(self._to.table(*numbers, dimensions))

    def _sparsity(self, sparsity: Sparsity) -> int:
        return self._to.table(
            self._vector("i", sparsity.traversal_order),
            self._vector("i", sparsity.block_map),
            self._some_tables(sparsity.dimensions, self._dimension),
        )

    def _dimension(self, dimension: DimensionMetadata) -> int:
        return self._to.table(
            scalar("b", int(dimension.is_sparse)),
            scalar("i", dimension.dense_size),
            *self._index_vector(dimension.segments),
            *self._index_vector(dimension.indices),
        )

    def _index_vector(self, indices: IndexVector | None) -> tuple[Field, Field]:
        if indices is None:
            return _NO_PARAMETERS
        kind, code = _INDEX_VECTORS[indices.bits]
        values = part(self._to.vector(code, indices.values))
        return scalar("B", kind), part(self._to.table(values))

    def _variant(self, variant: VariantSubType) -> int:
        return self._to.table(
            self._indices(variant.shape),
            scalar("b", variant.type),
            scalar("?", variant.has_rank),
        )

    def _operator(self, operator: Operator) -> int:
        first, second = self._options(operator.options)
        is_outside = operator.custom_options_outside
        return self._to.table(
            scalar("I", operator.opcode_index),
            self._indices(operator.inputs),
            self._indices(operator.outputs),
            *first,
            ABSENT if is_outside else self._bytes(operator.custom_options),
            ABSENT,
            self._vector("?", operator.mutating_variable_inputs),
            self._vector("i", operator.intermediates),
            *self._outside(operator.custom_options, is_outside),
            *second,
            scalar("i", operator.debug_metadata_index, -1),
        )

    def _options(self, options: Options | None) -> tuple[tuple[Field, Field], tuple[Field, Field]]:
        """The fields of both unions; at most one has something."""
        if options is None:
            return _NO_PARAMETERS, _NO_PARAMETERS
        name = type(options).__name__
        table = part(write_options(self._to, options))
        if name in BUILTIN_OPTIONS:
            return (scalar("B", BUILTIN_OPTIONS.index(name)), table), _NO_PARAMETERS
        return _NO_PARAMETERS, (scalar("B", BUILTIN_OPTIONS_2.index(name)), table)

    def _buffer(self, buffer: Buffer) -> int:
        return self._to.table(
            ABSENT if buffer.is_outside else self._bytes(buffer.data),
            *self._outside(buffer.data, buffer.is_outside),
        )

    def _bytes(self, data: bytes | memoryview) -> Field:
        return part(self._to.blob(data)) if len(data) else ABSENT

    def _outside(self, data: bytes | memoryview, is_outside: bool) -> tuple[Field, Field]:
        return (outside(data), scalar("Q", len(data))) if is_outside else _NO_PARAMETERS

    def _metadata(self, entry: Metadata) -> int:
        return self._to.table(self._name(entry.name), scalar("I", entry.buffer))

    def _signature(self, signature: Signature) -> int:
        return self._to.table(
            self._tables(signature.inputs, self._tensor_map),
            self._tables(signature.outputs, self._tensor_map),
            self._name(signature.key),
            ABSENT,
            scalar("I", signature.subgraph),
        )

    def _tensor_map(self, entry: TensorMap) -> int:
        return self._to.table(self._name(entry.name), scalar("I", entry.tensor))

    def _group(self, name: str) -> int:
        return self._to.table(self._name(name))

    def _external_buffer(self, buffer: ExternalBuffer) -> int:
        return self._to.table(
            scalar("I", buffer.id),
            scalar("I", buffer.group),
            scalar("Q", buffer.offset),
            scalar("Q", buffer.length),
            self._string(buffer.packing),
        )
