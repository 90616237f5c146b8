"""THE TABLE of the reference library: the loops of each operator's kernel.

Entries are "module:NAME", imported when a model needs them.
"""

from __future__ import annotations

from tinyml_runtime.workload import CountLoops

_FAMILIES = {
    "binary": (
        "ADD",
        "DIV",
        "EQUAL",
        "FLOOR_DIV",
        "FLOOR_MOD",
        "GREATER",
        "GREATER_EQUAL",
        "LESS",
        "LESS_EQUAL",
        "LOGICAL_AND",
        "LOGICAL_OR",
        "MAXIMUM",
        "MINIMUM",
        "MUL",
        "NOT_EQUAL",
        "SQUARED_DIFFERENCE",
        "SUB",
    ),
    "batch_matmul": ("BATCH_MATMUL",),
    "conv": ("CONV_2D",),
    "curves": ("LOGISTIC", "TANH"),
    "depthwise_conv": ("DEPTHWISE_CONV_2D",),
    "fully_connected": ("FULLY_CONNECTED",),
    "joining": ("CONCATENATION",),
    "lstm": ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
    "pad": ("PAD", "PADV2"),
    "pooling": ("AVERAGE_POOL_2D", "L2_POOL_2D", "MAX_POOL_2D"),
    "reduce": ("MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM"),
    "resize": ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"),
    "shapes": ("EXPAND_DIMS", "RESHAPE", "SQUEEZE"),
    "slicing": ("STRIDED_SLICE",),
    "softmax": ("SOFTMAX",),
    "svdf": ("SVDF",),
    "transpose": ("TRANSPOSE",),
    "transpose_conv": ("TRANSPOSE_CONV",),
    "unary": (
        "ABS",
        "CAST",
        "COS",
        "DEQUANTIZE",
        "ELU",
        "EXP",
        "HARD_SWISH",
        "LEAKY_RELU",
        "LOG",
        "NEG",
        "QUANTIZE",
        "RELU",
        "RELU6",
        "RSQRT",
        "SIN",
        "SQRT",
        "SQUARE",
    ),
    "variables": ("ASSIGN_VARIABLE", "READ_VARIABLE", "VAR_HANDLE"),
}

# Codes of custom operators, which need not be names in Python.
_CUSTOM = {
    "SignalEnergy": "signal:ENERGY",
    "SignalFftAutoScale": "signal:FFT_AUTO_SCALE",
    "SignalFilterBank": "signal:FILTER_BANK",
    "SignalFilterBankLog": "signal:FILTER_BANK_LOG",
    "SignalFilterBankSpectralSubtraction": "signal:FILTER_BANK_SPECTRAL_SUBTRACTION",
    "SignalFilterBankSquareRoot": "signal:FILTER_BANK_SQUARE_ROOT",
    "SignalPCAN": "signal:PCAN",
    "SignalRfft": "signal:RFFT",
    "SignalWindow": "signal:WINDOW",
}

# Kernels that nobody has counted: those that only move elements, and those that make fewer elements
# than they take. Of all others the elements that they make are counted.
_MOVING = (
    "BATCH_TO_SPACE_ND",
    "BROADCAST_TO",
    "CIRCULAR_BUFFER",
    "DEPTH_TO_SPACE",
    "DYNAMIC_UPDATE_SLICE",
    "FILL",
    "GATHER",
    "GATHER_ND",
    "PACK",
    "REVERSE_V2",
    "SPACE_TO_BATCH_ND",
    "SPACE_TO_DEPTH",
    "SPLIT",
    "SPLIT_V",
    "UNPACK",
    "ZEROS_LIKE",
)
_TAKING = ("ADD_N", "ARG_MAX", "ARG_MIN", "TFLite_Detection_PostProcess")

REFERENCE_WORKLOADS: dict[str, CountLoops | str] = {
    operator: f"tinyml_runtime.workloads.{kernel}"
    for operator, kernel in (
        *(
            (name, f"reference.{room}:{name}")
            for room, names in _FAMILIES.items()
            for name in names
        ),
        *((code, f"reference.{kernel}") for code, kernel in _CUSTOM.items()),
        *((name, "generic:MOVED") for name in _MOVING),
        *((name, "generic:TAKEN") for name in _TAKING),
    )
}
