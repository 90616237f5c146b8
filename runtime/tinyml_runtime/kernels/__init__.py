"""THE TABLE: which kernel runs which operator, in the reference library.

Kernels are named, not imported, so that a run loads only those that its model needs.
"""

from __future__ import annotations

from tinyml_runtime.library import KernelLibrary

_FAMILIES = {
    "activations": ("LEAKY_RELU", "RELU", "RELU6"),
    "arithmetic": ("ADD", "MUL", "SUB"),
    "cast": ("CAST",),
    "concatenation": ("CONCATENATION", "PACK", "SPLIT", "SPLIT_V", "UNPACK"),
    "conv": ("CONV_2D",),
    "depthwise_conv": ("DEPTHWISE_CONV_2D",),
    "fully_connected": ("FULLY_CONNECTED",),
    "logistic": ("LOGISTIC", "TANH"),
    "lstm": ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
    "maximum_minimum": ("MAXIMUM", "MINIMUM"),
    "pad": ("PAD", "PADV2"),
    "pooling": ("AVERAGE_POOL_2D", "MAX_POOL_2D"),
    "quantize": ("DEQUANTIZE", "QUANTIZE"),
    "reduce": ("MEAN",),
    "resize": ("RESIZE_BILINEAR", "RESIZE_NEAREST_NEIGHBOR"),
    "shapes": ("EXPAND_DIMS", "RESHAPE", "SQUEEZE", "TRANSPOSE"),
    "slicing": ("SLICE", "STRIDED_SLICE"),
    "softmax": ("SOFTMAX",),
    "svdf": ("SVDF",),
    "transpose_conv": ("TRANSPOSE_CONV",),
}

REFERENCE = KernelLibrary(
    "reference",
    {
        operator: f"{__name__}.{family}:{operator}"
        for family, operators in _FAMILIES.items()
        for operator in operators
    },
)

LIBRARIES: tuple[KernelLibrary, ...] = (REFERENCE,)
