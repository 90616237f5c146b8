"""ESP-NN on the ESP32-S3: AVERAGE_POOL_2D adds up in 16 bits.

Only int8 with channels that are no multiple of four: others go to assembly, which adds up in 32.
Windows of up to 255 elements cannot overflow.

Source    ESP-NN `src/pooling/esp_nn_avg_pool_s8_esp32s3.c`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from tinyml_runtime.arena_uses.reference import REFERENCE_USES
from tinyml_runtime.kernels import pooling as reference
from tinyml_runtime.kernels.fused_activation import quantized_range
from tinyml_runtime.kernels.pooling_windows import element_counts
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.options import Pool2DOptions
from tinyml_runtime.registration import BindingEvaluate, EvalContext, Node
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

_ASSEMBLY_CHANNELS = 4
_SAFE_ELEMENTS = 255


def bind_average(context: EvalContext, node: Node, data: reference.PoolData) -> Callable[[], None]:
    """As the reference, unless sums of 16 bits can overflow."""
    image = context.input(node, reference.INPUT)
    is_narrow = image.type is TensorType.INT8 and image.shape[3] % _ASSEMBLY_CHANNELS
    if not is_narrow or data.window.taps <= _SAFE_ELEMENTS:
        return reference.bind_average(context, node, data)
    output = context.output(node, reference.OUTPUT)
    limits = quantized_range(node.options_as(Pool2DOptions).fused_activation, output)
    counts = element_counts(data.window, image.values)
    return partial(_average_in_16_bits, image.values, output.values, data, counts, limits)


def _average_in_16_bits(
    image: Array,
    output: Array,
    data: reference.PoolData,
    counts: Array,
    limits: tuple[int, int],
) -> None:
    """Add up with the low 16 bits alone; divide with ties away from zero, as C divides."""
    window = data.window
    padded, refresh = window.bind_padded(image, 0, np.dtype(np.int16))
    refresh()
    sums = np.zeros(output.shape, np.int16)
    for tap in range(window.taps):
        sums += window.tap(padded, *divmod(tap, window.columns.taps))
    wide = sums.astype(np.int64)
    magnitudes = (np.abs(wide) + counts // 2) // counts
    output[...] = np.where(wide > 0, magnitudes, -magnitudes).clip(*limits)


AVERAGE_POOL_2D = replace(reference.AVERAGE_POOL_2D, evaluate=BindingEvaluate(bind_average))


def build(library: KernelLibrary) -> KernelLibrary:
    """ESP-NN as it is compiled for the S3; the kernel allocates as the reference's does."""
    name = AVERAGE_POOL_2D.name
    return replace(
        library,
        kernels={**library.kernels, name: AVERAGE_POOL_2D},
        arena_uses={**library.arena_uses, name: REFERENCE_USES[name]},
    )
