"""Depthwise convolutions with MVE: blocks of 124 channels, four patches at once.

Source    CMSIS-NN `Source/ConvolutionFunctions/arm_depthwise_conv_s8_opt.c`,
          `Source/NNSupportFunctions/arm_nn_depthwise_conv_nt_t_s8.c`,
          `Source/TransposeFunctions/arm_transpose_s8.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.arena_uses.windows import Windows
from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.cmsis_nn.copying import vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import turns
from tinyml_runtime.workloads.cmsis_nn.inside import inside_of

# CH_IN_BLOCK_MVE
_BLOCK = 124
_KEPT = 4


def by_blocks(kernel: str, product: str, windows: Windows) -> Iterator[LoopWork]:
    """Block after block of channels, over the whole image."""
    inside = inside_of(windows)
    pixels, taps = inside.pixels, windows.taps
    fours, rest = divmod(pixels, _KEPT)
    outside = pixels * taps - inside.taps
    for block in _blocks(windows.filters):
        vectors, quads = vector_trips(block), vector_trips(block, 4)
        yield turns(f"{kernel}.block", 1)
        yield turns(f"{kernel}.pixel", pixels)
        yield turns(f"{kernel}.row", pixels * windows.rows.taps)
        yield LoopWork(f"{kernel}.copy", inside.taps, inside.taps * vectors)
        yield LoopWork(f"{kernel}.fill", outside, outside * vectors)
        yield turns(f"{product}.call", fours)
        yield turns(f"{product}.four", fours * quads)
        yield turns(f"{product}.four_tap", fours * quads * taps)
        yield turns(f"{kernel}.rest", rest)
        yield turns(f"{kernel}.rest_four", rest * quads)
        yield turns(f"{kernel}.rest_tap", rest * quads * taps)


def _blocks(channels: int) -> Iterator[int]:
    full, rest = divmod(channels, _BLOCK)
    yield from (_BLOCK,) * full
    if rest:
        yield rest


def turned_weights(windows: Windows) -> Iterator[LoopWork]:
    """Weights of one channel are put into the order of a convolution."""
    yield LoopWork("depthwise_conv_to_conv_s8.turn", 1, windows.filters * windows.taps)
