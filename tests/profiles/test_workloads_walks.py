"""Loops of kernels that walk over elements by an index: counted by hand."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from tests.runtime.kernels.test_batch_matmul import matmul
from tests.runtime.kernels.test_reduce import mean
from tests.runtime.kernels.test_reductions import reduction
from tests.runtime.kernels.test_resize import BILINEAR, NEAREST, resize
from tests.runtime.kernels.test_shapes import transpose
from tests.runtime.kernels.test_variables import delay
from tests.support.single_op import SingleOp, fed
from tinyml_profiles.instructions import count_instructions, load_loops
from tinyml_profiles.work import node_workloads
from tinyml_runtime.types import BuiltinOperator as Op

CORE = "rv32imc"


def count(case: SingleOp) -> dict[str, tuple[float, float]]:
    """Entries and trips of every loop of a model of one operator."""
    totals: dict[str, tuple[float, float]] = defaultdict(lambda: (0, 0))
    (work,) = node_workloads(case.model(), CORE)
    for each in work.loops:
        entries, trips = totals[each.loop]
        totals[each.loop] = entries + each.entries, trips + each.trips
    return dict(totals)


def test_a_reduction_asks_of_every_dimension_whether_it_is_an_axis() -> None:
    found = count(mean((2, 1), (2, 3, 4, 5)))
    assert found["quantized_mean_int8.element"][1] == 120
    assert found["quantized_mean_int8.output"][1] == 10
    # Axes 2 and 1, in that order: dimensions 0 and 3 are neither, which takes two questions, 1 is
    # the second one, 2 the first. 0 and 1 start a search, those behind an axis go on with it.
    first, *others = 5 + 3 + 5 + 2 * 6 + 9, 5 + 3 + 5 + 6 + 7 + 2, 5 + 3 + 7 + 2, 5 + 3 + 2 * 6 + 9
    # The index starts anew at the end of 24 rows, 6 planes, 2 images, and of the whole.
    assert found["reduce.step"] == (1, 120 * (first + sum(others)) + 11 * (24 + 6 + 2 + 1))


def test_axes_count_from_the_end_and_once() -> None:
    assert count(mean((-1, 3), (2, 3, 4, 5))) == count(mean((3,), (2, 3, 4, 5)))


def test_sums_and_means_of_integers_are_one_kernel_and_those_of_floats_two() -> None:
    assert count(reduction(Op.SUM)).keys() == count(mean()).keys()
    floats = count(reduction(Op.SUM, np.float32)), count(mean(kind=np.float32))
    assert floats[0].keys() != floats[1].keys()


def test_the_mean_of_an_image_that_keeps_its_rank_has_a_kernel_that_nobody_counted() -> None:
    found = count(mean((1, 2), (2, 3, 4, 5), np.float32, keep_dims=True))
    assert found == {"generic.call": (1, 0), "generic.element": (0, 120)}


def test_a_transposition_calls_itself_for_each_dimension_but_the_last() -> None:
    found = count(transpose((2, 0, 1), (3, 4, 5)))
    # Of 5 by 3 by 4: one call, 5 below it, 15 that copy rows of 4.
    assert found["transpose.visit"][1] == 1 + 5 + 15
    assert found["transpose_of_1.element"][1] == 60


def test_a_product_of_matrices_turns_the_right_one_before() -> None:
    found = count(matmul((2, 3, 5), (2, 5, 4), (2, 3, 4)))
    assert found["batch_matmul_int8.depth"] == (24, 24 * 5)
    assert found["batch_matmul_int8.column"][1] == 2 * 4
    # 2 matrices of 5 by 4 become 4 by 5.
    assert found["transpose_of_1.element"][1] == 40
    turned = count(matmul((2, 3, 5), (2, 4, 5), (2, 3, 4), adjoint=(False, True)))
    assert turned["batch_matmul_int8.turn"] == (0, 0)
    assert "transpose_of_1.element" not in turned


def test_resizing_finds_a_place_for_every_row_and_every_pixel() -> None:
    found = count(resize(NEAREST, (2, 2), (4, 6), np.float32, batch=2, channels=4))
    assert found["resize.place"][1] == 2 * 4 * (1 + 6)
    # Every pixel is 16 bytes on words.
    assert found["copy_aligned.block16"][1] == 2 * 4 * 6
    found = count(resize(BILINEAR, (2, 2), (4, 6), np.float32, batch=2, channels=4))
    assert found["resize_bilinear_float32.element"][1] == 2 * 4 * 6 * 4
    assert "resize.place" not in count(resize(BILINEAR, (2, 2), (4, 6)))


@pytest.mark.parametrize(
    ("operator", "shapes", "loop", "turns"),
    [
        (Op.SPLIT, ((4, 6), (2, 6)), "generic.move", 12),
        (Op.ARG_MAX, ((4, 6), (4,)), "generic.element", 24),
        (Op.CEIL, ((4, 6), (4, 6)), "generic.element", 24),
    ],
)
def test_a_kernel_that_nobody_counted_has_an_assumed_loop(
    operator: Op, shapes: tuple[tuple[int, ...], tuple[int, ...]], loop: str, turns: int
) -> None:
    source, output = shapes
    case = SingleOp(operator, [fed(source, np.int8, 0.1)], [fed(output, np.int8, 0.1)])
    (work,) = node_workloads(case.model(), CORE)
    assert [(each.loop, each.trips) for each in work.loops] == [("generic.call", 0), (loop, turns)]
    table = load_loops("reference", CORE)
    assert table is not None
    priced = count_instructions(work.loops, table)
    assert (priced.evidence, priced.unpriced) == ("assumed", ())
    assert priced.total > turns


def test_a_variable_is_read_and_assigned_by_copies() -> None:
    # 20 bytes on words: a block of 16 and a word.
    copied = {"generic.call", "copy_aligned.call", "copy_aligned.block16", "copy_aligned.word"}
    loops = [
        (work.node.operator, {each.loop for each in work.loops})
        for work in node_workloads(delay(fed((5,), np.float32)), CORE)
    ]
    assert loops == [
        *[("VAR_HANDLE", {"generic.call"})] * 2,
        *[("READ_VARIABLE", copied)] * 2,
        *[("ASSIGN_VARIABLE", copied)] * 2,
    ]
