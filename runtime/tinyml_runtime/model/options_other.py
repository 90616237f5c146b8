"""Builtin options of operators without a kernel here: they let a model be read and written whole.

Source    the TFLite FlatBuffers schema
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_runtime.model.options_table import Options, options_table
from tinyml_runtime.types import (
    Activation,
    Combiner,
    LshProjectionType,
    LstmKernelType,
    Padding,
    ReduceWindowFunction,
    TensorType,
)


@options_table
class ConcatEmbeddingsOptions(Options):
    """CONCAT_EMBEDDINGS."""

    WIRE: ClassVar[str] = "i [i] [i]"
    num_channels: int = 0
    num_columns_per_channel: tuple[int, ...] = ()
    embedding_dim_per_channel: tuple[int, ...] = ()


@options_table
class LSHProjectionOptions(Options):
    """LSH_PROJECTION."""

    WIRE: ClassVar[str] = "b"
    type: LshProjectionType = LshProjectionType.UNKNOWN


@options_table
class RNNOptions(Options):
    """RNN."""

    WIRE: ClassVar[str] = "b ?"
    fused_activation: Activation = Activation.NONE
    asymmetric_quantize_inputs: bool = False


@options_table
class LocalResponseNormalizationOptions(Options):
    """LOCAL_RESPONSE_NORMALIZATION."""

    WIRE: ClassVar[str] = "i f f f"
    radius: int = 0
    bias: float = 0.0
    alpha: float = 0.0
    beta: float = 0.0


@options_table
class LSTMOptions(Options):
    """LSTM; a clip of 0 means none."""

    WIRE: ClassVar[str] = "b f f b ?"
    fused_activation: Activation = Activation.NONE
    cell_clip: float = 0.0
    proj_clip: float = 0.0
    kernel_type: LstmKernelType = LstmKernelType.FULL
    asymmetric_quantize_inputs: bool = False


@options_table
class CallOptions(Options):
    """CALL."""

    WIRE: ClassVar[str] = "I"
    subgraph: int = 0


@options_table
class SkipGramOptions(Options):
    """SKIP_GRAM."""

    WIRE: ClassVar[str] = "i i ?"
    ngram_size: int = 0
    max_skip_size: int = 0
    include_all_ngrams: bool = False


@options_table
class EmbeddingLookupSparseOptions(Options):
    """EMBEDDING_LOOKUP_SPARSE."""

    WIRE: ClassVar[str] = "b"
    combiner: Combiner = Combiner.SUM


@options_table
class SequenceRNNOptions(Options):
    """UNIDIRECTIONAL_SEQUENCE_RNN."""

    WIRE: ClassVar[str] = "? b ?"
    time_major: bool = False
    fused_activation: Activation = Activation.NONE
    asymmetric_quantize_inputs: bool = False


@options_table
class SparseToDenseOptions(Options):
    """SPARSE_TO_DENSE."""

    WIRE: ClassVar[str] = "?"
    validate_indices: bool = False


@options_table
class FakeQuantOptions(Options):
    """FAKE_QUANT."""

    WIRE: ClassVar[str] = "f f i ?"
    min: float = 0.0
    max: float = 0.0
    num_bits: int = 0
    narrow_range: bool = False


@options_table
class OneHotOptions(Options):
    """ONE_HOT."""

    WIRE: ClassVar[str] = "i"
    axis: int = 0


@options_table
class BidirectionalSequenceLSTMOptions(Options):
    """BIDIRECTIONAL_SEQUENCE_LSTM; a clip of 0 means none."""

    WIRE: ClassVar[str] = "b f f ? ? ?"
    fused_activation: Activation = Activation.NONE
    cell_clip: float = 0.0
    proj_clip: float = 0.0
    merge_outputs: bool = False
    time_major: bool = True
    asymmetric_quantize_inputs: bool = False


@options_table
class BidirectionalSequenceRNNOptions(Options):
    """BIDIRECTIONAL_SEQUENCE_RNN."""

    WIRE: ClassVar[str] = "? b ? ?"
    time_major: bool = False
    fused_activation: Activation = Activation.NONE
    merge_outputs: bool = False
    asymmetric_quantize_inputs: bool = False


@options_table
class UniqueOptions(Options):
    """UNIQUE."""

    WIRE: ClassVar[str] = "b"
    idx_out_type: TensorType = TensorType.INT32


@options_table
class ReverseSequenceOptions(Options):
    """REVERSE_SEQUENCE."""

    WIRE: ClassVar[str] = "i i"
    seq_dim: int = 0
    batch_dim: int = 0


@options_table
class Conv3DOptions(Options):
    """CONV_3D, CONV_3D_TRANSPOSE."""

    WIRE: ClassVar[str] = "b i i i b i i i"
    padding: Padding = Padding.SAME
    stride_d: int = 0
    stride_w: int = 0
    stride_h: int = 0
    fused_activation: Activation = Activation.NONE
    dilation_d_factor: int = 1
    dilation_w_factor: int = 1
    dilation_h_factor: int = 1


@options_table
class HashtableOptions(Options):
    """HASHTABLE; the table's number is one per interpreter."""

    WIRE: ClassVar[str] = "i b b"
    table_id: int = 0
    key_dtype: TensorType = TensorType.FLOAT32
    value_dtype: TensorType = TensorType.FLOAT32


@options_table
class RandomOptions(Options):
    """RANDOM_STANDARD_NORMAL, RANDOM_UNIFORM, MULTINOMIAL."""

    WIRE: ClassVar[str] = "q q"
    seed: int = 0
    seed2: int = 0


@options_table
class BucketizeOptions(Options):
    """BUCKETIZE."""

    WIRE: ClassVar[str] = "[f]"
    boundaries: tuple[float, ...] = ()


@options_table
class GeluOptions(Options):
    """GELU."""

    WIRE: ClassVar[str] = "?"
    approximate: bool = False


@options_table
class ReduceWindowOptions(Options):
    """REDUCE_WINDOW."""

    WIRE: ClassVar[str] = "i"
    reduce_function: ReduceWindowFunction = ReduceWindowFunction.UNSUPPORTED
