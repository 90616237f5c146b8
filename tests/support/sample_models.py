"""Models built in memory: a small one that runs, and one that fills every field of the format."""

from __future__ import annotations

import struct

from tinyml_runtime.model.options import (
    AddOptions,
    CallOnceOptions,
    Conv2DOptions,
    FullyConnectedOptions,
    IfOptions,
    ReshapeOptions,
    VarHandleOptions,
)
from tinyml_runtime.model.options_stablehlo import StablehloPadOptions
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
from tinyml_runtime.types import Activation, BuiltinOperator, Padding, TensorType


def tiny_model() -> Model:
    """FULLY_CONNECTED int8, [1, 4] x [2, 4] + [2] -> [1, 2]."""

    def quantized(*scales: float) -> Quantization:
        return Quantization(scales=scales, zero_points=(0,) * len(scales))

    int8 = TensorType.INT8
    tensors = (
        TensorInfo("input", int8, (1, 4), quantization=quantized(0.5)),
        TensorInfo("weights", int8, (2, 4), buffer=1, quantization=quantized(0.25, 0.125)),
        TensorInfo("bias", TensorType.INT32, (2,), buffer=2, quantization=quantized(0.125, 0.0625)),
        TensorInfo("output", int8, (1, 2), quantization=quantized(1.0)),
    )
    options = FullyConnectedOptions(fused_activation=Activation.RELU)
    return Model(
        description="tiny",
        operator_codes=(_code(BuiltinOperator.FULLY_CONNECTED, version=4),),
        subgraphs=(
            SubGraph("main", tensors, (0,), (3,), (Operator(0, (0, 1, 2), (3,), options),)),
        ),
        buffers=(
            Buffer(),
            Buffer(struct.pack("8b", 1, 2, 3, 4, -1, -2, -3, -4)),
            Buffer(struct.pack("<2i", 10, -10)),
        ),
    )


def model_with_every_part() -> Model:
    """Every table and field of the format has a value somewhere in this model."""
    return Model(
        description="everything: \u00e9, \u4e2d, \U0001f600",
        operator_codes=(
            _code(BuiltinOperator.CONV_2D, version=3),
            _code(BuiltinOperator.VAR_HANDLE),
            OperatorCode(32, 32, custom_code="of-my-own", version=2),
            _code(BuiltinOperator.STABLEHLO_PAD),
            _code(BuiltinOperator.IF),
        ),
        subgraphs=(_main(), _called("then"), _called("else")),
        buffers=(
            Buffer(),
            Buffer(bytes(range(36))),
            Buffer(b"outside!" * 5, is_outside=True),
            Buffer(b"1.14.0"),
            Buffer(b"", is_outside=True),
        ),
        metadata=(Metadata("min_runtime_version", 3),),
        metadata_buffers=(3,),
        signatures=(
            Signature("serving", 0, (TensorMap("x", 0),), (TensorMap("y", 3),)),
            Signature("other", 1, (TensorMap("t", 0),), ()),
        ),
        external_buffer_groups=("first.bin", "second.bin"),
        external_buffers=(ExternalBuffer(7, 1, 2**40, 2**33, "raw"),),
    )


def _main() -> SubGraph:
    tensors = (
        TensorInfo("x", TensorType.FLOAT32, (1, 4, 4, 1), (-1, 4, 4, 1), has_rank=True),
        TensorInfo("filter", TensorType.INT8, (4, 3, 3, 1), buffer=1, quantization=_per_channel()),
        TensorInfo("bias", TensorType.FLOAT32, (10,), buffer=2, quantization=_along_rows()),
        TensorInfo("y", TensorType.INT4, (3,), quantization=Quantization(details=_blocks())),
        TensorInfo("state", TensorType.INT16, (2,), is_variable=True, sparsity=_sparsity()),
        TensorInfo("nested", TensorType.VARIANT, variant_tensors=(_variant(),)),
        TensorInfo("far", quantization=Quantization(details=_axes()), external_buffer=7),
        TensorInfo("own", quantization=Quantization(details=CustomQuantization(b"mine"))),
        TensorInfo(),
    )
    convolve = Conv2DOptions(Padding.VALID, 2, 3, Activation.RELU6, 4, 5, TensorType.INT64)
    operators = (
        Operator(0, (0, 1, 2), (3,), convolve, intermediates=(4,)),
        Operator(1, (), (5,), VarHandleOptions("container", "name")),
        Operator(
            2, (0, -1), (3,), custom_options=b"\x01\x02", mutating_variable_inputs=(False, True)
        ),
        Operator(2, (0,), (3,), custom_options=b"far away", custom_options_outside=True),
        Operator(3, (0,), (3,), StablehloPadOptions((1, 2), (-3, 2**40), (0,))),
        Operator(4, (0,), (3,), IfOptions(1, 2), debug_metadata_index=5),
        Operator(0, (), (), AddOptions(pot_scale_int16=False)),
        Operator(0, (), (), ReshapeOptions((1, -1))),
        Operator(0, (), (), CallOnceOptions(2)),
    )
    return SubGraph("main", tensors, (0,), (3,), operators, debug_metadata_index=4)


def _called(name: str) -> SubGraph:
    return SubGraph(name, (TensorInfo("t", shape=(1,)),), (0,), (0,))


def _code(builtin: BuiltinOperator, version: int = 1) -> OperatorCode:
    return OperatorCode(int(builtin), min(int(builtin), 127), version=version)


def _per_channel() -> Quantization:
    return Quantization((0.5, 0.25, 2.0, 1.0), (0, 0, 1, -1), 0, (-1.0,), (1.0,))


def _along_rows() -> Quantization:
    """As converters leave it on a bias: the dimension is that of the weights."""
    return Quantization((0.5,) * 10, (0,) * 10, dimension=3)


def _blocks() -> BlockwiseQuantization:
    return BlockwiseQuantization(scales=2, zero_points=-1, block_size=32)


def _axes() -> MultiAxisQuantization:
    return MultiAxisQuantization(2, 1, 16, (0, 1))


def _variant() -> VariantSubType:
    return VariantSubType((2, 3), TensorType.INT32, has_rank=True)


def _sparsity() -> Sparsity:
    dimensions = (
        DimensionMetadata(dense_size=2),
        DimensionMetadata(True, 0, IndexVector((0, 1), 8), IndexVector((300,), 16)),
        DimensionMetadata(True, 0, IndexVector((0, 70000), 32), IndexVector((), 32)),
    )
    return Sparsity((0, 1, 2), (0,), dimensions)
