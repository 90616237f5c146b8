"""TRANSPOSE_CONV of int8: by a convolution with turned filters, or row by row into a buffer.

Other types take the reference's kernel.

Source    tflite-micro `micro/kernels/cmsis_nn/transpose_conv.cc`; CMSIS-NN
          `Source/ConvolutionFunctions/arm_transpose_conv_wrapper_s8.c`, `arm_transpose_conv_s8.c`,
          `arm_convolve_s8.c`, `Source/NNSupportFunctions/arm_nn_transpose_conv_row_s8_s32.c`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyml_runtime.arena_uses.windows import Side, Windows, windows_of
from tinyml_runtime.model.options import TransposeConvOptions
from tinyml_runtime.registration import Node
from tinyml_runtime.types import TensorType
from tinyml_runtime.workload import LoopWork, WorkContext, Workload, operand
from tinyml_runtime.workloads.cmsis_nn.copying import copies, fills, usual_places, vector_trips
from tinyml_runtime.workloads.cmsis_nn.counting import MVE, in_blocks, once, reference, turns
from tinyml_runtime.workloads.cmsis_nn.inside import side_taps
from tinyml_runtime.workloads.cmsis_nn.mat_mult import kernel_s8_s16, nt_t_s8_mve

WEIGHTS, INPUT = 1, 2
OUTPUT = 0
# REVERSE_TCOL_EFFICIENT_THRESHOLD
_TURN_ABOVE_CHANNELS = 16
_TURN_UP_TO_STRIDE = 2
_INT32_BYTES = 4


def count_transpose_conv(context: WorkContext, node: Node) -> Workload:
    """The loops of TRANSPOSE_CONV."""
    source, weights = operand(context.input(node, INPUT)), operand(context.input(node, WEIGHTS))
    if source.type is not TensorType.INT8:
        return reference("TRANSPOSE_CONV")(context, node)
    options = node.options_as(TransposeConvOptions)
    output = operand(context.output(node, OUTPUT))
    # The windows of a convolution that would lead from the output to the input.
    windows = windows_of(
        output, weights, source, (options.stride_h, options.stride_w), options.padding, (1, 1)
    )
    is_mve, filters = MVE in context.extensions, output.shape[3]
    strides = windows.rows.stride, windows.columns.stride
    call = once("transpose_conv_s8.call")
    if max(strides) <= _TURN_UP_TO_STRIDE and source.shape[3] > _TURN_ABOVE_CHANNELS:
        return (call, *_by_convolution(windows, source.shape[3], filters, is_mve))
    return (call, *_by_rows(windows, source.shape[3], filters, is_mve))


def _by_convolution(windows: Windows, depth: int, filters: int, is_mve: bool) -> Iterator[LoopWork]:
    """Filters are turned; patches are taken from the image as if it had gaps of zeros."""
    taps, length = windows.taps, windows.taps * depth
    pixels = windows.batch * windows.rows.size * windows.columns.size
    inside = windows.batch * _reached(windows.rows) * _reached(windows.columns)
    rows = windows.batch * _reached(windows.rows) * windows.columns.size
    kernel = "transpose_conv_s8"
    yield turns(f"{kernel}.turn", filters * taps)
    yield turns(f"{kernel}.patch", pixels)
    yield turns(f"{kernel}.row", pixels * windows.rows.taps)
    yield turns(f"{kernel}.tap", rows * windows.columns.taps)
    if is_mve:
        yield turns(f"{kernel}.turn_copy", filters * taps * vector_trips(depth))
        yield LoopWork(f"{kernel}.copy", inside, inside * vector_trips(depth))
        yield turns(f"{kernel}.fill", pixels * vector_trips(length))
        fours, rest = divmod(pixels // windows.batch, 4)
        yield from nt_t_s8_mve(4, filters, length, windows.batch * fours)
        yield from nt_t_s8_mve(rest, filters, length, windows.batch if rest else 0)
        return
    copied = filters * taps + inside
    yield from copies("patch_copy", depth, usual_places(copied, depth))
    yield from fills("patch_fill", pixels, length)
    yield from in_blocks("convolve_s8.widen", pixels, length, (4, 1))
    pairs, rest = divmod(pixels // windows.batch, 2)
    yield from kernel_s8_s16("mat_mult_kernel_s8_s16", filters, length, windows.batch * pairs)
    lasts = windows.batch * rest * filters
    yield turns("convolve_s8.last", lasts)
    yield from in_blocks("convolve_s8.last", lasts, length, (4, 1))


def _reached(side: Side) -> int:
    """Pairs of an input and an output that a tap joins."""
    return side_taps(side).inside


def _by_rows(windows: Windows, depth: int, filters: int, is_mve: bool) -> Iterator[LoopWork]:
    """Rows of the input are spread into a rolling buffer, of which full rows are scaled."""
    kernel = "transpose_conv_row_s8"
    rows, columns, batch = windows.rows, windows.columns, windows.batch
    taken = batch * filters * _rows_taken(rows)
    fours, rest = divmod(columns.outputs, 4)
    for size, groups in ((4, fours), (2, rest // 2), (1, rest % 2)):
        yield turns(f"{kernel}.filter_{size}", batch * rows.outputs * filters * groups)
        yield turns(f"{kernel}.row_{size}", taken * groups)
        runs = taken * groups * columns.taps
        yield turns(f"{kernel}.tap_{size}", runs)
        if is_mve:
            yield turns(f"{kernel}.tap_{size}_16", runs * vector_trips(depth))
        else:
            yield from in_blocks(f"{kernel}.tap_{size}", runs, depth, (4, 1))
    yield from _buffer(windows, filters, is_mve)


def _rows_taken(side: Side) -> int:
    """Rows of the filters over all rows of the input, without those that are skipped.

    CMSIS-NN takes one more than there are at the far end.
    """
    return side_taps(replace(side, size=side.size + 1)).inside


def _buffer(windows: Windows, filters: int, is_mve: bool) -> Iterator[LoopWork]:
    rows, columns, kernel = windows.rows, windows.columns, "transpose_conv_s8"
    width = (columns.outputs - 1) * columns.stride + max(columns.taps, columns.stride)
    lines = windows.batch * (rows.outputs * rows.stride + max(rows.taps, rows.stride))
    pixels, length = windows.batch * rows.size * columns.size, filters * _INT32_BYTES
    yield turns(f"{kernel}.line", windows.batch * rows.outputs)
    yield turns(f"{kernel}.reset", lines * width)
    yield turns(f"{kernel}.pixel", pixels)
    if is_mve:
        yield turns(f"{kernel}.reset_copy", lines * width * vector_trips(length))
        yield turns(f"{kernel}.scale", pixels * vector_trips(filters, 4))
        return
    yield from copies("patch_copy", length, usual_places(lines * width, length))
    yield turns(f"{kernel}.scale", pixels * filters)


TRANSPOSE_CONV = count_transpose_conv
