"""CONV_2D: a product of matrices, of the image itself or of widened patches; int16 tap by tap.

Floats are convolved by the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/conv.cc`; muriscv-nn
          `Source/ConvolutionFunctions/muriscv_nn_convolve_wrapper_s8.c`,
          `muriscv_nn_convolve_1x1_s8_fast.c`, `muriscv_nn_convolve_1_x_n_s8.c`,
          `muriscv_nn_convolve_s8.c`, `muriscv_nn_convolve_s16.c`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyml_runtime.arena_uses.muriscv_nn.conv import is_pointwise
from tinyml_runtime.arena_uses.windows import Windows, conv_windows
from tinyml_runtime.model.options import Conv2DOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.counting import once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.inside import inside_of
from tinyml_runtime.workloads.muriscv_nn.products import kernel_s8_s16, nt_t_s8, runs

INPUT, WEIGHTS, BIAS = 0, 1, 2
OUTPUT = 0
_KEPT = 2
_INT16_BYTES = 2


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
        return (*_convolve_s16(windows, is_wide=is_wide),)
    loops = (once("muriscv_conv_s8.call"), *_convolve_s8(windows))
    if weights.type is TensorType.INT4:
        # Other kernels of the same structure.
        return tuple(replace(work, loop=work.loop.replace("_s8", "_s4")) for work in loops)
    return loops


def _convolve_s8(windows: Windows) -> Iterator[LoopWork]:
    pixels = windows.rows.outputs * windows.columns.outputs
    if is_pointwise(windows):
        yield from nt_t_s8(windows.batch * pixels, windows.filters, windows.channels)
        return
    kernel, batch = "muriscv_convolve_s8", windows.batch
    inside = inside_of(windows)
    yield once(f"{kernel}.batch", batch)
    yield turns(f"{kernel}.patch", batch * pixels)
    yield turns(f"{kernel}.row", batch * pixels * windows.rows.taps)
    yield turns(f"{kernel}.tap", batch * pixels * windows.taps)
    yield runs(f"{kernel}.widen", batch * inside.taps, windows.channels)
    outside = batch * (pixels * windows.taps - inside.taps)
    yield runs(f"{kernel}.fill", outside, windows.channels * _INT16_BYTES)
    pairs, rest = divmod(pixels, _KEPT)
    yield from kernel_s8_s16(windows.filters, windows.patch, batch * pairs)
    yield runs(f"{kernel}.last", batch * rest * windows.filters, windows.patch)


def _convolve_s16(windows: Windows, *, is_wide: bool) -> Iterator[LoopWork]:
    """Filter by filter, over the taps inside; `is_wide` tells a bias of 64 bits, or none."""
    kernel, inside = "muriscv_convolve_s16", inside_of(windows)
    times = windows.batch * windows.filters
    yield once("muriscv_conv_s16.call")
    yield turns(f"{kernel}.filter", times)
    yield turns(f"{kernel}.output_{'s64' if is_wide else 's32'}", times * inside.pixels)
    yield turns(f"{kernel}.row", times * inside.rows)
    yield runs(f"{kernel}.tap", times * inside.taps, windows.channels)


CONV_2D = count_conv
