"""Builtin options of the StableHLO operators: no kernel here runs any of them.

Source    the TFLite FlatBuffers schema
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_runtime.model.options_table import Options, options_table


@options_table
class StablehloConcatenateOptions(Options):
    """STABLEHLO_CONCATENATE."""

    WIRE: ClassVar[str] = "q"
    dimension: int = 0


@options_table
class StablehloBroadcastInDimOptions(Options):
    """STABLEHLO_BROADCAST_IN_DIM."""

    WIRE: ClassVar[str] = "[q]"
    broadcast_dimensions: tuple[int, ...] = ()


@options_table
class StablehloSliceOptions(Options):
    """STABLEHLO_SLICE."""

    WIRE: ClassVar[str] = "[q] [q] [q]"
    start_indices: tuple[int, ...] = ()
    limit_indices: tuple[int, ...] = ()
    strides: tuple[int, ...] = ()


@options_table
class StablehloConvolutionOptions(Options):
    """STABLEHLO_CONVOLUTION."""

    WIRE: ClassVar[str] = "[q] [q] [q] [q] [?] q q [q] q q [q] q q [q] q q [I]"
    window_strides: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    lhs_dilation: tuple[int, ...] = ()
    rhs_dilation: tuple[int, ...] = ()
    window_reversal: tuple[bool, ...] = ()
    input_batch_dimension: int = 0
    input_feature_dimension: int = 0
    input_spatial_dimensions: tuple[int, ...] = ()
    kernel_input_feature_dimension: int = 0
    kernel_output_feature_dimension: int = 0
    kernel_spatial_dimensions: tuple[int, ...] = ()
    output_batch_dimension: int = 0
    output_feature_dimension: int = 0
    output_spatial_dimensions: tuple[int, ...] = ()
    feature_group_count: int = 0
    batch_group_count: int = 0
    precision_config: tuple[int, ...] = ()


@options_table
class StablehloCustomCallOptions(Options):
    """STABLEHLO_CUSTOM_CALL."""

    WIRE: ClassVar[str] = "s ? s i [i] [B]"
    call_target_name: str = ""
    has_side_effect: bool = False
    backend_config: str = ""
    api_version: int = 0
    called_computations: tuple[int, ...] = ()
    custom_attributes: bytes = b""


@options_table
class StablehloReduceOptions(Options):
    """STABLEHLO_REDUCE."""

    WIRE: ClassVar[str] = "[q] i"
    dimensions: tuple[int, ...] = ()
    body_subgraph_index: int = 0


@options_table
class StablehloScatterOptions(Options):
    """STABLEHLO_SCATTER."""

    WIRE: ClassVar[str] = "? [q] [q] [q] q ? i"
    indices_are_sorted: bool = False
    update_window_dims: tuple[int, ...] = ()
    inserted_window_dims: tuple[int, ...] = ()
    scatter_dims_to_operand_dims: tuple[int, ...] = ()
    index_vector_dim: int = 0
    unique_indices: bool = False
    update_computation_subgraph_index: int = 0


@options_table
class StablehloCompareOptions(Options):
    """STABLEHLO_COMPARE."""

    WIRE: ClassVar[str] = "I I"
    comparison_direction: int = 0
    compare_type: int = 0


@options_table
class StablehloDynamicSliceOptions(Options):
    """STABLEHLO_DYNAMIC_SLICE."""

    WIRE: ClassVar[str] = "[q]"
    slice_sizes: tuple[int, ...] = ()


@options_table
class StablehloPadOptions(Options):
    """STABLEHLO_PAD."""

    WIRE: ClassVar[str] = "[q] [q] [q]"
    edge_padding_low: tuple[int, ...] = ()
    edge_padding_high: tuple[int, ...] = ()
    interior_padding: tuple[int, ...] = ()


@options_table
class StablehloIotaOptions(Options):
    """STABLEHLO_IOTA."""

    WIRE: ClassVar[str] = "q"
    iota_dimension: int = 0


@options_table
class StablehloDotGeneralOptions(Options):
    """STABLEHLO_DOT_GENERAL."""

    WIRE: ClassVar[str] = "[q] [q] [q] [q] [I]"
    lhs_batching_dimensions: tuple[int, ...] = ()
    rhs_batching_dimensions: tuple[int, ...] = ()
    lhs_contracting_dimensions: tuple[int, ...] = ()
    rhs_contracting_dimensions: tuple[int, ...] = ()
    precision_config: tuple[int, ...] = ()


@options_table
class StablehloReduceWindowOptions(Options):
    """STABLEHLO_REDUCE_WINDOW."""

    WIRE: ClassVar[str] = "[q] [q] [q] [q] [q] i"
    window_dimensions: tuple[int, ...] = ()
    window_strides: tuple[int, ...] = ()
    base_dilations: tuple[int, ...] = ()
    window_dilations: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    body_subgraph_index: int = 0


@options_table
class StablehloSortOptions(Options):
    """STABLEHLO_SORT."""

    WIRE: ClassVar[str] = "q ? i"
    dimension: int = 0
    is_stable: bool = False
    comparator_subgraph_index: int = 0


@options_table
class StablehloWhileOptions(Options):
    """STABLEHLO_WHILE."""

    WIRE: ClassVar[str] = "i i"
    cond_subgraph_index: int = 0
    body_subgraph_index: int = 0


@options_table
class StablehloGatherOptions(Options):
    """STABLEHLO_GATHER."""

    WIRE: ClassVar[str] = "[q] [q] [q] q [q] ?"
    offset_dims: tuple[int, ...] = ()
    collapsed_slice_dims: tuple[int, ...] = ()
    start_index_map: tuple[int, ...] = ()
    index_vector_dim: int = 0
    slice_sizes: tuple[int, ...] = ()
    indices_are_sorted: bool = False


@options_table
class StablehloTransposeOptions(Options):
    """STABLEHLO_TRANSPOSE."""

    WIRE: ClassVar[str] = "[q]"
    permutation: tuple[int, ...] = ()


@options_table
class StablehloRngBitGeneratorOptions(Options):
    """STABLEHLO_RNG_BIT_GENERATOR."""

    WIRE: ClassVar[str] = "b"
    algorithm: int = 0


@options_table
class StableHLOCompositeOptions(Options):
    """STABLEHLO_COMPOSITE."""

    WIRE: ClassVar[str] = "s i [B] b i"
    name: str = ""
    decomposition_subgraph_index: int = 0
    composite_attributes: bytes = b""
    composite_attributes_format: int = 0
    version: int = 0


@options_table
class StablehloCaseOptions(Options):
    """STABLEHLO_CASE."""

    WIRE: ClassVar[str] = "[i]"
    branch_subgraph_indices: tuple[int, ...] = ()
