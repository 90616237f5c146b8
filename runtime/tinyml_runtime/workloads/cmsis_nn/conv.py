"""CONV_2D: a product of matrices, of the image itself or of patches copied out of it.

Floats are convolved by the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/conv.cc`; CMSIS-NN
          `Source/ConvolutionFunctions/arm_convolve_wrapper_s8.c`, `arm_convolve_1x1_s8_fast.c`,
          `arm_convolve_1x1_s8.c`, `arm_convolve_1_x_n_s8.c`, `arm_convolve_s8.c`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyml_runtime.arena_uses.windows import Windows, conv_windows
from tinyml_runtime.model.options import Conv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.conv_s16 import convolve_s16
from tinyml_runtime.workloads.cmsis_nn.copying import copies, fills, vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.mat_mult import kernel_s8_s16, nt_t_s8, nt_t_s8_mve
from tinyml_runtime.workloads.cmsis_nn.patches import Patches, patches_of

INPUT, WEIGHTS, BIAS = 0, 1, 2
OUTPUT = 0
# Patches that are collected before they are multiplied.
_KEPT, _KEPT_MVE = 2, 4

Extensions = frozenset[str]


def count_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of CONV_2D."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    if source.type is TensorType.FLOAT32:
        return reference("CONV_2D")(context, node)
    windows = conv_windows(
        source, weights, operand(context.output(node, OUTPUT)), node.options_as(Conv2DOptions)
    )
    if source.type is TensorType.INT16:
        bias = context.input(node, BIAS)
        is_wide = bias is None or bias.type is not TensorType.INT32
        return (*convolve_s16(windows, context.extensions, is_wide=is_wide),)
    loops = (once("conv_s8.call"), *convolve_s8(windows, context.extensions))
    if weights.type is TensorType.INT4:
        # Other kernels of the same structure.
        return tuple(replace(work, loop=work.loop.replace("_s8", "_s4")) for work in loops)
    return loops


def convolve_s8(windows: Windows, extensions: Extensions) -> Iterator[LoopWork]:
    """A convolution of int8 by the way that CMSIS-NN takes for these windows."""
    is_mve = MVE in extensions
    multiply = nt_t_s8_mve if is_mve else nt_t_s8
    outputs = windows.rows.outputs, windows.columns.outputs
    if _is_pointwise(windows):
        if (windows.rows.stride, windows.columns.stride) == (1, 1):
            pixels = windows.batch * windows.rows.size * windows.columns.size
            yield from multiply(pixels, windows.filters, windows.channels)
            return
        lines = windows.batch * outputs[0]
        yield once("convolve_1x1_s8.line", lines)
        yield from multiply(outputs[1], windows.filters, windows.channels, lines)
    elif is_mve and _is_one_line(windows):
        yield from _one_line_mve(windows)
    else:
        yield from (_by_patches_mve if is_mve else _by_patches)(windows)


def _is_pointwise(windows: Windows) -> bool:
    is_padded = windows.rows.before or windows.columns.before
    is_grouped = windows.channels != windows.depth
    return windows.taps == 1 and not (is_padded or is_grouped or windows.is_dilated)


def _is_one_line(windows: Windows) -> bool:
    is_line = windows.rows.size == 1 and windows.rows.taps == 1 and windows.columns.dilation == 1
    is_grouped = windows.channels != windows.depth
    return is_line and windows.columns.stride * windows.channels % 4 == 0 and not is_grouped


def _by_patches(windows: Windows) -> Iterator[LoopWork]:
    """With DSP: patches are copied, widened two at a time, and multiplied."""
    groups = windows.channels // windows.depth
    times = windows.batch * groups
    patches = patches_of(windows, 1, _KEPT)
    depth, filters = windows.taps * windows.depth, windows.filters // groups
    yield from _patches(patches, times)
    yield from copies("patch_copy", windows.depth, patches.places, times)
    yield from fills("patch_fill", times * patches.outside, windows.depth)
    yield from in_blocks("convolve_s8.widen", times * patches.count, depth, (4, 1))
    pairs, rest = divmod(patches.count, _KEPT)
    kernel = "mat_mult_kernel_s8_s16" if groups == 1 else "mat_mult_kernel_row_offset_s8_s16"
    yield from kernel_s8_s16(kernel, filters, depth, times * pairs)
    lasts = times * rest * filters
    yield turns("convolve_s8.last", lasts)
    yield from in_blocks("convolve_s8.last", lasts, depth, (4, 1))


def _by_patches_mve(windows: Windows) -> Iterator[LoopWork]:
    """With MVE: patches are copied and multiplied four at a time."""
    groups = windows.channels // windows.depth
    times = windows.batch * groups
    patches = patches_of(windows, 1, _KEPT_MVE)
    depth, filters = windows.taps * windows.depth, windows.filters // groups
    yield from _patches(patches, times)
    vectors = vector_trips(windows.depth)
    yield LoopWork("convolve_s8.copy", times * patches.inside, times * patches.inside * vectors)
    yield LoopWork("convolve_s8.fill", times * patches.outside, times * patches.outside * vectors)
    fours, rest = divmod(patches.count, _KEPT_MVE)
    yield from nt_t_s8_mve(_KEPT_MVE, filters, depth, times * fours)
    if rest:
        yield from nt_t_s8_mve(rest, filters, depth, times)


def _patches(patches: Patches, times: int) -> Iterator[LoopWork]:
    yield once("convolve_s8.call")
    yield turns("convolve_s8.patch", times * patches.count)
    yield turns("convolve_s8.row", times * patches.rows)
    yield turns("convolve_s8.tap", times * patches.taps)


def _one_line_mve(windows: Windows) -> Iterator[LoopWork]:
    """A line of the image multiplied in place, but for its padded ends."""
    side = windows.columns
    total = (side.outputs - 1) * side.stride + side.taps - side.size
    after = side.before + total % 2
    left = max(1, -(-side.before // side.stride)) if side.before else 0
    right = max(1, -(-after // side.stride)) if after else 0
    middle = max(0, side.outputs - left - right)
    if left + middle + right != side.outputs:
        yield from _by_patches_mve(windows)
        return
    depth = side.taps * windows.channels
    yield once("convolve_1_x_n_s8.line", windows.batch)
    padding = side.before + (right if total % 2 else side.before)
    ends = vector_trips(depth) + vector_trips(depth - windows.channels)
    yield turns("convolve_1_x_n_s8.copy", windows.batch * ends)
    yield turns("convolve_1_x_n_s8.fill", windows.batch * vector_trips(padding * windows.channels))
    for rows in (left, middle, right):
        yield from nt_t_s8_mve(rows, windows.filters, depth, windows.batch)


def as_conv(windows: Windows) -> Windows:
    """The windows of a depthwise convolution of one channel as those of a convolution."""
    return replace(windows, depth=1)


CONV_2D = count_conv
