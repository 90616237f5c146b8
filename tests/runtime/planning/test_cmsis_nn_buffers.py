"""Buffers of CMSIS-NN's kernels, beside sizes worked out by hand from its sources."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tinyml_runtime.arena_uses.cmsis_nn import buffer_sizes
from tinyml_runtime.arena_uses.windows import Side, Windows, side
from tinyml_runtime.types import Padding

NONE = frozenset[str]()
DSP = frozenset({"dsp"})
MVE = frozenset({"dsp", "mve"})


def windows(
    size: tuple[int, int],
    taps: tuple[int, int],
    channels: int,
    filters: int,
    *,
    padding: Padding = Padding.SAME,
    stride: int = 1,
    dilation: int = 1,
) -> Windows:
    """Windows of a convolution in one group over one image."""
    rows, columns = (_side(size[axis], taps[axis], stride, padding, dilation) for axis in (0, 1))
    return Windows(1, rows, columns, channels, channels, filters)


def _side(size: int, taps: int, stride: int, padding: Padding, dilation: int) -> Side:
    reach = (taps - 1) * dilation + 1
    outputs = (size + stride - (1 if padding is Padding.SAME else reach)) // stride
    return side(size, taps, stride, padding, dilation, outputs)


@pytest.mark.parametrize(
    ("extensions", "size"),
    # 3 x 3 x 3 = 27 elements: two patches of 28 in 16 bits; with MVE four of 32 bytes.
    [(NONE, 2 * 28 * 2), (DSP, 2 * 28 * 2), (MVE, 4 * 32)],
)
def test_a_convolution_copies_two_patches_or_with_mve_four(
    extensions: frozenset[str], size: int
) -> None:
    assert buffer_sizes.convolve_s8(windows((32, 32), (3, 3), 3, 16), extensions) == size


@pytest.mark.parametrize("extensions", [NONE, DSP, MVE])
@pytest.mark.parametrize("stride", [1, 2])
def test_a_pointwise_convolution_needs_no_buffer(extensions: frozenset[str], stride: int) -> None:
    pointwise = windows((8, 8), (1, 1), 10, 4, stride=stride, padding=Padding.VALID)
    assert buffer_sizes.convolve_s8(pointwise, extensions) == 0


def test_a_pointwise_convolution_in_groups_copies_patches() -> None:
    grouped = replace(windows((8, 8), (1, 1), 10, 4), depth=5)
    # Ten channels, all groups together: two patches of 12 in 16 bits.
    assert buffer_sizes.convolve_s8(grouped, DSP) == 2 * 12 * 2


@pytest.mark.parametrize(
    ("line", "size"),
    [
        # 16 elements, 3 taps, 4 channels, one of padding at either end: 12 + 4 bytes.
        (windows((1, 16), (1, 3), 4, 8), 16),
        # Stride 2 over 16: all padding is one element, at the end; no padding at the start:
        # max(12, 8 + 1 x 4) = 12.
        (windows((1, 16), (1, 3), 4, 8, stride=2), 12),
        # One output with padding at both ends is less than those count: a general convolution,
        # four patches of 12 in 16 bytes.
        (windows((1, 1), (1, 3), 4, 8), 4 * 16),
    ],
)
def test_lines_have_a_way_of_their_own_with_mve(line: Windows, size: int) -> None:
    assert buffer_sizes.convolve_s8(line, MVE) == size


def test_a_line_whose_windows_leave_the_end_out_counts_a_window_there() -> None:
    # (4 - 1) x 3 + 2 - 12 = -1: one window at the end, which takes 2 + 2 bytes for its padding.
    line = windows((1, 12), (1, 2), 4, 8, padding=Padding.VALID, stride=3)
    assert line.columns.outputs == 4
    assert buffer_sizes.convolve_s8(line, MVE) == max(2 * 4, 1 * 4 + 1 * 4)


@pytest.mark.parametrize(
    ("extensions", "size"), [(NONE, 2 * 27 * 2), (DSP, 2 * 27 * 2), (MVE, 4 * 32 * 2)]
)
def test_int16_patches_are_not_padded_without_mve(extensions: frozenset[str], size: int) -> None:
    assert buffer_sizes.convolve_s16(windows((32, 32), (3, 3), 3, 16), extensions) == size


@pytest.mark.parametrize(
    ("taps", "extensions", "size"),
    [
        ((3, 3), NONE, 0),
        ((3, 3), DSP, 0),  # a kernel of its own, that needs none
        ((5, 5), DSP, 25 * 8 * 2),
        ((5, 5), NONE, 0),
        ((3, 3), MVE, 4 * 124 * 9),
        ((5, 5), MVE, 4 * 124 * 25),
    ],
)
def test_depthwise_convolutions_widen_a_patch_with_dsp(
    taps: tuple[int, int], extensions: frozenset[str], size: int
) -> None:
    assert buffer_sizes.depthwise_s8(windows((16, 16), taps, 8, 8), extensions) == size


@pytest.mark.parametrize("extensions", [NONE, DSP, MVE])
def test_depthwise_convolutions_out_of_the_ordinary_need_no_buffer(
    extensions: frozenset[str],
) -> None:
    ordinary = windows((16, 16), (5, 5), 8, 8)
    dilated = windows((16, 16), (5, 5), 8, 8, dilation=2)
    for other in (replace(ordinary, filters=16), replace(ordinary, batch=2), dilated):
        assert buffer_sizes.depthwise_s8(other, extensions) == 0
        assert buffer_sizes.depthwise_s4(other, extensions) == 0


def test_depthwise_convolutions_of_one_channel_become_normal_ones_with_mve() -> None:
    one_channel = windows((49, 10), (10, 4), 1, 8, stride=2)
    # Four patches of 40 elements in 48 bytes, and the weights in another order.
    assert buffer_sizes.depthwise_s8(one_channel, MVE) == 4 * 48 + 8 * 40
    assert buffer_sizes.depthwise_s8(one_channel, DSP) == 0


def test_four_bit_weights_widen_a_patch_without_dsp_too() -> None:
    plain = windows((16, 16), (3, 3), 8, 8)
    assert buffer_sizes.depthwise_s4(plain, NONE) == 9 * 8 * 2
    assert buffer_sizes.depthwise_s4(plain, DSP) == 9 * 8 * 2
    assert buffer_sizes.depthwise_s4(plain, MVE) == 4 * 124 * 9


def test_transposed_convolutions_of_many_channels_become_normal_ones() -> None:
    many = windows((8, 8), (3, 3), 17, 5, stride=2)
    assert buffer_sizes.transpose_convolve_s8(many, DSP) == 2 * 156 * 2
    assert buffer_sizes.transpose_convolve_s8(many, MVE) == 4 * 160
    assert buffer_sizes.reversed_weights_s8(many) == 17 * 9 * 5


@pytest.mark.parametrize("extensions", [NONE, DSP, MVE])
def test_other_transposed_convolutions_keep_sums(extensions: frozenset[str]) -> None:
    few = windows((8, 6), (3, 2), 16, 5, stride=2)
    # (6 - 1) x 2 + 2 columns, 3 rows, 5 filters of 4 bytes.
    assert buffer_sizes.transpose_convolve_s8(few, extensions) == 12 * 3 * 5 * 4
    assert buffer_sizes.reversed_weights_s8(few) == 0


def test_a_transposed_convolution_takes_the_stride_of_the_height_for_the_width_too() -> None:
    steep = replace(windows((8, 6), (1, 1), 4, 5), rows=_side(8, 1, 3, Padding.SAME, 1))
    # (6 - 1) x 1 + max(1, 3) columns, max(1, 3) rows.
    assert buffer_sizes.transpose_convolve_s8(steep, DSP) == 8 * 3 * 5 * 4


def test_sums_of_weights_are_for_mve_sums_of_pools_for_dsp_without_it() -> None:
    for size_of in (buffer_sizes.fully_connected_s8, buffer_sizes.svdf_s8):
        assert [size_of(10, core) for core in (NONE, DSP, MVE)] == [0, 0, 40]
    assert [buffer_sizes.average_pool(10, core) for core in (NONE, DSP, MVE)] == [0, 40, 0]
