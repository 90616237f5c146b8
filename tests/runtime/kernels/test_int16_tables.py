"""Tables of int16 logistic and tanh: beside the real functions."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_runtime.kernels.int16_tables import logistic_table, tanh_table
from tinyml_runtime.tensor import Array

INPUTS = np.arange(-(2**15), 2**15)
# Multiplier and left shift, and the scale of inputs that they stand for.
SCALES = [
    ((0, 0), 2.0**-12),
    ((0, 2), 2.0**-10),
    ((3, 3), 2.0**-15),
    ((20_000, 15), 2.0**-12 * 20_000 / 2**15 / 3),
]


@pytest.mark.parametrize(("arguments", "scale"), SCALES)
def test_the_logistic_is_close_to_the_real_one(arguments: tuple[int, int], scale: float) -> None:
    real = 1.0 / (1.0 + np.exp(-INPUTS * scale))
    assert np.abs(logistic_table(*arguments)[INPUTS] - real * 2**15).max() < 2.0


@pytest.mark.parametrize(("arguments", "scale"), SCALES)
def test_tanh_is_close_to_the_real_one(arguments: tuple[int, int], scale: float) -> None:
    real = np.tanh(INPUTS * scale)
    assert np.abs(tanh_table(*arguments)[INPUTS] - real * 2**15).max() < 3.0


@pytest.mark.parametrize("table", [logistic_table(), tanh_table(), tanh_table(0, 4)])
def test_a_larger_input_never_gives_a_smaller_result(table: Array) -> None:
    assert np.all(np.diff(table[INPUTS].astype(int)) >= 0)


def test_the_ends_of_the_range_have_the_results_of_tflm() -> None:
    # of its loops, run in C++
    assert logistic_table()[[-(2**15), 2**15 - 1, 0]].tolist() == [11, 32757, 16384]
    assert tanh_table()[[-(2**15), 2**15 - 1, 0]].tolist() == [-32767, 32767, 0]


def test_a_table_that_is_asked_for_twice_is_made_once() -> None:
    assert tanh_table(0, 3) is tanh_table(0, 3)
