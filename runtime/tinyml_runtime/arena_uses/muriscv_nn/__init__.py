"""THE TABLE of muRISCV-NN in plain C: its kernels ask of the arena what CMSIS-NN's without DSP do.

TFLM has no wrappers of its own for it: those of CMSIS-NN are compiled with its functions, of which
those for convolutions need other buffers.

Source: tflite-micro `micro/kernels/cmsis_nn/*.cc`, muriscv-nn `Source/**/*get_buffer_sizes*.c`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaUse
from tinyml_runtime.arena_uses.cmsis_nn import CMSIS_NN_USES

MURISCV_NN_USES: dict[str, ArenaUse | str] = {
    **CMSIS_NN_USES,
    "CONV_2D": f"{__name__}.conv:CONV_2D",
}
