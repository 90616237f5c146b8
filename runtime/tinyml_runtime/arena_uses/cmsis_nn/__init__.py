"""THE TABLE of CMSIS-NN: what its kernels ask of the arena, where that is not the reference's.

MAXIMUM, MINIMUM, MUL, PAD, PADV2, TRANSPOSE and MAX_POOL_2D have kernels of their own too, which
allocate as the reference's do; MAX_POOL_2D has a larger structure.

Buffers depend on the core, as `RuntimeProfile.extensions` says: "dsp" of Cortex-M4, M7 and M33,
"dsp" and "mve" of M55, none of M0 and M3. TFLM's build is the usual one (with
KERNELS_OPTIMIZED_FOR_SPEED), by any compiler but armclang, with which some buffers are larger.

Source: tflite-micro `micro/kernels/cmsis_nn/*.cc`, CMSIS-NN `Source/**/*get_buffer_sizes*.c`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaUse

_FAMILIES = {
    "batch_matmul": ("BATCH_MATMUL",),
    "conv": ("CONV_2D", "DEPTHWISE_CONV_2D"),
    "fully_connected": ("FULLY_CONNECTED",),
    "pooling": ("AVERAGE_POOL_2D",),
    "sequence": ("SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM"),
    "softmax": ("SOFTMAX",),
    "transpose_conv": ("TRANSPOSE_CONV",),
}

CMSIS_NN_USES: dict[str, ArenaUse | str] = {
    "ADD": ArenaUse("cmsis_nn/add.OpData", "i0 i1 o0"),
    "MAX_POOL_2D": ArenaUse("cmsis_nn/pooling.OpData", "i0 o0"),
    **{
        name: f"{__name__}.{family}:{name}" for family, names in _FAMILIES.items() for name in names
    },
}
