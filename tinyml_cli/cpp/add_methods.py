"""How the methods of TFLM's MicroMutableOpResolver are called, and what they may be given.

Source: tflite-micro `micro/micro_mutable_op_resolver.h`, `micro/kernels/cmsis_nn/*.cc`
"""

from __future__ import annotations

from typing import NamedTuple

from tinyml_runtime.kernels import REFERENCE
from tinyml_runtime.types import BuiltinOperator

_SIGNAL = "Signal"
# Where the name is not made of the operator's words.
_IRREGULAR = {
    "AVERAGE_POOL_2D": "AddAveragePool2D",
    "BATCH_MATMUL": "AddBatchMatMul",
    "CONV_2D": "AddConv2D",
    "CUMSUM": "AddCumSum",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "L2_POOL_2D": "AddL2Pool2D",
    "MAX_POOL_2D": "AddMaxPool2D",
    "PADV2": "AddPadV2",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "AddUnidirectionalSequenceLSTM",
    "TFLM_DECODE": "AddDecode",
    "TFLite_Detection_PostProcess": "AddDetectionPostprocess",
    "ethos-u": "AddEthosU",
}


class Int8Kernel(NamedTuple):
    """A kernel for int8 only, smaller than the one for all types.

    `operands` must be int8, as in `i0 i1 o0`; `header` declares it, unless the resolver's does.
    """

    operands: str
    header: str = ""


# By kernel library. They ask the same of the arena as the kernels for all types.
INT8_KERNELS = {
    "cmsis-nn": {
        "ADD": Int8Kernel("i0 i1 o0"),
        "AVERAGE_POOL_2D": Int8Kernel("i0 o0"),
        "BATCH_MATMUL": Int8Kernel("i0 i1 o0"),
        "CONV_2D": Int8Kernel("i0 i1 o0"),
        "DEPTHWISE_CONV_2D": Int8Kernel("i0 i1 o0"),
        "FULLY_CONNECTED": Int8Kernel("i0 i1 o0"),
        "MAX_POOL_2D": Int8Kernel("i0 o0"),
        "MAXIMUM": Int8Kernel("i0 i1 o0"),
        "MINIMUM": Int8Kernel("i0 i1 o0"),
        "MUL": Int8Kernel("i0 i1 o0"),
        "PAD": Int8Kernel("i0 o0", "tensorflow/lite/micro/kernels/pad.h"),
        "SOFTMAX": Int8Kernel("i0 o0"),
        "SVDF": Int8Kernel("i0 i1 o0"),
        "TRANSPOSE": Int8Kernel("i0 o0", "tensorflow/lite/micro/kernels/transpose.h"),
        "TRANSPOSE_CONV": Int8Kernel("i1 i2 o0"),
    }
}


def add_method(operator: str) -> str | None:
    """The method that adds an operator, a builtin name or a custom code; None without one."""
    if REFERENCE.find(operator) is None:
        return None
    if operator in _IRREGULAR:
        return _IRREGULAR[operator]
    if operator.startswith(_SIGNAL):
        return f"Add{operator.removeprefix(_SIGNAL)}"
    return "Add" + "".join(word.capitalize() for word in operator.split("_"))


def is_builtin(operator: str) -> bool:
    """Whether it is an operator of TFLite's own."""
    return operator in BuiltinOperator.__members__
