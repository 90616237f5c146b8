"""AVERAGE_POOL_2D, a walk for every output, and MAX_POOL_2D, a walk over all channels for a tap.

Of several images these kernels take the first alone, and leave the others' outputs as they are.
Floats take the reference's kernels.

Source    tflite-micro `micro/kernels/cmsis_nn/pooling.cc`; muriscv-nn
          `Source/PoolingFunctions/muriscv_nn_avgpool_s8.c`, `muriscv_nn_avgpool_s16.c`,
          `muriscv_nn_max_pool_s8.c`, `muriscv_nn_max_pool_s16.c`
"""

from __future__ import annotations

from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import WorkContext, Workload
from tinyml_runtime.workloads.cmsis_nn.counting import once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.inside import inside_of
from tinyml_runtime.workloads.cmsis_nn.pooling import pool_windows
from tinyml_runtime.workloads.muriscv_nn.products import runs

_KINDS = {TensorType.INT8: "s8", TensorType.INT16: "s16"}


def count_average_pool(context: WorkContext, node: Node) -> Workload:
    """The loops of AVERAGE_POOL_2D."""
    kind, windows = pool_windows(context, node)
    if kind not in _KINDS:
        return reference("AVERAGE_POOL_2D")(context, node)
    kernel, inside = f"muriscv_avgpool_{_KINDS[kind]}", inside_of(windows)
    channels = windows.channels
    asked = inside.pixels * windows.taps if kind is TensorType.INT16 else 0
    return (
        once(f"{kernel}.call"),
        turns(f"{kernel}.pixel", inside.pixels),
        turns(f"{kernel}.output", channels * inside.pixels),
        turns(f"{kernel}.row", channels * inside.rows),
        turns(f"{kernel}.tap", channels * inside.taps),
        # Of int16 every tap is asked whether it is inside.
        turns(f"{kernel}.asked", channels * asked),
    )


def count_max_pool(context: WorkContext, node: Node) -> Workload:
    """The loops of MAX_POOL_2D."""
    kind, windows = pool_windows(context, node)
    if kind not in _KINDS:
        return reference("MAX_POOL_2D")(context, node)
    kernel, inside = f"muriscv_max_pool_{_KINDS[kind]}", inside_of(windows)
    pixels, taps = inside.pixels, inside.taps
    return (
        once(f"{kernel}.call"),
        turns(f"{kernel}.pixel", pixels),
        turns(f"{kernel}.row", inside.rows),
        runs(f"{kernel}.copy", pixels, windows.channels),
        runs(f"{kernel}.more", taps - pixels, windows.channels),
        runs(f"{kernel}.clamp", 1, inside.pixels * windows.channels),
    )


AVERAGE_POOL_2D = count_average_pool
MAX_POOL_2D = count_max_pool
