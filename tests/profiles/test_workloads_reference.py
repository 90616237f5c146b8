"""Loops of the reference's and ESP-NN's kernels: counted by hand, and on every case."""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np
import pytest

from tests.conformance.suite import CASES
from tests.runtime.kernels.test_arithmetic import binary
from tests.runtime.kernels.test_concatenation import concatenation
from tests.runtime.kernels.test_lstm import lstm
from tests.runtime.kernels.test_pad import pad
from tests.runtime.kernels.test_pooling import AVERAGE, pool
from tests.runtime.kernels.test_shapes import reshape
from tests.runtime.kernels.test_softmax import TO_INT8, softmax
from tests.runtime.kernels.test_svdf import svdf
from tests.runtime.kernels.test_transpose_conv import transpose_conv
from tests.support.layers import conv, dense, depthwise
from tests.support.single_op import SingleOp, constant, fed
from tinyml_profiles.work import node_workloads
from tinyml_runtime.kernels import ESP_NN, REFERENCE
from tinyml_runtime.library import KernelLibrary
from tinyml_runtime.model.options import StridedSliceOptions
from tinyml_runtime.types import BuiltinOperator, Padding

CORE = "rv32imc"
VALID = Padding.VALID


def count(case: SingleOp, library: KernelLibrary = REFERENCE) -> dict[str, tuple[float, float]]:
    """Entries and trips of every loop of a model of one operator."""
    totals: dict[str, tuple[float, float]] = defaultdict(lambda: (0, 0))
    (work,) = node_workloads(case.model(), CORE, library)
    for each in work.loops:
        entries, trips = totals[each.loop]
        totals[each.loop] = entries + each.entries, trips + each.trips
    return dict(totals)


def test_a_convolution_asks_every_tap_and_multiplies_those_inside() -> None:
    found = count(conv(image=(1, 3, 3, 4), filters=2))
    # 9 pixels, 2 filters, 3 by 3 taps; along a side 2 + 3 + 2 = 7 taps are inside
    assert found["conv_int8.tap"][1] == 9 * 2 * 9
    assert found["conv_int8.depth"] == (2 * 7 * 7, 2 * 7 * 7 * 4)


def test_int16_convolutions_with_sums_of_32_bits_are_other_code() -> None:
    assert "conv_int16.call" in count(conv("int16", bias="int64", zero_points=(0, 0)))
    assert "conv_int16_int32.call" in count(conv("int16", bias="int32", zero_points=(0, 0)))


def test_weights_of_four_bits_are_unpacked_first() -> None:
    found = count(dense(depth=10, units=3, weights="int4"))
    assert found["unpack_int4.byte"] == (1, 15)


def test_a_depthwise_convolution_walks_one_channel_for_every_output() -> None:
    found = count(depthwise(image=(1, 3, 3, 2), multiplier=3))
    assert found["depthwise_conv_int8.channel"][1] == 9 * 2
    assert found["depthwise_conv_int8.output"][1] == 9 * 6
    assert found["depthwise_conv_int8.inside"][1] == 6 * 7 * 7


def test_a_fully_connected_layer_has_a_dot_product_for_every_output() -> None:
    found = count(dense(depth=9, units=5, lead=(2, 3)))
    assert found["fully_connected_int8.batch"][1] == 6
    assert found["fully_connected_int8.depth"] == (30, 270)
    assert "fully_connected_int8_per_channel.depth" in count(dense(per_channel=True))


def test_tensors_of_one_shape_need_one_flat_loop() -> None:
    found = count(binary(BuiltinOperator.ADD, shapes=((2, 5), (2, 5), (2, 5))))
    assert found["add_int8.element"][1] == 10
    assert "add_int8.level" not in found


def test_neighbouring_dimensions_that_repeat_alike_are_one_loop() -> None:
    shapes = ((2, 3, 4), (2, 1, 1), (2, 3, 4))
    found = count(binary(BuiltinOperator.ADD, shapes=shapes))
    # An inner loop of 12 elements, entered twice from an outer one, entered once.
    assert found["add_int8.level"][1] == 3
    assert found["add_int8.second_still"][1] == 24
    both = count(binary(BuiltinOperator.ADD, shapes=((2, 3, 4), (1, 3, 1), (2, 3, 4))))
    # Loops of 4, 3 and 2: entered 6, 2 times and once.
    assert both["add_int8.level"][1] == 9


def test_an_average_is_of_the_taps_inside() -> None:
    found = count(pool(AVERAGE, image=(1, 4, 4, 5), taps=(3, 3), padding=Padding.SAME))
    # Along a side 2 + 3 + 3 + 2 = 10 taps are inside, at 4 positions.
    assert found["average_pool_int8.row"][1] == 5 * 4 * 10
    assert found["average_pool_int8.tap"][1] == 5 * 10 * 10


def test_padding_asks_from_the_outer_axis_inwards() -> None:
    found = count(pad((2, 3), ((1, 0), (0, 2))))
    # 3 by 5: a row before is known by the 7th question (the axis is the 4th of 5), and two
    # elements behind each of 2 rows by the 10th.
    assert found["pad_int8.copied"][1] == 6
    assert found["pad_int8.padded"][1] == 9
    assert found["pad_int8.question"][1] == 5 * 7 + 4 * 10


def test_a_transposed_convolution_leaves_out_what_falls_outside() -> None:
    found = count(transpose_conv(image=(1, 2, 2, 3), filters=4, taps=(3, 3), strides=(1, 1)))
    # Of a side of 2, 2 + 2 of 3 + 3 taps fall inside.
    assert found["transpose_conv_int8.filter"][1] == 3 * 6 * 6 * 4
    assert found["transpose_conv_int8.inside"][1] == 3 * 4 * 4 * 4


def test_recurrent_layers_count_steps_units_and_products() -> None:
    found = count(lstm(steps=4, features=3, units=5, batch=2))
    assert found["lstm_int8.step"][1] == 8
    assert found["lstm_int8.depth"][1] == 8 * 4 * 5 * (3 + 5)
    found = count(svdf(features=6, units=4, rank=2, memory=3))
    assert found["svdf_int8.depth"][1] == 8 * 6
    assert found["svdf_int8.memory"][1] == 8 * 3
    assert found["svdf_int8.unit"][1] == 4


def test_all_exponentials_are_taken_where_no_difference_is_too_large() -> None:
    assert count(softmax(TO_INT8, (3, 4), scale=0.02))["softmax_int8.near"][1] == 12
    # A scale of 20: of a row only the maximum itself is near enough.
    found = count(softmax(TO_INT8, (3, 4), scale=20.0))
    assert found["softmax_int8.near"][1] == pytest.approx(3, abs=0.01)
    assert found["softmax_int8.far"][1] == pytest.approx(9, abs=0.01)


def test_copies_are_blocks_words_and_bytes() -> None:
    found = count(reshape((1, 95), (95,)))
    # 95 = 64 + 16 + 3 * 4 + 3
    assert found["copy_aligned.block64"][1] == 1
    assert found["copy_aligned.block16"][1] == 1
    assert found["copy_aligned.word"][1] == 3
    assert found["copy_aligned.byte"][1] == 3


def test_rows_of_a_slice_are_copied_from_where_they_lie() -> None:
    box = [constant(np.array(each, np.int32)) for each in ((0, 1), (4, 4), (1, 1))]
    case = SingleOp(
        BuiltinOperator.STRIDED_SLICE,
        [fed((4, 5), np.int8), *box],
        [fed((4, 3), np.int8)],
        StridedSliceOptions(),
    )
    found = count(case)
    # From 1, 6, 11, 16 to 0, 3, 6, 9: none of the pairs lies on words.
    assert found["strided_slice_of_1.row"][1] == 4
    assert found["copy_short_unaligned.byte"][1] == 12


def test_rows_of_a_concatenation_alternate() -> None:
    found = count(concatenation(1, np.int8, (4, 3), (8,)))
    # 8 rows of 4 and of 3 bytes from 4r and 3r to 7r and 7r + 4: on words at r = 0 and 4.
    assert found["concatenation.copy"][1] == 16
    assert found["copy_short_aligned.word"][1] == 2
    assert found["copy_short_aligned.byte"][1] == 2 * 3
    assert found["copy_short_unaligned.word"][1] == 6


def test_esp_nn_takes_channels_by_fours_and_clips_windows_beforehand() -> None:
    found = count(conv(image=(1, 3, 3, 6), filters=2), ESP_NN)
    assert found["esp_conv.block"] == (98, 98)
    assert found["esp_conv.rest"] == (98, 98 * 2)
    found = count(depthwise(image=(1, 3, 3, 6)), ESP_NN)
    assert found["esp_depthwise_conv.block_tap"][1] == 49
    assert found["esp_depthwise_conv.rest_tap"][1] == 2 * 49


def test_esp_nn_leaves_dilated_windows_and_other_types_to_the_reference() -> None:
    assert "conv_int8.call" in count(conv(image=(1, 9, 9, 3), dilations=(2, 2)), ESP_NN)
    assert "conv_int16.call" in count(conv("int16", bias="int64", zero_points=(0, 0)), ESP_NN)
    assert "esp_conv_1x1.call" in count(conv(taps=(1, 1)), ESP_NN)


@pytest.mark.parametrize("library", [REFERENCE, ESP_NN], ids=lambda library: library.name)
def test_every_kernel_counts_its_loops_on_all_cases(library: KernelLibrary) -> None:
    for case in CASES[::3]:
        if len(case.model.subgraphs) > 1:
            continue
        for work in node_workloads(case.model, CORE, library):
            for loop in work.loops:
                assert math.isfinite(loop.entries), case.name
                assert math.isfinite(loop.trips), case.name
                assert min(loop.entries, loop.trips) >= 0, case.name
