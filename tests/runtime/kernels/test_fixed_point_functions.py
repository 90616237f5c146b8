"""Logarithm and reciprocal square root in fixed point: beside real arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_runtime.kernels.fixed_point_functions import inverse_square_root, logarithm


@given(st.integers(2**19, 2**31 - 1))
def test_the_logarithm_of_a_sum_is_near_the_real_one(raw: int) -> None:
    # 12 integer bits in, 5 out: 26 bits behind the point
    exact = math.log(raw / 2**19)
    assert abs(logarithm(raw, 12, 5) / 2**26 - exact) < 2e-6


@given(st.integers(1, 2**31 - 1))
def test_the_reciprocal_square_root_is_near_the_real_one(value: int) -> None:
    multiplier, shift = inverse_square_root(value)
    assert multiplier * 2.0 ** (shift - 31) == pytest.approx(1 / math.sqrt(value), rel=2e-6)


@given(st.lists(st.integers(-5, 2**31 - 1), min_size=1))
def test_roots_of_arrays_are_those_of_single_numbers(values: list[int]) -> None:
    multipliers, shifts = inverse_square_root(np.array(values, np.int64))
    singles = [inverse_square_root(value) for value in values]
    assert list(zip(multipliers.tolist(), shifts.tolist(), strict=True)) == singles


@given(st.lists(st.integers(2**19, 2**31 - 1), min_size=1))
def test_logarithms_of_arrays_are_those_of_single_numbers(values: list[int]) -> None:
    logarithms = logarithm(np.array(values, np.int64), 12, 5)
    assert logarithms.tolist() == [logarithm(value, 12, 5) for value in values]


@pytest.mark.parametrize("value", [1, 0, -7])
def test_the_reciprocal_root_of_what_is_below_two_is_one(value: int) -> None:
    assert inverse_square_root(value) == (2**31 - 1, 0)


def test_the_logarithm_of_one_is_zero() -> None:
    assert abs(logarithm(2**19, 12, 5)) <= 2**4
