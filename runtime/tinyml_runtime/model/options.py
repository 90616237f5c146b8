"""Builtin options of operators as frozen dataclasses: here those with fields that kernels read.

Fields and defaults are those of the schema, one class per table. Creating a dataclass takes time at
start-up: empty options are in `options_empty`, those of operators without a kernel in
`options_other` and `options_stablehlo`, and these are imported only when a file needs them.

Source    the TFLite FlatBuffers schema
"""

from __future__ import annotations

from typing import ClassVar

from tinyml_runtime.model.options_table import Options, options_table
from tinyml_runtime.types import Activation, MirrorPadMode, Padding, TensorType, WeightsFormat


@options_table
class Conv2DOptions(Options):
    """CONV_2D."""

    WIRE: ClassVar[str] = "b i i b i i b"
    padding: Padding = Padding.SAME
    stride_w: int = 0
    stride_h: int = 0
    fused_activation: Activation = Activation.NONE
    dilation_w_factor: int = 1
    dilation_h_factor: int = 1
    quantized_bias_type: TensorType = TensorType.FLOAT32


@options_table
class DepthwiseConv2DOptions(Options):
    """DEPTHWISE_CONV_2D; kernels take the depth multiplier from the shapes."""

    WIRE: ClassVar[str] = "b i i i b i i"
    padding: Padding = Padding.SAME
    stride_w: int = 0
    stride_h: int = 0
    depth_multiplier: int = 0
    fused_activation: Activation = Activation.NONE
    dilation_w_factor: int = 1
    dilation_h_factor: int = 1


@options_table
class Pool2DOptions(Options):
    """AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D."""

    WIRE: ClassVar[str] = "b i i i i b"
    padding: Padding = Padding.SAME
    stride_w: int = 0
    stride_h: int = 0
    filter_width: int = 0
    filter_height: int = 0
    fused_activation: Activation = Activation.NONE


@options_table
class SVDFOptions(Options):
    """SVDF."""

    WIRE: ClassVar[str] = "i b ?"
    rank: int = 0
    fused_activation: Activation = Activation.NONE
    asymmetric_quantize_inputs: bool = False


@options_table
class FullyConnectedOptions(Options):
    """FULLY_CONNECTED."""

    WIRE: ClassVar[str] = "b b ? ? b"
    fused_activation: Activation = Activation.NONE
    weights_format: WeightsFormat = WeightsFormat.DEFAULT
    keep_num_dims: bool = False
    asymmetric_quantize_inputs: bool = False
    quantized_bias_type: TensorType = TensorType.FLOAT32


@options_table
class SoftmaxOptions(Options):
    """SOFTMAX."""

    WIRE: ClassVar[str] = "f"
    beta: float = 0.0


@options_table
class ConcatenationOptions(Options):
    """CONCATENATION."""

    WIRE: ClassVar[str] = "i b"
    axis: int = 0
    fused_activation: Activation = Activation.NONE


@options_table
class AddOptions(Options):
    """ADD."""

    WIRE: ClassVar[str] = "b ?"
    fused_activation: Activation = Activation.NONE
    pot_scale_int16: bool = True


@options_table
class L2NormOptions(Options):
    """L2_NORMALIZATION."""

    WIRE: ClassVar[str] = "b"
    fused_activation: Activation = Activation.NONE


@options_table
class ResizeBilinearOptions(Options):
    """RESIZE_BILINEAR."""

    WIRE: ClassVar[str] = "- - ? ?"
    align_corners: bool = False
    half_pixel_centers: bool = False


@options_table
class ReshapeOptions(Options):
    """RESHAPE; the second input, where there is one, counts instead."""

    WIRE: ClassVar[str] = "[i]"
    new_shape: tuple[int, ...] = ()


@options_table
class SpaceToDepthOptions(Options):
    """SPACE_TO_DEPTH."""

    WIRE: ClassVar[str] = "i"
    block_size: int = 0


@options_table
class MulOptions(Options):
    """MUL."""

    WIRE: ClassVar[str] = "b"
    fused_activation: Activation = Activation.NONE


@options_table
class GatherOptions(Options):
    """GATHER."""

    WIRE: ClassVar[str] = "i i"
    axis: int = 0
    batch_dims: int = 0


@options_table
class ReducerOptions(Options):
    """MEAN, SUM and the REDUCE family."""

    WIRE: ClassVar[str] = "?"
    keep_dims: bool = False


@options_table
class SubOptions(Options):
    """SUB."""

    WIRE: ClassVar[str] = "b ?"
    fused_activation: Activation = Activation.NONE
    pot_scale_int16: bool = True


@options_table
class DivOptions(Options):
    """DIV."""

    WIRE: ClassVar[str] = "b"
    fused_activation: Activation = Activation.NONE


@options_table
class SqueezeOptions(Options):
    """SQUEEZE."""

    WIRE: ClassVar[str] = "[i]"
    squeeze_dims: tuple[int, ...] = ()


@options_table
class StridedSliceOptions(Options):
    """STRIDED_SLICE; bit i of a mask stands for dimension i."""

    WIRE: ClassVar[str] = "i i i i i ?"
    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0
    offset: bool = False


@options_table
class SplitOptions(Options):
    """SPLIT."""

    WIRE: ClassVar[str] = "i"
    num_splits: int = 0


@options_table
class CastOptions(Options):
    """CAST; kernels take the types from the tensors."""

    WIRE: ClassVar[str] = "b b"
    in_data_type: TensorType = TensorType.FLOAT32
    out_data_type: TensorType = TensorType.FLOAT32


@options_table
class ArgMaxOptions(Options):
    """ARG_MAX."""

    WIRE: ClassVar[str] = "b"
    output_type: TensorType = TensorType.FLOAT32


@options_table
class TransposeConvOptions(Options):
    """TRANSPOSE_CONV."""

    WIRE: ClassVar[str] = "b i i b b"
    padding: Padding = Padding.SAME
    stride_w: int = 0
    stride_h: int = 0
    fused_activation: Activation = Activation.NONE
    quantized_bias_type: TensorType = TensorType.FLOAT32


@options_table
class ShapeOptions(Options):
    """SHAPE."""

    WIRE: ClassVar[str] = "b"
    out_type: TensorType = TensorType.FLOAT32


@options_table
class ArgMinOptions(Options):
    """ARG_MIN."""

    WIRE: ClassVar[str] = "b"
    output_type: TensorType = TensorType.FLOAT32


@options_table
class PackOptions(Options):
    """PACK."""

    WIRE: ClassVar[str] = "i i"
    values_count: int = 0
    axis: int = 0


@options_table
class UnpackOptions(Options):
    """UNPACK."""

    WIRE: ClassVar[str] = "i i"
    num: int = 0
    axis: int = 0


@options_table
class UnidirectionalSequenceLSTMOptions(Options):
    """UNIDIRECTIONAL_SEQUENCE_LSTM; a clip of 0 means none."""

    WIRE: ClassVar[str] = "b f f ? ? ?"
    fused_activation: Activation = Activation.NONE
    cell_clip: float = 0.0
    proj_clip: float = 0.0
    time_major: bool = False
    asymmetric_quantize_inputs: bool = False
    diagonal_recurrent_tensors: bool = False


@options_table
class ResizeNearestNeighborOptions(Options):
    """RESIZE_NEAREST_NEIGHBOR."""

    WIRE: ClassVar[str] = "? ?"
    align_corners: bool = False
    half_pixel_centers: bool = False


@options_table
class LeakyReluOptions(Options):
    """LEAKY_RELU."""

    WIRE: ClassVar[str] = "f"
    alpha: float = 0.0


@options_table
class MirrorPadOptions(Options):
    """MIRROR_PAD."""

    WIRE: ClassVar[str] = "b"
    mode: MirrorPadMode = MirrorPadMode.REFLECT


@options_table
class SplitVOptions(Options):
    """SPLIT_V."""

    WIRE: ClassVar[str] = "i"
    num_splits: int = 0


@options_table
class IfOptions(Options):
    """IF."""

    WIRE: ClassVar[str] = "i i"
    then_subgraph_index: int = 0
    else_subgraph_index: int = 0


@options_table
class WhileOptions(Options):
    """WHILE."""

    WIRE: ClassVar[str] = "i i"
    cond_subgraph_index: int = 0
    body_subgraph_index: int = 0


@options_table
class DepthToSpaceOptions(Options):
    """DEPTH_TO_SPACE."""

    WIRE: ClassVar[str] = "i"
    block_size: int = 0


@options_table
class BatchMatMulOptions(Options):
    """BATCH_MATMUL."""

    WIRE: ClassVar[str] = "? ? ?"
    adj_x: bool = False
    adj_y: bool = False
    asymmetric_quantize_inputs: bool = False


@options_table
class CumsumOptions(Options):
    """CUMSUM."""

    WIRE: ClassVar[str] = "? ?"
    exclusive: bool = False
    reverse: bool = False


@options_table
class CallOnceOptions(Options):
    """CALL_ONCE."""

    WIRE: ClassVar[str] = "i"
    init_subgraph_index: int = 0


@options_table
class VarHandleOptions(Options):
    """VAR_HANDLE; the two names identify the variable."""

    WIRE: ClassVar[str] = "s s"
    container: str = ""
    shared_name: str = ""
