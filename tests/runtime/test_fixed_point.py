"""Fixed-point arithmetic beside its definitions, written in Python's unbounded integers."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_runtime.errors import NodeError
from tinyml_runtime.fixed_point import (
    INT32_MAX,
    INT32_MIN,
    FixedPoint,
    float32_ratio,
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multiplier_above_one,
    quantize_multiplier_below_one,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)

INT32 = st.one_of(
    st.integers(INT32_MIN, INT32_MAX),
    st.integers(-300, 300),
    st.sampled_from([INT32_MIN, INT32_MAX, 2**30, -(2**30), 2**30 + 1]),
)
MULTIPLIERS = st.one_of(
    st.integers(2**30, 2**31 - 1), st.sampled_from([0, 2**30, 3 * 2**29, -(2**30), INT32_MIN])
)


def wrapped(value: int) -> int:
    return (value + 2**31) % 2**32 - 2**31


def nearest(value: Fraction, *, ties_up: bool) -> int:
    """The nearest integer; ties toward plus infinity, or away from zero."""
    floor = value.numerator // value.denominator
    rest = value - floor
    if rest == Fraction(1, 2):
        return floor + 1 if ties_up or value > 0 else floor
    return floor + (rest > Fraction(1, 2))


def high_mul(a: int, b: int) -> int:
    return min(nearest(Fraction(a * b, 2**31), ties_up=True), INT32_MAX)


def product(value: int, multiplier: int, shift: int) -> int:
    high = high_mul(wrapped(value << max(shift, 0)), multiplier)
    return nearest(Fraction(high, 2 ** max(-shift, 0)), ties_up=False)


@given(INT32, INT32)
def test_the_high_product_is_rounded_and_saturates_once(a: int, b: int) -> None:
    assert saturating_rounding_doubling_high_mul(a, b) == high_mul(a, b)


@given(INT32, st.integers(0, 31))
def test_division_by_a_power_of_two_rounds_ties_away_from_zero(value: int, power: int) -> None:
    expected = nearest(Fraction(value, 2**power), ties_up=False)
    assert rounding_divide_by_pot(value, power) == expected


@given(st.integers(-(2**60), 2**60))
def test_wrapping_keeps_the_low_32_bits(value: int) -> None:
    assert wrap_int32(value) == wrapped(value)


@given(st.lists(INT32, min_size=1, max_size=5), MULTIPLIERS, st.integers(-31, 31))
def test_one_factor_for_all_values_rounds_twice(
    values: list[int], multiplier: int, shift: int
) -> None:
    result = multiply_by_quantized_multiplier(np.array(values), multiplier, shift)
    assert result.tolist() == [product(value, multiplier, shift) for value in values]


@given(st.lists(st.tuples(INT32, MULTIPLIERS, st.integers(-31, 31)), min_size=1, max_size=5))
def test_a_factor_for_each_value_gives_what_it_gives_alone(
    operands: list[tuple[int, int, int]],
) -> None:
    values, multipliers, shifts = (np.array(column) for column in zip(*operands, strict=True))
    result = multiply_by_quantized_multiplier(values, multipliers, shifts)
    assert result.tolist() == [product(*operand) for operand in operands]


def test_multiplying_leaves_the_values_alone() -> None:
    values = np.array([1, -5, 7])
    multiply_by_quantized_multiplier(values, 2**30, -2)
    assert values.tolist() == [1, -5, 7]


@given(st.integers(-(2**46), 2**46), st.integers(2**30, 2**31 - 1), st.integers(-31, 7))
def test_wide_values_are_multiplied_by_16_bits_and_rounded_once(
    value: int, multiplier: int, shift: int
) -> None:
    reduced = min((multiplier + 2**15) >> 16, 0x7FFF)
    total = 15 - shift
    expected = wrapped((value * reduced + (1 << (total - 1))) >> total)
    assert multiply_wide_by_quantized_multiplier(value, multiplier, shift) == expected


@given(st.floats(2.0**-31, 2.0**40))
def test_a_quantized_multiplier_is_as_close_to_the_factor_as_31_bits_allow(factor: float) -> None:
    quantized = quantize_multiplier(factor)
    assert 2**30 <= quantized.multiplier < 2**31
    value = Fraction(quantized.multiplier) * Fraction(2) ** (quantized.shift - 31)
    assert abs(value - Fraction(factor)) <= Fraction(2) ** (quantized.shift - 32)


@given(st.floats(2.0**-31, 2.0**30))
def test_a_negative_factor_is_quantized_as_the_positive_one(factor: float) -> None:
    positive, negative = quantize_multiplier(factor), quantize_multiplier(-factor)
    # Only -1 fits into 32 bits where 1 does not, so that it keeps its shift.
    assert (negative.multiplier, negative.shift) in (
        (-positive.multiplier, positive.shift),
        (INT32_MIN, positive.shift - 1),
    )


QUANTIZED = {
    "one": (1.0, FixedPoint(2**30, 1)),
    "three quarters": (0.75, FixedPoint(3 * 2**29, 0)),
    "a tie rounds up": (0.5 + 2.0**-32, FixedPoint(2**30 + 1, 0)),
    "below a tie rounds down": (0.5 + 2.0**-32 - 2.0**-50, FixedPoint(2**30, 0)),
    "what rounds to one": (1.0 - 2.0**-40, FixedPoint(2**30, 1)),
    "the smallest that is kept": (2.0**-32, FixedPoint(2**30, -31)),
    "what is too small": (2.0**-33, FixedPoint(0, 0)),
    "zero": (0.0, FixedPoint(0, 0)),
    "a negative tie": (-0.5 - 2.0**-32, FixedPoint(-(2**30) - 1, 0)),
    "beyond a shift of 30": (2.0**31, FixedPoint(2**30, 32)),
    "infinity": (float("inf"), FixedPoint(0, 0)),
    "no number": (float("nan"), FixedPoint(0, 0)),
}


@pytest.mark.parametrize(("factor", "expected"), QUANTIZED.values(), ids=QUANTIZED)
def test_quantizes(factor: float, expected: FixedPoint) -> None:
    assert quantize_multiplier(factor) == expected


@pytest.mark.parametrize("factor", [0.0, -0.5, 1.0, 1.5, 1.0 - 2.0**-40, float("nan")])
def test_what_is_not_between_0_and_1_is_refused_where_it_must_be(factor: float) -> None:
    with pytest.raises(NodeError, match="between 0 and 1"):
        quantize_multiplier_below_one(factor)


@pytest.mark.parametrize("factor", [0.0, -2.0, 1.0, float("nan")])
def test_what_is_not_above_1_is_refused_where_it_must_be(factor: float) -> None:
    with pytest.raises(NodeError, match="above 1"):
        quantize_multiplier_above_one(factor)


def test_factors_on_the_right_side_of_1_are_quantized() -> None:
    assert quantize_multiplier_below_one(0.5) == FixedPoint(2**30, 0)
    assert quantize_multiplier_above_one(2.0) == FixedPoint(2**30, 2)


def test_a_float32_ratio_is_rounded_to_24_bits() -> None:
    assert float32_ratio(1.0, 3.0) == 11184811 / 2**25
    assert float32_ratio(1.0, 0.0) == float("inf")
