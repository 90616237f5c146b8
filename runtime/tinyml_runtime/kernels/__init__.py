"""THE TABLE: which kernel runs which operator, in the reference library.

Kernels are named, not imported, so that a run loads only those that its model needs.
"""

from __future__ import annotations

from tinyml_runtime.arena_uses.cmsis_nn import CMSIS_NN_USES
from tinyml_runtime.arena_uses.esp_nn import ESP_NN_USES
from tinyml_runtime.arena_uses.muriscv_nn import MURISCV_NN_USES
from tinyml_runtime.arena_uses.reference import REFERENCE_USES
from tinyml_runtime.library import KernelLibrary, Switch
from tinyml_runtime.workloads.cmsis_nn import CMSIS_NN_WORKLOADS
from tinyml_runtime.workloads.esp_nn import ESP_NN_WORKLOADS
from tinyml_runtime.workloads.muriscv_nn import MURISCV_NN_WORKLOADS
from tinyml_runtime.workloads.reference import REFERENCE_WORKLOADS

_FAMILIES = {
    "activations": ("LEAKY_RELU", "RELU", "RELU6"),
    "add_n": ("ADD_N",),
    "arg_min_max": ("ARG_MAX", "ARG_MIN"),
    "arithmetic": ("ADD", "MUL", "SUB"),
    "batch_matmul": ("BATCH_MATMUL",),
    "broadcast_to": ("BROADCAST_ARGS", "BROADCAST_TO"),
    "cast": ("CAST",),
    "comparisons": ("EQUAL", "GREATER", "GREATER_EQUAL", "LESS", "LESS_EQUAL", "NOT_EQUAL"),
    "concatenation": ("CONCATENATION", "PACK", "SPLIT", "SPLIT_V", "UNPACK"),
    "control_flow": ("CALL_ONCE", "IF", "WHILE"),
    "conv": ("CONV_2D",),
    "cumsum": ("CUMSUM",),
    "depthwise_conv": ("DEPTHWISE_CONV_2D",),
    "division": ("DIV", "FLOOR_DIV", "FLOOR_MOD"),
    "dynamic_update_slice": ("DYNAMIC_UPDATE_SLICE",),
    "elementwise": (
        "ABS",
        "CEIL",
        "COS",
        "EXP",
        "FLOOR",
        "LOG",
        "NEG",
        "ROUND",
        "RSQRT",
        "SIN",
        "SQRT",
        "SQUARE",
    ),
    "elu": ("ELU",),
    "fill": ("FILL", "ZEROS_LIKE"),
    "fully_connected": ("FULLY_CONNECTED",),
    "gather": ("EMBEDDING_LOOKUP", "GATHER", "GATHER_ND"),
    "hard_swish": ("HARD_SWISH",),
    "l2_normalization": ("L2_NORMALIZATION",),
    "l2_pool": ("L2_POOL_2D",),
    "log_softmax": ("LOG_SOFTMAX",),
    "logical": ("LOGICAL_AND", "LOGICAL_NOT", "LOGICAL_OR"),
    "logistic": ("LOGISTIC", "TANH"),
    "lstm": ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
    "maximum_minimum": ("MAXIMUM", "MINIMUM"),
    "mirror_pad": ("MIRROR_PAD",),
    "pad": ("PAD", "PADV2"),
    "pooling": ("AVERAGE_POOL_2D", "MAX_POOL_2D"),
    "prelu": ("PRELU",),
    "quantize": ("DEQUANTIZE", "QUANTIZE"),
    "reduce": ("MEAN",),
    "reductions": ("REDUCE_ALL", "REDUCE_MAX", "REDUCE_MIN", "SUM"),
    "resize": ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"),
    "reverse": ("REVERSE_V2",),
    "select": ("SELECT_V2",),
    "shape": ("SHAPE",),
    "shapes": ("EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE"),
    "slicing": ("SLICE", "STRIDED_SLICE"),
    "softmax": ("SOFTMAX",),
    "space_to_batch": ("BATCH_TO_SPACE_ND", "SPACE_TO_BATCH_ND"),
    "space_to_depth": ("DEPTH_TO_SPACE", "SPACE_TO_DEPTH"),
    "squared_difference": ("SQUARED_DIFFERENCE",),
    "svdf": ("SVDF",),
    "transpose_conv": ("TRANSPOSE_CONV",),
    "variables": ("ASSIGN_VARIABLE", "READ_VARIABLE", "VAR_HANDLE"),
}

# Codes of custom operators, which need not be names in Python.
_CUSTOM = {
    "CIRCULAR_BUFFER": "circular_buffer:CIRCULAR_BUFFER",
    "TFLM_DECODE": "decode:DECODE",
    "TFLite_Detection_PostProcess": "detection_postprocess:DETECTION_POSTPROCESS",
    "ethos-u": "ethos_u:ETHOS_U",
    "SignalDelay": "signal.framing:SIGNAL_DELAY",
    "SignalEnergy": "signal.around_fft:SIGNAL_ENERGY",
    "SignalFftAutoScale": "signal.around_fft:SIGNAL_FFT_AUTO_SCALE",
    "SignalFilterBank": "signal.filter_bank:SIGNAL_FILTER_BANK",
    "SignalFilterBankLog": "signal.compression:SIGNAL_FILTER_BANK_LOG",
    "SignalFilterBankSpectralSubtraction": "signal.noise:SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION",
    "SignalFilterBankSquareRoot": "signal.compression:SIGNAL_FILTER_BANK_SQUARE_ROOT",
    "SignalFramer": "signal.framing:SIGNAL_FRAMER",
    "SignalIrfft": "signal.rfft:SIGNAL_IRFFT",
    "SignalOverlapAdd": "signal.overlap_add:SIGNAL_OVERLAP_ADD",
    "SignalPCAN": "signal.noise:SIGNAL_PCAN",
    "SignalRfft": "signal.rfft:SIGNAL_RFFT",
    "SignalStacker": "signal.stacker:SIGNAL_STACKER",
    "SignalWindow": "signal.around_fft:SIGNAL_WINDOW",
}

SINGLE_ROUNDING = "single-rounding"
# Not a build switch: a revision of TFLM, of whose kernels every library takes some.
_FLOAT32_SCALES = {
    "float32-scales": Switch(
        "as TFLM at 90b983c2: SUB, RELU, LEAKY_RELU, ABS, RSQRT and DIV divide scales in float32",
        f"{__name__}.float32_scales:build",
    )
}

REFERENCE = KernelLibrary(
    "reference",
    {
        operator: f"{__name__}.{kernel}"
        for operator, kernel in (
            *((name, f"{family}:{name}") for family, names in _FAMILIES.items() for name in names),
            *_CUSTOM.items(),
        )
    },
    REFERENCE_USES,
    REFERENCE_WORKLOADS,
    {
        SINGLE_ROUNDING: Switch(
            "TFLITE_SINGLE_ROUNDING: rescaled integers are rounded once, not twice",
            f"{__name__}.rounding_once:build_reference",
        ),
        **_FLOAT32_SCALES,
    },
)

# They compute as the reference does; CMSIS-NN refuses more models.
_CMSIS_NN = {
    "arithmetic": ("ADD",),
    "batch_matmul": ("BATCH_MATMUL",),
    "conv": ("CONV_2D",),
    "depthwise_conv": ("DEPTHWISE_CONV_2D",),
    "fully_connected": ("FULLY_CONNECTED",),
    "lstm": ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
}

_CMSIS_NN_KERNELS = {
    name: f"{__name__}.cmsis_nn.{family}:{name}"
    for family, names in _CMSIS_NN.items()
    for name in names
}

CMSIS_NN = KernelLibrary(
    "cmsis-nn",
    _CMSIS_NN_KERNELS,
    CMSIS_NN_USES,
    CMSIS_NN_WORKLOADS,
    {
        SINGLE_ROUNDING: Switch(
            "CMSIS_NN_USE_SINGLE_ROUNDING: its own kernels round rescaled integers once",
            f"{__name__}.cmsis_nn.rounding_once:build",
        ),
        **_FLOAT32_SCALES,
    },
)
# It computes as the reference does, but for one kernel of one chip.
ESP_NN = KernelLibrary(
    "esp-nn",
    {},
    ESP_NN_USES,
    ESP_NN_WORKLOADS,
    {
        "esp32s3": Switch(
            "the kernels of the ESP32-S3: averages of windows add up in 16 bits",
            f"{__name__}.esp_nn.esp32s3:build",
        ),
        **_FLOAT32_SCALES,
    },
)

# In plain C, without vectors; TFLM's wrappers for CMSIS-NN call it, and refuse what they refuse. Of
# CONV_2D of int8 in groups, and of pools of several images, its results are wrong, and right here.
MURISCV_NN = KernelLibrary(
    "muriscv-nn",
    _CMSIS_NN_KERNELS,
    MURISCV_NN_USES,
    MURISCV_NN_WORKLOADS,
    _FLOAT32_SCALES,
)

LIBRARIES: tuple[KernelLibrary, ...] = (REFERENCE, CMSIS_NN, ESP_NN, MURISCV_NN)
