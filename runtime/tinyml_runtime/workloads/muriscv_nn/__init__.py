"""THE TABLE of muRISCV-NN in plain C: the loops of operators whose kernels are not the reference's.

Entries are "module:NAME", imported when a model needs them.
"""

from __future__ import annotations

from tinyml_runtime.workload import CountLoops

_FAMILIES = {
    "as_cmsis_nn": (
        "MAXIMUM",
        "MINIMUM",
        "PAD",
        "PADV2",
        "SOFTMAX",
        "TRANSPOSE",
        "TRANSPOSE_CONV",
    ),
    "batch_matmul": ("BATCH_MATMUL",),
    "conv": ("CONV_2D",),
    "depthwise_conv": ("DEPTHWISE_CONV_2D",),
    "elementwise": ("ADD", "MUL"),
    "fully_connected": ("FULLY_CONNECTED",),
    "lstm": ("UNIDIRECTIONAL_SEQUENCE_LSTM",),
    "pooling": ("AVERAGE_POOL_2D", "MAX_POOL_2D"),
    "svdf": ("SVDF",),
}

MURISCV_NN_WORKLOADS: dict[str, CountLoops | str] = {
    name: f"{__name__}.{family}:{name}" for family, names in _FAMILIES.items() for name in names
}
