"""Loops of CMSIS-NN's kernels: counted by hand, on every case, and beside measured instructions."""

from __future__ import annotations

import csv
import hashlib
import math
import statistics
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.conformance.suite import CASES
from tests.runtime.kernels.test_pooling import MAX, pool
from tests.support.corpus import CORPUS, needs_corpus
from tests.support.layers import conv, dense, depthwise
from tests.support.single_op import SingleOp
from tinyml_profiles.instructions import LoopTable, count_instructions, load_loops
from tinyml_profiles.work import node_workloads
from tinyml_runtime import load_model
from tinyml_runtime.kernels import CMSIS_NN
from tinyml_runtime.types import Padding

DSP, MVE = "cortex-m4", "cortex-m55"
VALID = Padding.VALID


def count(case: SingleOp, core: str) -> dict[str, tuple[float, float]]:
    """Entries and trips of every loop of a model of one operator."""
    totals: dict[str, tuple[float, float]] = defaultdict(lambda: (0, 0))
    (work,) = node_workloads(case.model(), core, CMSIS_NN)
    for each in work.loops:
        entries, trips = totals[each.loop]
        totals[each.loop] = entries + each.entries, trips + each.trips
    return dict(totals)


def test_a_pointwise_convolution_takes_rows_and_pixels_by_twos_with_dsp() -> None:
    found = count(conv(image=(1, 1, 5, 22), filters=3, taps=(1, 1)), DSP)
    # 3 filters: a pair and one; 5 pixels: 2 pairs and one; depth 22 = 16 + 4 + 1 + 1
    assert found["mat_mult_nt_t_s8.square"][1] == 2
    assert found["mat_mult_nt_t_s8.square_16"] == (2, 2)
    assert found["mat_mult_nt_t_s8.square_4"] == (2, 2)
    assert found["mat_mult_nt_t_s8.square_1"] == (2, 4)
    assert found["mat_mult_nt_t_s8.line_16"] == (1, 1)
    assert found["mat_mult_nt_t_s8.single_1"][1] == 5 * 22


def test_a_pointwise_convolution_takes_four_pixels_and_sixteen_channels_with_mve() -> None:
    found = count(conv(image=(1, 1, 6, 22), filters=5, taps=(1, 1)), MVE)
    # 6 pixels: 4 at once, 2 alone; depth 22 in 2 vectors; 5 filters: 4 scaled at once, and 1
    assert found["mat_mult_nt_t_s8.four_16"][1] == 5 * 2
    assert found["mat_mult_nt_t_s8.one_16"][1] == 2 * 5 * 2
    assert found["mat_mult_nt_t_s8.scale_4"][1] == 2
    assert found["mat_mult_nt_t_s8.scale_1"][1] == 2


def test_taps_in_the_padding_are_filled_and_the_others_copied() -> None:
    found = count(conv(image=(1, 3, 3, 4), filters=2), DSP)
    # Along each side the positions have 2, 3 and 2 taps inside: 7 x 7 of 9 x 9.
    assert found["convolve_s8.tap"][1] == 81
    assert found["patch_copy.call"][0] == 49
    assert found["patch_copy.bytes_4"] == (49, 49)
    assert found["patch_fill.call"][0] == 81 - 49
    # 9 patches of 36 elements: 4 pairs, each with a pair of filters, and a last one.
    assert found["mat_mult_kernel_s8_s16.pair_4"] == (4, 4 * 9)
    assert found["convolve_s8.last_4"] == (2, 2 * 9)


def test_copies_off_words_are_counted_one_by_one() -> None:
    found = count(conv(image=(1, 1, 4, 3), filters=2, taps=(1, 2), padding=VALID), DSP)
    # Pixels start at 0, 3, 6 and 9, taps in the buffer at 0 and 3, and at 6 and 9 in the second of
    # two patches: (0, 0), (3, 3); (3, 6), (6, 9); (6, 0), (9, 3): the first only is on words.
    assert found["patch_copy.call"][0] == 6
    assert found["patch_copy.astray_short"][0] == 5


def test_a_depthwise_convolution_of_3_by_3_clips_its_windows() -> None:
    found = count(depthwise(image=(1, 3, 3, 6)), DSP)
    # 7 rows inside at each of 3 columns; the first tap is inside at 2 of the columns, as the last.
    assert found["depthwise_conv_3x3_s8.pixel"][1] == 9
    assert found["depthwise_conv_3x3_s8.four_row"][1] == 21
    assert found["depthwise_conv_3x3_s8.four_first"][1] == 14
    assert found["depthwise_conv_3x3_s8.one_last"][1] == 2 * 14


def test_a_depthwise_convolution_works_on_blocks_of_channels_with_mve() -> None:
    found = count(depthwise(image=(1, 3, 3, 130), padding=VALID), MVE)
    # Blocks of 124 and 6 channels: 31 + 2 times four channels; 1 pixel is not four.
    assert found["depthwise_conv_s8_opt.block"][1] == 2
    assert found["depthwise_conv_s8_opt.rest_four"][1] == 33
    assert found["depthwise_conv_s8_opt.rest_tap"][1] == 33 * 9
    # 124 channels are 8 vectors of 16, 6 are one.
    assert found["depthwise_conv_s8_opt.copy"] == (18, 9 * (8 + 1))


@pytest.mark.parametrize(("core", "rows", "row"), [(DSP, 3, 1), (MVE, 1, 3)])
def test_a_fully_connected_layer_takes_units_together(core: str, rows: int, row: int) -> None:
    found = count(dense(depth=21, units=7), core)
    assert found["vec_mat_mult_t_s8.rows"] == (1, rows)
    assert found["vec_mat_mult_t_s8.row"] == (1, row)


def test_an_output_of_three_dimensions_is_a_convolution_if_rows_are_words() -> None:
    assert "fully_connected_1x1_s8.call" in count(dense(lead=(1, 5), depth=8), DSP)
    assert "fully_connected_s8.call" in count(dense(lead=(1, 5), depth=9), DSP)


def test_the_first_tap_of_a_maximum_is_copied() -> None:
    found = count(pool(MAX, image=(1, 4, 4, 5), strides=(2, 2)), DSP)
    # 4 windows of 4 taps; 5 channels are one word and one byte; 20 outputs are clamped.
    assert found["patch_copy.call"][0] == 4
    assert found["max_pool_s8.more_4"] == (12, 12)
    assert found["max_pool_s8.clamp_4"] == (1, 5)


@pytest.mark.parametrize("core", [DSP, MVE])
def test_every_kernel_counts_its_loops_on_all_cases(core: str) -> None:
    cases = [case for case in CASES if case.operator in CMSIS_NN.workloads]
    for case in cases[::3]:
        if len(case.model.subgraphs) > 1:
            continue
        for work in node_workloads(case.model, core, CMSIS_NN):
            for loop in work.loops:
                assert math.isfinite(loop.entries), case.name
                assert min(loop.entries, loop.trips) >= 0, case.name


LIMITS = {"SOFTMAX": 0.05, "UNIDIRECTIONAL_SEQUENCE_LSTM": 0.01, "SVDF": 0.01}
NAMED = (
    *("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "ADD", "AVERAGE_POOL_2D", "PAD"),
    *("SVDF", "SOFTMAX", "UNIDIRECTIONAL_SEQUENCE_LSTM", "TRANSPOSE_CONV"),
)


@needs_corpus
@pytest.mark.parametrize("core", ["cortex-m4", "cortex-m7", "cortex-m33", "cortex-m55"])
def test_shipped_mixes_give_the_measured_instructions(core: str) -> None:
    table = load_loops("cmsis-nn", core)
    assert table is not None
    errors: dict[str, list[float]] = defaultdict(list)
    wholes: list[float] = []
    for operator, predicted, measured in _beside_measured(core, table):
        if operator == "":
            wholes.append(predicted / measured - 1)
        else:
            errors[operator].append(abs(predicted / measured - 1))
    for operator in NAMED:
        found = sorted(errors[operator])
        assert statistics.median(found) < LIMITS.get(operator, 0.005), operator
        if operator != "SOFTMAX":
            assert found[int(0.95 * len(found))] < 0.03, operator
    assert statistics.median(map(abs, wholes)) < 0.01
    assert max(map(abs, wholes)) < 0.03


def _beside_measured(core: str, table: LoopTable) -> Iterator[tuple[str, float, float]]:
    """Predicted and measured instructions of every node, and of whole models (without a name)."""
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with (CORPUS / "truth" / "ops_arm.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["cpu"] == core and row["kernels"] == "cmsis-nn" and int(row["op_index"]) >= 0:
                rows[row["model"]].append(row)
    for name, path in _models().items():
        nodes = rows.get(name, [])
        if not nodes or any(row["op_name"].startswith("Signal") for row in nodes):
            continue
        works = node_workloads(load_model(str(path)), core, "cmsis-nn")
        whole = 0.0
        for row in nodes:
            found = count_instructions(works[int(row["op_index"])].loops, table).total
            whole += found
            yield row["op_name"], found, int(row["instructions"])
        if len(nodes) > 1:
            yield "", whole, sum(int(row["instructions"]) for row in nodes)


@cache
def _models() -> dict[str, Path]:
    """Models of the corpus by the names that the measurements give them."""
    with (CORPUS / "truth" / "arena_arm.csv").open(newline="") as file:
        names = {row["sha256"]: row["model"] for row in csv.DictReader(file)}
    found: dict[str, Path] = {}
    for path in sorted((CORPUS / "models").rglob("*.tflite")):
        name = names.get(hashlib.sha256(path.read_bytes()).hexdigest())
        if name is not None:
            found[name] = path
    return found
