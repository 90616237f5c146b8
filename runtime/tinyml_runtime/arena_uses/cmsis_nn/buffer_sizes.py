"""How many bytes CMSIS-NN's functions need to work: its get_buffer_size functions.

`extensions` are those of the core. A size of 0 means that no buffer is asked for.

Source: CMSIS-NN `Source/ConvolutionFunctions/arm_convolve_get_buffer_sizes_s8.c`, `..._s16.c`,
`arm_depthwise_conv_get_buffer_sizes_s8.c`, `..._s4.c`, `arm_transpose_conv_get_buffer_sizes_s8.c`,
`Source/PoolingFunctions/arm_avgpool_get_buffer_sizes_s8.c`,
`Source/FullyConnectedFunctions/arm_fully_connected_get_buffer_sizes_s8.c`,
`Source/SVDFunctions/arm_svdf_get_buffer_sizes_s8.c`, `Include/arm_nnsupportfunctions.h`
"""

from __future__ import annotations

from dataclasses import replace

from tinyml_runtime.arena_uses.windows import Side, Windows

DSP, MVE = "dsp", "mve"

_INT16_BYTES = 2
_INT32_BYTES = 4
# Of a patch that is copied out of the image, DSP and plain C keep two at a time, MVE four.
_PATCHES, _PATCHES_MVE = 2, 4
_LANES_S8, _LANES_S16 = 16, 8
# CH_IN_BLOCK_MVE: channels that a depthwise convolution works on at once.
_DEPTHWISE_BLOCK = 124
# REVERSE_TCOL_EFFICIENT_THRESHOLD: above it a transposed convolution is made a normal one.
_REVERSE_ABOVE_CHANNELS = 16
_REVERSE_UP_TO_STRIDE = 2

Extensions = frozenset[str]


def convolve_s8(windows: Windows, extensions: Extensions) -> int:
    """A convolution of int8; also of int8 with int4 weights, as TFLM asks."""
    if _is_pointwise(windows):
        return 0
    if MVE not in extensions:
        return _PATCHES * _round_up(windows.patch, 4) * _INT16_BYTES
    if _is_one_line(windows):
        return _one_line_mve(windows)
    return _patches_mve(windows)


def convolve_s16(windows: Windows, extensions: Extensions) -> int:
    """A convolution of int16."""
    if MVE in extensions:
        return _PATCHES_MVE * _round_up(windows.patch, _LANES_S16) * _INT16_BYTES
    return _PATCHES * windows.patch * _INT16_BYTES


def depthwise_s8(windows: Windows, extensions: Extensions) -> int:
    """A depthwise convolution of int8 with int8 weights."""
    if MVE in extensions and windows.channels == 1 and windows.filters > 1:
        # Made a normal convolution, whose weights are put into another order.
        as_convolution = replace(windows, depth=1)
        return convolve_s8(as_convolution, extensions) + windows.filters * windows.taps
    if not _has_fast_depthwise(windows):
        return 0
    if MVE in extensions:
        return _PATCHES_MVE * _DEPTHWISE_BLOCK * windows.taps
    is_3x3 = windows.rows.taps == windows.columns.taps == 3
    if is_3x3 and windows.rows.before <= 1 and windows.columns.before <= 1:
        return 0
    return windows.patch * _INT16_BYTES if DSP in extensions else 0


def depthwise_s4(windows: Windows, extensions: Extensions) -> int:
    """A depthwise convolution of int8 with int4 weights: with DSP or without, the same."""
    if not _has_fast_depthwise(windows):
        return 0
    if MVE in extensions:
        return _PATCHES_MVE * _DEPTHWISE_BLOCK * windows.taps
    return windows.patch * _INT16_BYTES


def transpose_convolve_s8(windows: Windows, extensions: Extensions) -> int:
    """A transposed convolution of int8; `windows` are those of the weights over the output."""
    if _is_reversed(windows):
        if MVE in extensions:
            return _patches_mve(windows)
        return _PATCHES * _round_up(windows.patch, 4) * _INT16_BYTES
    rows, columns = windows.rows, windows.columns
    # The width is widened to the stride of the height: so does the source.
    width = (columns.size - 1) * columns.stride + max(columns.taps, rows.stride)
    height = max(rows.taps, rows.stride)
    return width * windows.filters * height * _INT32_BYTES


def reversed_weights_s8(windows: Windows) -> int:
    """The weights of a transposed convolution in the other order; 0 where that is not done."""
    return windows.patch * windows.filters if _is_reversed(windows) else 0


def fully_connected_s8(units: int, extensions: Extensions) -> int:
    """A fully connected layer of int8: a sum for every unit."""
    return units * _INT32_BYTES if MVE in extensions else 0


def average_pool(channels: int, extensions: Extensions) -> int:
    """An average pool of int8 or int16: a sum for every channel."""
    has_buffer = DSP in extensions and MVE not in extensions
    return channels * _INT32_BYTES if has_buffer else 0


def svdf_s8(filters: int, extensions: Extensions) -> int:
    """An SVDF of int8: a sum for every filter."""
    return filters * _INT32_BYTES if MVE in extensions else 0


def _is_pointwise(windows: Windows) -> bool:
    """Whether windows are single elements, not padded; with a stride too."""
    is_padded = windows.rows.before or windows.columns.before
    is_whole = windows.channels == windows.depth
    return windows.taps == 1 and is_whole and not is_padded and not windows.is_dilated


def _is_one_line(windows: Windows) -> bool:
    """Whether image and windows are one element high, and steps a multiple of four bytes."""
    return (
        windows.rows.size == windows.rows.taps == windows.columns.dilation == 1
        and windows.columns.stride * windows.channels % 4 == 0
        and windows.channels == windows.depth
    )


def _patches_mve(windows: Windows) -> int:
    return _PATCHES_MVE * _round_up(windows.patch, _LANES_S8)


def _one_line_mve(windows: Windows) -> int:
    columns, channels = windows.columns, windows.channels
    odd = _odd_padding(columns)
    left = _windows_over_padding(columns.before, columns.stride)
    right = _windows_over_padding(columns.before + odd, columns.stride)
    if left + right > columns.outputs:
        return _patches_mve(windows)
    padding = columns.before * channels
    after = right * channels if odd else padding
    return max(columns.taps * channels + padding, (columns.taps - 1) * channels + after)


def _odd_padding(columns: Side) -> int:
    """What remains of all padding divided by two; -1 where the windows leave an odd rest out."""
    total = (columns.outputs - 1) * columns.stride + columns.taps - columns.size
    return -(-total % 2) if total < 0 else total % 2


def _windows_over_padding(padding: int, stride: int) -> int:
    return max(1, (padding + stride - 1) // stride) if padding else 0


def _has_fast_depthwise(windows: Windows) -> bool:
    is_single = windows.batch == 1 and windows.channels == windows.filters
    return is_single and not windows.is_dilated


def _is_reversed(windows: Windows) -> bool:
    strides = windows.rows.stride, windows.columns.stride
    return max(strides) <= _REVERSE_UP_TO_STRIDE and windows.channels > _REVERSE_ABOVE_CHANNELS


def _round_up(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple
