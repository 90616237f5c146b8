"""THE TABLE of the reference library: what each operator's kernel asks of the arena.

Most kernels allocate one structure in Init and look at some tensors in Prepare: those stand here.
The others are named, as "module:NAME", and imported when a model needs them.

Source: tflite-micro `micro/kernels/*.cc`, the Init and Prepare of each
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaUse

_ABS_OR_RSQRT = ArenaUse("OpDataAbsRsqrt", "i0 o0")
_COMPARISON = ArenaUse("comparisons.OpData", "i0 i1")
_NOTHING = ArenaUse()
_ONE_TO_ONE = ArenaUse(temporaries="i0 o0")
_PADDING = ArenaUse("pad.OpData", "i0 i1 i2 o0")
_POOLING = ArenaUse("OpDataPooling", "i0 o0")
_TWO_TO_ONE = ArenaUse(temporaries="i0 i1 o0")

_SIMPLE = {
    "ABS": _ABS_OR_RSQRT,
    "ADD": ArenaUse("OpDataAdd", "i0 i1 o0"),
    "ARG_MAX": _NOTHING,
    "ARG_MIN": _NOTHING,
    "AVERAGE_POOL_2D": _POOLING,
    "BATCH_TO_SPACE_ND": _ONE_TO_ONE,
    "BROADCAST_ARGS": _TWO_TO_ONE,
    "BROADCAST_TO": _TWO_TO_ONE,
    "CALL_ONCE": ArenaUse("call_once.OpData"),
    "CAST": _ONE_TO_ONE,
    "CEIL": _ONE_TO_ONE,
    "COS": _ONE_TO_ONE,
    "DEQUANTIZE": ArenaUse("DequantizeOpData", "i0 o0"),
    "DIV": ArenaUse("OpDataDiv", "i0 i1 o0"),
    "DYNAMIC_UPDATE_SLICE": ArenaUse(temporaries="i0 i1 i2 o0"),
    "ELU": ArenaUse("elu.OpData", "i0 o0"),
    "EQUAL": _COMPARISON,
    "EXP": _ONE_TO_ONE,
    "EXPAND_DIMS": _TWO_TO_ONE,
    "FILL": _TWO_TO_ONE,
    "FLOOR": _NOTHING,
    "FLOOR_DIV": _TWO_TO_ONE,
    "FLOOR_MOD": _TWO_TO_ONE,
    "GREATER": _COMPARISON,
    "GREATER_EQUAL": _COMPARISON,
    "HARD_SWISH": ArenaUse("HardSwishParams", "i0 o0"),
    "IF": ArenaUse("if.OpData", "i0"),
    "L2_NORMALIZATION": ArenaUse("L2NormalizationParams", "i0 o0"),
    "LEAKY_RELU": ArenaUse("LeakyReluOpData", "i0 o0"),
    "LESS": _COMPARISON,
    "LESS_EQUAL": _COMPARISON,
    "LOG": _ONE_TO_ONE,
    "LOGICAL_AND": _NOTHING,
    "LOGICAL_NOT": _ONE_TO_ONE,
    "LOGICAL_OR": _NOTHING,
    "LOGISTIC": ArenaUse("OpDataLogistic", "i0 o0"),
    "MAX_POOL_2D": _POOLING,
    "MAXIMUM": _NOTHING,
    "MINIMUM": _NOTHING,
    "MUL": ArenaUse("OpDataMul", "i0 i1 o0"),
    "NEG": _NOTHING,
    "NOT_EQUAL": _COMPARISON,
    "PACK": _NOTHING,
    "PAD": _PADDING,
    "PADV2": _PADDING,
    "PRELU": ArenaUse("PreluParams", "i0 i1 o0"),
    "QUANTIZE": ArenaUse("OpDataQuantizeReference", "i0 o0"),
    "READ_VARIABLE": ArenaUse(temporaries="i0"),
    "RELU": ArenaUse("ReluOpData", "i0 o0"),
    "RELU6": ArenaUse("Relu6OpData", "i0"),
    "RESIZE_BILINEAR": _TWO_TO_ONE,
    "RESIZE_NEAREST_NEIGHBOR": _TWO_TO_ONE,
    "REVERSE_V2": _TWO_TO_ONE,
    "ROUND": _ONE_TO_ONE,
    "RSQRT": _ABS_OR_RSQRT,
    "SELECT_V2": ArenaUse("select.OpData", "i0 i1 i2 o0"),
    "SHAPE": _NOTHING,
    "SIN": _ONE_TO_ONE,
    "SLICE": ArenaUse(temporaries="i0 i1 i2 o0"),
    "SPACE_TO_BATCH_ND": ArenaUse("SpaceToBatchParams", "i0 o0"),
    "SPLIT": ArenaUse(temporaries="i0"),
    "SPLIT_V": ArenaUse(temporaries="i2"),
    "SQRT": _ONE_TO_ONE,
    "SQUARE": _ONE_TO_ONE,
    "SQUARED_DIFFERENCE": ArenaUse("squared_difference.OpData", "i0 i1 o0"),
    "SQUEEZE": _ONE_TO_ONE,
    "STRIDED_SLICE": ArenaUse("StridedSliceParams", "i0 i1 i2 i3 o0"),
    "SUB": ArenaUse("OpDataSub", "i0 i1 o0"),
    "TANH": ArenaUse("tanh.OpData", "i0 i0 o0"),
    "TRANSPOSE": _TWO_TO_ONE,
    "UNPACK": _NOTHING,
    "WHILE": ArenaUse("while.OpData"),
    "ZEROS_LIKE": _ONE_TO_ONE,
}

_FAMILIES = {
    "batch_matmul": ("BATCH_MATMUL",),
    "concatenation": ("CONCATENATION",),
    "conv": ("CONV_2D", "DEPTHWISE_CONV_2D"),
    "fully_connected": ("FULLY_CONNECTED",),
    "integer_data": ("ADD_N", "CUMSUM", "LOG_SOFTMAX"),
    "mirror_pad": ("MIRROR_PAD",),
    "recurrent": ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
    "reductions": ("MEAN", "REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM"),
    "shapes": (
        "DEPTH_TO_SPACE",
        "EMBEDDING_LOOKUP",
        "GATHER",
        "GATHER_ND",
        "L2_POOL_2D",
        "RESHAPE",
        "SPACE_TO_DEPTH",
    ),
    "softmax": ("SOFTMAX",),
    "transpose_conv": ("TRANSPOSE_CONV",),
    "variables": ("ASSIGN_VARIABLE", "VAR_HANDLE"),
}

# Codes of custom operators.
_CUSTOM: dict[str, ArenaUse | str] = {
    "CIRCULAR_BUFFER": ArenaUse("OpDataCircularBuffer", "i0 o0"),
    "TFLM_DECODE": f"{__name__}.decode:DECODE",
    "TFLite_Detection_PostProcess": f"{__name__}.detection_postprocess:DETECTION_POSTPROCESS",
    "ethos-u": f"{__name__}.ethos_u:ETHOS_U",
    "SignalDelay": f"{__name__}.signal:SIGNAL_DELAY",
    "SignalEnergy": ArenaUse("TFLMSignalEnergyParams", "i0 o0"),
    "SignalFftAutoScale": ArenaUse(temporaries="i0 o0 o1"),
    "SignalFilterBank": f"{__name__}.signal:SIGNAL_FILTER_BANK",
    "SignalFilterBankLog": ArenaUse("TFLMSignalLogParams", "i0 o0"),
    "SignalFilterBankSpectralSubtraction": (
        f"{__name__}.signal:SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION"
    ),
    "SignalFilterBankSquareRoot": ArenaUse(temporaries="i0 i1 o0"),
    "SignalFramer": f"{__name__}.signal:SIGNAL_FRAMER",
    "SignalIrfft": f"{__name__}.signal:SIGNAL_IRFFT",
    "SignalOverlapAdd": f"{__name__}.signal:SIGNAL_OVERLAP_ADD",
    "SignalPCAN": ArenaUse("TfLitePcanParams", "i0 i1 i2 o0"),
    "SignalRfft": f"{__name__}.signal:SIGNAL_RFFT",
    "SignalStacker": f"{__name__}.signal:SIGNAL_STACKER",
    "SignalWindow": ArenaUse("TFLMSignalWindowParams", "i0 i1 o0"),
}

REFERENCE_USES: dict[str, ArenaUse | str] = {
    **_SIMPLE,
    **{
        name: f"{__name__}.{family}:{name}" for family, names in _FAMILIES.items() for name in names
    },
    **_CUSTOM,
}
