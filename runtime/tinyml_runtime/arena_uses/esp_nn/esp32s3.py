"""How many bytes ESP-NN's functions for the ESP32-S3 need to work.

Source: ESP-NN `src/convolution/esp_nn_conv_esp32s3.c`, `esp_nn_depthwise_conv_s8_esp32s3.c`; from
the sources; compiled for another core, they give the same sizes
"""

from __future__ import annotations

from tinyml_runtime.arena_uses.windows import Side, Windows
from tinyml_runtime.memory.planner import align_up

# Room to align buffers, and for what is read beyond them.
_MARGIN = 64
_SUM_BYTES = 4
_LANES = 16
# Whole images up to so many bytes are widened or padded at once, larger ones line by line.
_WHOLE_S8, _WHOLE_S16 = 40 * 1024, 48 * 1024


def convolve_s8(windows: Windows) -> int:
    """A convolution of int8, with int8 or int4 weights."""
    if windows.is_plain_pointwise:
        return pointwise_s8(windows) + _MARGIN
    row, sums = windows.columns.taps * windows.channels, windows.filters * _SUM_BYTES
    if row < _LANES <= windows.patch:
        patch = align_up(windows.patch, _LANES)
        return sums + (windows.filters + 1) * patch + 2 * 16 + _MARGIN
    lines = windows.rows.taps * windows.filters
    weights = windows.taps * align_up(windows.channels, _LANES) * windows.filters
    aligned_weights = align_up(row, _LANES) * lines
    images = _padded_image(windows) + _extended_image(windows)
    return images + weights + aligned_weights + sums + _MARGIN


def pointwise_s8(windows: Windows) -> int:
    """Windows of single elements: the image and the weights with padded channels."""
    channels, elements = align_up(windows.channels, 8), windows.rows.size * windows.columns.size
    image = elements * channels if windows.channels % 8 else 0
    transposed = 2 * 8 * channels if elements >= 8 else 0
    return image + channels * windows.filters + transposed


def depthwise_s8(windows: Windows, multiplier: int) -> int:
    """A depthwise convolution of int8, with int8 or int4 weights."""
    weights = windows.patch * multiplier
    image = windows.rows.size * windows.columns.size * windows.channels
    if multiplier == 1 and windows.channels % 8 == 0:
        if windows.rows.taps == windows.columns.taps == 3:
            return _depthwise_3x3(windows, weights, image)
        if 2 * (weights + image) > _WHOLE_S16:
            image = windows.columns.size * windows.rows.taps * windows.channels
        return 2 * (weights + image) + 32
    if multiplier == 1 and windows.channels > 3:
        return _depthwise_padded_channels(windows)
    return 2 * (weights + image) + 32 if multiplier % 4 == 0 else 32


def _depthwise_3x3(windows: Windows, weights: int, image: int) -> int:
    rows, columns, channels = windows.rows, windows.columns, windows.channels
    if channels < 12:
        return 2 * (weights + image) + 32
    if channels % _LANES:
        padded = align_up(channels, _LANES)
        height = rows.size + 2 * rows.before + max(0, _beyond(rows))
        width = columns.size + 2 * columns.before + max(0, _beyond(columns))
        return (windows.taps + height * width + rows.outputs * columns.outputs) * padded + 64
    if rows.before or columns.before:
        high, wide = 2 * rows.before, 2 * columns.before
    else:
        high, wide = _beyond(rows), _beyond(columns)
    if not (high or wide):
        return weights + 16
    line = (columns.size + wide) * channels
    whole = (rows.size + high) * line
    return weights + (whole if whole <= _WHOLE_S8 else rows.taps * line) + 16


def _depthwise_padded_channels(windows: Windows) -> int:
    """Weights, image, output, then bias, shift and multiplier, each aligned."""
    channels = align_up(windows.channels, 8)
    total = 2 * windows.taps * channels
    total = align_up(total) + 2 * windows.rows.size * windows.columns.size * channels
    total = align_up(total) + windows.rows.outputs * windows.columns.outputs * channels
    return align_up(total) + 3 * _SUM_BYTES * channels + 16


def _padded_image(windows: Windows) -> int:
    rows, columns = windows.rows, windows.columns
    if not (rows.before or columns.before):
        return 0
    elements = (columns.size + 2 * columns.before) * (rows.size + 2 * rows.before)
    return elements * windows.channels


def _extended_image(windows: Windows) -> int:
    below, right = max(0, _beyond(windows.rows)), max(0, _beyond(windows.columns))
    if not (below or right):
        return 0
    return (windows.columns.size + right) * (windows.rows.size + below) * windows.channels


def _beyond(side: Side) -> int:
    """How far windows would reach over the end, without padding before the start."""
    return side.outputs * side.stride + side.taps - 1 - side.size
