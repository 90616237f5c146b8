"""CONV_2D of muRISCV-NN: a buffer for two widened patches, but for pointwise convolutions.

Those have to be whole words deep and take no steps; int16 needs no buffer.

Source: tflite-micro `micro/kernels/cmsis_nn/conv.cc`, muriscv-nn
`Source/ConvolutionFunctions/muriscv_nn_convolve_wrapper_s8.c`,
`muriscv_nn_convolve_get_buffer_sizes_s8.c`, `..._s16.c`
"""

from __future__ import annotations

from tinyml_runtime.arena_use import ArenaContext, ArenaUse
from tinyml_runtime.arena_uses.cmsis_nn.conv import look_at_conv
from tinyml_runtime.arena_uses.windows import Windows, scratch_if_any, windows_of_node
from tinyml_runtime.model.options import Conv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType

_PATCHES = 2
_INT16_BYTES = 2
_WORD = 4


def is_pointwise(windows: Windows) -> bool:
    """Whether the image is multiplied as it is."""
    is_whole = windows.channels % _WORD == 0 and not windows.is_dilated
    return windows.is_plain_pointwise and is_whole


def _prepare(arena: ArenaContext, node: Node) -> None:
    kind = look_at_conv(arena, node)
    windows = windows_of_node(arena, node, node.options_as(Conv2DOptions))
    if windows is None or kind is not TensorType.INT8 or is_pointwise(windows):
        return
    words = -(-windows.patch // _WORD) * _WORD
    scratch_if_any(arena, _PATCHES * words * _INT16_BYTES)


CONV_2D = ArenaUse("cmsis_nn/conv.OpData", prepare=_prepare)
