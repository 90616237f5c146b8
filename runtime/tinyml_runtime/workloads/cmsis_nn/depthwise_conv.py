"""DEPTHWISE_CONV_2D: by a kernel for 3 by 3, by one that copies patches, or by plain loops.

With MVE, one channel with more than one filter is a convolution whose weights are turned first.
Floats take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/depthwise_conv.cc`; CMSIS-NN
          `Source/ConvolutionFunctions/arm_depthwise_conv_wrapper_s8.c`,
          `arm_depthwise_conv_3x3_s8.c`, `arm_depthwise_conv_s8_opt.c`, `arm_depthwise_conv_s8.c`,
          `arm_depthwise_conv_s4.c`, `arm_depthwise_conv_s4_opt.c`, `arm_depthwise_conv_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator

from tinyml_runtime.arena_uses.windows import Windows, conv_windows
from tinyml_runtime.model.options import DepthwiseConv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.conv import as_conv, convolve_s8
from tinyml_runtime.workloads.cmsis_nn.copying import fills
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.depthwise_mve import by_blocks, turned_weights
from tinyml_runtime.workloads.cmsis_nn.inside import inside_of, rows_with_ends

INPUT, WEIGHTS = 0, 1
OUTPUT = 0
_INT16_BYTES = 2
_3X3 = 3, 3


def count_depthwise(context: WorkContext, node: Node) -> Workload:
    """The loops of DEPTHWISE_CONV_2D."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    if source.type is TensorType.FLOAT32:
        return reference("DEPTHWISE_CONV_2D")(context, node)
    windows = conv_windows(
        source,
        weights,
        operand(context.output(node, OUTPUT)),
        node.options_as(DepthwiseConv2DOptions),
    )
    is_mve = MVE in context.extensions
    if source.type is TensorType.INT16:
        return (once("depthwise_s16.call"), *by_loops("depthwise_conv_s16", windows))
    is_plain = _is_plain(windows)
    if weights.type is TensorType.INT4:
        return (once("depthwise_s4.call"), *_s4(windows, is_plain=is_plain, is_mve=is_mve))
    call = once("depthwise_s8.call")
    if is_mve and windows.channels == 1 and windows.filters > 1:
        turned = turned_weights(windows)
        return (call, *turned, *convolve_s8(as_conv(windows), context.extensions))
    return (call, *_s8(windows, is_plain=is_plain, is_mve=is_mve))


def is_three_by_three(windows: Windows) -> bool:
    """Whether the kernel for 3 by 3 takes a convolution of int8, where there is no MVE."""
    return (
        not _is_plain(windows)
        and (windows.rows.taps, windows.columns.taps) == _3X3
        and windows.rows.before <= 1
        and windows.columns.before <= 1
    )


def _is_plain(windows: Windows) -> bool:
    is_multiplied = windows.channels != windows.filters
    return is_multiplied or windows.batch != 1 or windows.is_dilated


def _s8(windows: Windows, *, is_plain: bool, is_mve: bool) -> Iterator[LoopWork]:
    if is_plain:
        yield from by_loops("depthwise_conv_s8", windows)
    elif is_mve:
        yield from by_blocks("depthwise_conv_s8_opt", "depthwise_nt_t_s8", windows)
    elif is_three_by_three(windows):
        yield from three_by_three(windows)
    else:
        yield from _by_patches("depthwise_conv_s8_opt", windows)


def _s4(windows: Windows, *, is_plain: bool, is_mve: bool) -> Iterator[LoopWork]:
    # Two weights to a byte: odd numbers of channels and of filters have code of their own.
    odd = "_odd" if windows.channels % 2 else ""
    if is_plain:
        multiplier = windows.filters // windows.channels
        kind = "_single" if multiplier == 1 else "_odd" if multiplier % 2 else ""
        yield from _plain(f"depthwise_conv_s4{kind}", windows)
    elif is_mve:
        yield from by_blocks("depthwise_conv_s4_opt", "depthwise_nt_t_s4", windows)
    else:
        yield from _by_patches(f"depthwise_conv_s4_opt{odd}", windows)


def by_loops(kernel: str, windows: Windows) -> Iterator[LoopWork]:
    """Output by output, or four filters of a channel at once where there are as many."""
    multiplier = windows.filters // windows.channels
    if multiplier % 4 or windows.batch != 1 or windows.is_dilated:
        yield from _plain(kernel, windows)
    else:
        yield from _by_four_filters(f"{kernel}_mult_4", windows, multiplier)


def _plain(kernel: str, windows: Windows) -> Iterator[LoopWork]:
    """Output by output, over the taps inside."""
    inside = inside_of(windows)
    outputs = windows.batch * windows.filters
    yield turns(f"{kernel}.pixel", windows.batch * inside.pixels)
    yield turns(f"{kernel}.channel", windows.batch * inside.pixels * windows.channels)
    yield turns(f"{kernel}.output", outputs * inside.pixels)
    yield turns(f"{kernel}.row", outputs * inside.rows)
    yield turns(f"{kernel}.tap", outputs * inside.taps)
    dilated = (windows.rows.dilation > 1) + (windows.columns.dilation > 1)
    yield turns(f"{kernel}.dilated", outputs * inside.pixels * dilated)


def _by_four_filters(kernel: str, windows: Windows, multiplier: int) -> Iterator[LoopWork]:
    """Four filters of a channel at once."""
    inside = inside_of(windows)
    tiles = windows.channels * (multiplier // 4)
    yield turns(f"{kernel}.pixel", inside.pixels)
    yield turns(f"{kernel}.channel", inside.pixels * windows.channels)
    yield turns(f"{kernel}.tile", inside.pixels * tiles)
    yield turns(f"{kernel}.row", inside.rows * tiles)
    yield turns(f"{kernel}.tap", inside.taps * tiles)


def three_by_three(windows: Windows) -> Iterator[LoopWork]:
    """Four channels at once, then one by one, over the taps inside; of a row, one always is."""
    inside = inside_of(windows)
    first, last = rows_with_ends(windows)
    kernel = "depthwise_conv_3x3_s8"
    fours, rest = divmod(windows.channels, 4)
    yield turns(f"{kernel}.pixel", inside.pixels)
    for piece, count in (("four", fours), ("one", rest)):
        if count:
            yield LoopWork(f"{kernel}.{piece}", inside.pixels, inside.pixels * count)
        yield turns(f"{kernel}.{piece}_row", inside.rows * count)
        yield turns(f"{kernel}.{piece}_first", first * count)
        yield turns(f"{kernel}.{piece}_last", last * count)


def _by_patches(kernel: str, windows: Windows) -> Iterator[LoopWork]:
    """Patches are widened, then four channels at once are multiplied, two taps a time."""
    inside = inside_of(windows)
    across = windows.columns.taps
    yield turns(f"{kernel}.pixel", inside.pixels)
    yield turns(f"{kernel}.patch_row", inside.rows)
    yield turns(f"{kernel}.patch_tap", inside.rows * across)
    line = across * windows.channels * _INT16_BYTES
    for runs, length in (
        (inside.clipped_pixels, line * inside.clipped_rows // max(1, inside.clipped_pixels)),
        (inside.rows * across - inside.taps, windows.channels * _INT16_BYTES),
    ):
        yield from fills("patch_fill", runs, length)
    yield turns("q7_to_q15.call", inside.taps)
    yield from in_blocks("q7_to_q15.of", inside.taps, windows.channels, (4, 1))
    fours, rest = divmod(windows.filters, 4)
    runs = inside.pixels * fours
    yield turns(f"{kernel}.four", runs)
    yield from in_blocks(f"{kernel}.four", runs, windows.taps, (2, 1))
    if rest:
        yield LoopWork(f"{kernel}.one", inside.pixels, inside.pixels * rest)
    yield turns(f"{kernel}.one_1", inside.pixels * rest * windows.taps)


DEPTHWISE_CONV_2D = count_depthwise
