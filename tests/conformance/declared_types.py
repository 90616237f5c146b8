"""Which element types TFLM's reference kernels take, operator by operator: the declared table.

A row is `inputs -> outputs for types`: operands by commas, in the node's order, each the word for
its role (none: the values that the operator works on) and its types. `T` stands for one and the
same of the types behind `for`; `|` is between types that each may be; `?` marks an operand that may
be absent, `..` one or more of the same type.

The suite runs at least one case of every pair of an operator and types that a row means, and
docs/reference/operators.md is made from here.

Source    tflite-micro's kernels; where its `tflite-micro` wheel takes more or less, the wheel
"""

from __future__ import annotations

from collections.abc import Mapping

_FLOATS = "float32"
_QUANTIZED = "float32 int8 int16"
_COMMON = "float32 int8 int16 int32"
_WIDE = f"{_COMMON} int64"
_ANY = f"{_WIDE} uint8 uint16 uint32 uint64 float16 float64 bool"
_UNARY = "T -> T for"
_BINARY = "T, T -> T for"
_COMPARISON = "T, T -> bool for"
_POOL = (f"{_UNARY} {_QUANTIZED}",)
_RELU = (f"{_UNARY} {_QUANTIZED}",)
_FLOAT_UNARY = (f"{_UNARY} {_FLOATS}",)
_ARITHMETIC = (f"{_BINARY} {_COMMON}",)
_ORDERED = (f"{_COMPARISON} float32 int8 int32 int64",)
_EQUALITY = (f"{_COMPARISON} float32 int8 int32 int64 bool",)
_REDUCED = "T, axes int32 -> T for"
_BLOCKS = ("T, block int32, margins int32 -> T for float32 int8",)
_RESIZED = "T, size int32 -> T for"
_LOGICAL = ("bool, bool -> bool",)
_PADDED = f"T, paddings int32, value T? -> T for {_COMMON}"
_FFT = (f"{_UNARY} float32 int16 int32",)

DECLARED: Mapping[str, tuple[str, ...]] = {
    "ABS": _RELU,
    "ADD": _ARITHMETIC,
    "ADD_N": ("T.. -> T for float32 int8",),
    "ARG_MAX": ("T, axis int32 -> int32 for float32 int8",),
    "ARG_MIN": ("T, axis int32 -> int32 for float32 int8",),
    "ASSIGN_VARIABLE": (f"variable resource, T -> for {_WIDE} bool",),
    "AVERAGE_POOL_2D": _POOL,
    "BATCH_MATMUL": (f"{_BINARY} {_QUANTIZED}",),
    "BATCH_TO_SPACE_ND": _BLOCKS,
    "BROADCAST_ARGS": ("T, T -> T for int32 int64",),
    "BROADCAST_TO": (f"T, shape int32|int64 -> T for {_ANY}",),
    "CALL_ONCE": ("->",),
    "CAST": ("bool|int8|int16|int32|uint32|float32 -> bool|int8|int16|int32|uint32|float32",),
    "CEIL": _FLOAT_UNARY,
    "CIRCULAR_BUFFER": ("int8 -> int8",),
    "CONCATENATION": (f"T.. -> T for {_WIDE} bool",),
    "CONV_2D": (
        "float32, weights float32, bias float32? -> float32",
        "int8, weights int8|int4, bias int32? -> int8",
        "int16, weights int8, bias int32|int64? -> int16",
    ),
    "COS": _FLOAT_UNARY,
    "CUMSUM": ("T, axis int32 -> T for float32 int8",),
    "DEPTHWISE_CONV_2D": (
        "float32, weights float32, bias float32? -> float32",
        "int8, weights int8|int4, bias int32? -> int8",
        "int16, weights int8, bias int64? -> int16",
    ),
    "DEPTH_TO_SPACE": (f"{_UNARY} float32 int8",),
    "DEQUANTIZE": ("int8|uint8|int16 -> float32",),
    "DIV": (f"{_BINARY} float32 int8 int32",),
    "DYNAMIC_UPDATE_SLICE": (f"T, T, start int32|int64 -> T for {_COMMON}",),
    "ELU": (f"{_UNARY} float32 int8",),
    "EMBEDDING_LOOKUP": (
        "indices int32, T -> T for float32 int8",
        "indices int32, int8 -> float32",
    ),
    "EQUAL": _EQUALITY,
    "EXP": _FLOAT_UNARY,
    "EXPAND_DIMS": (f"T, axis int32 -> T for {_QUANTIZED}",),
    "FILL": ("shape int8|int16|int32|int64, T -> T for float32 int8 int32",),
    "FLOOR": _FLOAT_UNARY,
    "FLOOR_DIV": (f"{_BINARY} {_FLOATS}",),
    "FLOOR_MOD": (f"{_BINARY} {_FLOATS}",),
    "FULLY_CONNECTED": (
        "float32, weights float32, bias float32? -> float32",
        "int8, weights int8|int4, bias int32? -> int8",
        "int16, weights int8, bias int32|int64? -> int16",
    ),
    "GATHER": ("T, indices int32 -> T for float32 int8",),
    "GATHER_ND": ("T, indices int32 -> T for float32 int8",),
    "GREATER": (f"{_COMPARISON} float32 int8 int16 int32 int64",),
    "GREATER_EQUAL": _ORDERED,
    "HARD_SWISH": (f"{_UNARY} float32 int8",),
    "IF": (f"condition bool, T.. -> T.. for {_WIDE} bool",),
    "L2_NORMALIZATION": (f"{_UNARY} float32 int8",),
    "L2_POOL_2D": _FLOAT_UNARY,
    "LEAKY_RELU": _RELU,
    "LESS": _ORDERED,
    "LESS_EQUAL": _ORDERED,
    "LOG": _FLOAT_UNARY,
    "LOGICAL_AND": _LOGICAL,
    "LOGICAL_NOT": ("bool -> bool",),
    "LOGICAL_OR": _LOGICAL,
    "LOGISTIC": _RELU,
    "LOG_SOFTMAX": (f"{_UNARY} float32 int8",),
    "MAXIMUM": (f"{_BINARY} {_WIDE}",),
    "MAX_POOL_2D": _POOL,
    "MEAN": (f"{_REDUCED} {_QUANTIZED}",),
    "MINIMUM": (f"{_BINARY} {_WIDE}",),
    "MIRROR_PAD": ("T, paddings int32|int64 -> T for float32 int8",),
    "MUL": _ARITHMETIC,
    "NEG": _FLOAT_UNARY,
    "NOT_EQUAL": _EQUALITY,
    "PACK": (f"T.. -> T for {_WIDE}",),
    "PAD": (_PADDED,),
    "PADV2": (_PADDED,),
    "PRELU": ("T, slopes T -> T for float32 int8", "int16, slopes int8 -> int16"),
    "QUANTIZE": (
        "float32 -> int8|int16",
        "int8 -> int8|uint8|int16|int32",
        "uint8 -> int8",
        "int16 -> int8|int16|int32",
        "int32 -> int8|int16",
    ),
    "READ_VARIABLE": (f"variable resource -> T for {_WIDE} bool",),
    "REDUCE_ALL": (f"{_REDUCED} bool",),
    "REDUCE_MAX": (f"{_REDUCED} float32 int8",),
    "REDUCE_MIN": (f"{_REDUCED} float32 int8",),
    "RELU": _RELU,
    "RELU6": _RELU,
    "RESHAPE": (f"T, shape int32? -> T for {_ANY}",),
    "RESIZE_BILINEAR": (f"{_RESIZED} float32 int8",),
    "RESIZE_NEAREST_NEIGHBOR": (f"{_RESIZED} {_QUANTIZED}",),
    "REVERSE_V2": (f"T, axes int32 -> T for {_WIDE} uint8 bool",),
    "ROUND": _FLOAT_UNARY,
    "RSQRT": _RELU,
    "SELECT_V2": (f"condition bool, T, T -> T for {_QUANTIZED}",),
    "SHAPE": (f"T -> int32 for {_ANY}",),
    "SIN": _FLOAT_UNARY,
    "SLICE": tuple(
        f"T, begin {words}, size {words} -> T for {_COMMON} bool" for words in ("int32", "int64")
    ),
    "SOFTMAX": (f"{_UNARY} {_QUANTIZED}", "int8 -> int16"),
    "SPACE_TO_BATCH_ND": _BLOCKS,
    "SPACE_TO_DEPTH": (f"{_UNARY} float32 int8",),
    "SPLIT": (f"axis int32, T -> T.. for {_COMMON}",),
    "SPLIT_V": (f"T, sizes int32, axis int32 -> T.. for {_COMMON}",),
    "SQRT": _FLOAT_UNARY,
    "SQUARE": _FLOAT_UNARY,
    "SQUARED_DIFFERENCE": _ARITHMETIC,
    "SQUEEZE": (f"{_UNARY} {_ANY}",),
    "STRIDED_SLICE": (f"T, begin int32, end int32, strides int32 -> T for {_COMMON} bool",),
    "SUB": _ARITHMETIC,
    "SUM": (f"{_REDUCED} {_QUANTIZED}",),
    "SVDF": (
        "float32, feature_weights float32, time_weights float32, bias float32, state float32"
        " -> float32",
        "int8, feature_weights int8, time_weights int8, bias int32, state int8 -> int8",
        "int8, feature_weights int8, time_weights int16, bias int32, state int16 -> int8",
    ),
    "TANH": _RELU,
    "TRANSPOSE": (f"T, axes int32 -> T for {_QUANTIZED}",),
    "TRANSPOSE_CONV": (
        "shape int32, weights float32, float32, bias float32? -> float32",
        "shape int32, weights int8, int8, bias int32? -> int8",
        "shape int32, weights int8, int16, bias int16|int64? -> int16",
    ),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": (
        "float32, weights float32.., biases float32.., states float32.. -> float32",
        "int8, weights int8.., biases int32.., hidden_state int8, cell_state int16 -> int8",
        "int16, weights int8.., biases int64.., hidden_state int16, cell_state int16 -> int16",
    ),
    "UNPACK": (f"T -> T.. for {_COMMON}",),
    "VAR_HANDLE": ("-> resource",),
    "WHILE": (
        f"int32, T.. -> int32, T.. for {_WIDE} bool",
        "int32, bool, float32 -> int32, bool, float32",
    ),
    "ZEROS_LIKE": (f"{_UNARY} float32 int8 int32 int64",),
    "SignalDelay": ("int16 -> int16",),
    "SignalEnergy": ("int16 -> uint32",),
    "SignalFftAutoScale": ("int16 -> int16, scale_bits int32",),
    "SignalFilterBank": (
        "uint32, weights int16, unweights int16, frequencies int16, first_weights int16,"
        " widths int16 -> uint64",
    ),
    "SignalFilterBankLog": ("uint32 -> int16",),
    "SignalFilterBankSpectralSubtraction": ("uint32 -> uint32, noise uint32",),
    "SignalFilterBankSquareRoot": ("uint64, scale_bits int32 -> uint32",),
    "SignalFramer": ("int16 -> int16, valid bool",),
    "SignalIrfft": _FFT,
    "SignalOverlapAdd": (f"{_UNARY} float32 int16",),
    "SignalPCAN": ("uint32, noise uint32, gains int16 -> uint32",),
    "SignalRfft": _FFT,
    "SignalStacker": ("int16 -> int16, valid bool",),
    "SignalWindow": ("int16, weights int16 -> int16",),
    "TFLM_DECODE": ("encoded uint8, ancillary uint8 -> T for float32 int8 int16 int32 int64 bool",),
    "TFLite_Detection_PostProcess": (
        "boxes float32, scores float32, anchors float32 -> boxes float32, classes float32,"
        " scores float32, count float32",
    ),
}

# Operators that are refused, by TFLM's wheel as here: their work is another processor's.
WITHOUT_KERNEL = frozenset({"ethos-u"})
