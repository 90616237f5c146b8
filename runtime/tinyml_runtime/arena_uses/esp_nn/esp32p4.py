"""How many bytes ESP-NN's functions for the ESP32-P4 need to work; depthwise ones need none.

Source: ESP-NN `src/convolution/esp_nn_conv_esp32p4.c`; its functions, compiled for another
core, give the same sizes
"""

from __future__ import annotations

from tinyml_runtime.arena_uses.esp_nn.esp32s3 import pointwise_s8
from tinyml_runtime.arena_uses.windows import Windows
from tinyml_runtime.memory.planner import align_up

_MARGIN = 32
_SUM_BYTES = 4
_LANES = 16
# L1D_BUDGET: a padded image that is larger is worked on in tiles.
_TILE_BYTES = 32 * 1024


def convolve_s8(windows: Windows) -> int:
    """A convolution of int8, with int8 or int4 weights."""
    if windows.is_plain_pointwise:
        if windows.channels < _LANES:
            return windows.filters * (_SUM_BYTES + _LANES) + 32 + _MARGIN
        return pointwise_s8(windows) + _MARGIN
    return _windowed(windows) + windows.filters * _SUM_BYTES + _MARGIN


def _windowed(windows: Windows) -> int:
    rows, columns = windows.rows, windows.columns
    is_padded = bool(rows.before or columns.before)
    if not is_padded and columns.taps * windows.channels >= _LANES:
        return _weights(windows, align_up(windows.channels, _LANES))
    if windows.patch >= _LANES:
        return windows.patch
    if not is_padded:
        return _weights(windows, _LANES) + rows.size * columns.size * _LANES
    line = columns.size + 2 * columns.before
    image = line * (rows.size + 2 * rows.before) * windows.channels
    if image + windows.filters * _SUM_BYTES > _TILE_BYTES:
        return _tile(windows, line * _LANES) + _weights(windows, _LANES)
    return image + _weights(windows, align_up(windows.channels, _LANES))


def _tile(windows: Windows, line: int) -> int:
    """As many lines of a padded image, of `line` bytes each, as there is room for."""
    rows, weights = windows.rows, _weights(windows, _LANES)
    spare = _TILE_BYTES - windows.filters * _SUM_BYTES - weights - rows.taps * line
    outputs = 1
    if spare >= 0:
        outputs = min(spare // (rows.stride * line) + 1, rows.outputs)
    return ((outputs - 1) * rows.stride + rows.taps + 2 * rows.before) * line


def _weights(windows: Windows, channels: int) -> int:
    """All weights, with so many channels."""
    return windows.taps * channels * windows.filters
