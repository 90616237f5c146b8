"""What a `.tflite` file holds, as frozen dataclasses: the same fields, no interpretation.

Source: the TFLite FlatBuffers schema (version 3, with its extensions 3a to 3d).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tinyml_runtime.types import BuiltinOperator, TensorType

if TYPE_CHECKING:
    from tinyml_runtime.model.options import Options


@dataclass(frozen=True, slots=True)
class Quantization:
    """Linear quantization of a tensor: real = scale * (stored - zero_point).

    One scale and zero point, or one per index along `dimension`. `details` holds what newer
    schemas put in their place (custom, blockwise, several axes).
    """

    scales: tuple[float, ...] = ()
    zero_points: tuple[int, ...] = ()
    dimension: int = 0
    minimum: tuple[float, ...] = ()
    maximum: tuple[float, ...] = ()
    details: CustomQuantization | BlockwiseQuantization | MultiAxisQuantization | None = None


@dataclass(frozen=True, slots=True)
class CustomQuantization:
    """Quantization parameters in a form of the writer's own."""

    custom: bytes = b""


@dataclass(frozen=True, slots=True)
class BlockwiseQuantization:
    """One scale per block of `block_size` elements; scales and zero points are tensors."""

    scales: int = 0
    zero_points: int = 0
    block_size: int = 0


@dataclass(frozen=True, slots=True)
class MultiAxisQuantization:
    """As blockwise, along several dimensions."""

    scales: int = 0
    zero_points: int = 0
    block_size: int = 0
    quantized_dimensions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexVector:
    """Indices of a sparse dimension; `bits` (8, 16 or 32) is the width in the file."""

    values: tuple[int, ...]
    bits: int


@dataclass(frozen=True, slots=True)
class DimensionMetadata:
    """One dimension of a sparse tensor, dense or compressed."""

    is_sparse: bool = False
    dense_size: int = 0
    segments: IndexVector | None = None
    indices: IndexVector | None = None


@dataclass(frozen=True, slots=True)
class Sparsity:
    """How the stored elements of a sparse tensor are spread over its shape."""

    traversal_order: tuple[int, ...] = ()
    block_map: tuple[int, ...] = ()
    dimensions: tuple[DimensionMetadata, ...] = ()


@dataclass(frozen=True, slots=True)
class VariantSubType:
    """Type and shape of the tensors nested in a VARIANT tensor."""

    shape: tuple[int, ...] = ()
    type: TensorType = TensorType.FLOAT32
    has_rank: bool = False


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """A tensor of a subgraph: shape, element type, where its data is, how it is quantized.

    `shape_signature` has -1 where a dimension is unknown; an empty one means that it is not given.
    `has_rank` is False for an unknown rank (and in older files, for every tensor).
    """

    name: str = ""
    type: TensorType = TensorType.FLOAT32
    shape: tuple[int, ...] = ()
    shape_signature: tuple[int, ...] = ()
    has_rank: bool = False
    buffer: int = 0
    quantization: Quantization | None = None
    is_variable: bool = False
    sparsity: Sparsity | None = None
    variant_tensors: tuple[VariantSubType, ...] = ()
    external_buffer: int = 0

    @property
    def elements(self) -> int:
        """Number of elements."""
        count = 1
        for size in self.shape:
            count *= size
        return count


@dataclass(frozen=True, slots=True)
class OperatorCode:
    """An operator that the model uses: a builtin by number or a custom one by name.

    Files carry the number twice: in a byte, and in a wider field that came later. The larger of the
    two counts, as in TFLite's `GetBuiltinCode`.
    """

    builtin_code: int = 0
    deprecated_builtin_code: int = 0
    custom_code: str = ""
    version: int = 1

    @property
    def number(self) -> int:
        """The builtin operator's number."""
        return max(self.builtin_code, self.deprecated_builtin_code)

    @property
    def builtin(self) -> BuiltinOperator | None:
        """The builtin operator; None for a number that the schema of this version does not name."""
        try:
            return BuiltinOperator(self.number)
        except ValueError:
            return None

    @property
    def name(self) -> str:
        """The operator's name: TFLite's builtin name, or the custom code as the file has it."""
        builtin = self.builtin
        if builtin is None:
            return f"BUILTIN_{self.number}"
        return self.custom_code if builtin is BuiltinOperator.CUSTOM else builtin.name


@dataclass(frozen=True, slots=True)
class Operator:
    """One node of a subgraph. Tensor index -1 stands for an optional input that is absent.

    `options` are the builtin options. `custom_options` are bytes that only the operator
    understands, wherever the file keeps them (`custom_options_outside`: behind the FlatBuffer).
    """

    opcode_index: int = 0
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    options: Options | None = None
    custom_options: bytes = b""
    custom_options_outside: bool = False
    mutating_variable_inputs: tuple[bool, ...] = ()
    intermediates: tuple[int, ...] = ()
    debug_metadata_index: int = -1


@dataclass(frozen=True, slots=True)
class SubGraph:
    """Tensors and the operators on them, in the order in which they run."""

    name: str = ""
    tensors: tuple[TensorInfo, ...] = ()
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()
    operators: tuple[Operator, ...] = ()
    debug_metadata_index: int = -1


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bytes of a constant or of metadata: a view of the file, not a copy.

    `is_outside` says that the file keeps them behind the FlatBuffer (offset and size fields).
    """

    data: bytes | memoryview = b""
    is_outside: bool = False

    def __eq__(self, other: object) -> bool:
        """Buffers are equal when they hold the same bytes in the same place."""
        if not isinstance(other, Buffer):
            return NotImplemented
        return self.is_outside == other.is_outside and bytes(self.data) == bytes(other.data)

    def __hash__(self) -> int:
        """Agree with equality."""
        return hash((bytes(self.data), self.is_outside))


@dataclass(frozen=True, slots=True)
class Metadata:
    """A named buffer beside the graph."""

    name: str = ""
    buffer: int = 0


@dataclass(frozen=True, slots=True)
class TensorMap:
    """A signature's name for a tensor."""

    name: str = ""
    tensor: int = 0


@dataclass(frozen=True, slots=True)
class Signature:
    """A named entry point: which subgraph, and its tensors by name."""

    key: str = ""
    subgraph: int = 0
    inputs: tuple[TensorMap, ...] = ()
    outputs: tuple[TensorMap, ...] = ()


@dataclass(frozen=True, slots=True)
class ExternalBuffer:
    """A slice of another file that holds constant data."""

    id: int = 0
    group: int = 0
    offset: int = 0
    length: int = 0
    packing: str = ""


@dataclass(frozen=True, slots=True)
class Model:
    """A whole `.tflite` file. `source` is the name that messages give to it."""

    version: int = 3
    description: str = ""
    operator_codes: tuple[OperatorCode, ...] = ()
    subgraphs: tuple[SubGraph, ...] = ()
    buffers: tuple[Buffer, ...] = ()
    metadata: tuple[Metadata, ...] = ()
    metadata_buffers: tuple[int, ...] = ()
    signatures: tuple[Signature, ...] = ()
    external_buffer_groups: tuple[str, ...] = ()
    external_buffers: tuple[ExternalBuffer, ...] = ()
    source: str = field(default="<model>", compare=False)

    def code(self, operator: Operator) -> OperatorCode:
        """The operator code that `operator` refers to."""
        return self.operator_codes[operator.opcode_index]
