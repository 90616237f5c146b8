"""The float form of requantization gives the integers that its definition gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_runtime.fixed_point import FixedPoint, quantize_multiplier
from tinyml_runtime.requantize import OutputRange, Requantizer, accumulator_dtype


def exact(acc: int, factor: FixedPoint, output: OutputRange, *, wide: bool = False) -> int:
    """One output, by gemmlowp's definition, in Python's unbounded integers."""
    multiplier, shift = factor.multiplier, factor.shift
    if wide:
        reduced = (multiplier + 2**15) >> 16 if multiplier < 0x7FFF0000 else 0x7FFF
        value = (acc * reduced + (1 << (14 - shift))) >> (15 - shift)
    else:
        product = (acc << max(shift, 0)) * multiplier
        nudge = 2**30 if product >= 0 else 1 - 2**30
        high = abs(product + nudge) >> 31
        high = high if product + nudge >= 0 else -high
        right = max(-shift, 0)
        mask = (1 << right) - 1
        threshold = (mask >> 1) + (high < 0)
        value = (high >> right) + ((high & mask) > threshold)
    return min(max(value + output.zero_point, output.minimum), output.maximum)


@st.composite
def layers(draw: st.DrawFn) -> tuple[list[FixedPoint], list[int], int, OutputRange, bool]:
    channels = draw(st.integers(1, 4))
    wide = draw(st.booleans())
    bits = 16 if wide else draw(st.sampled_from([8, 16]))
    limit = 2 ** (bits - 1)
    exponents = st.integers(-14, 1)
    # Multipliers with few bits make exact ties, the ones with many make near ties.
    mantissas = st.one_of(
        st.sampled_from([2**30, 2**30 + 2**29, 2**31 - 1, 2**30 + 1]),
        st.integers(2**30, 2**31 - 1),
    )
    factors = [FixedPoint(draw(mantissas), draw(exponents)) for _ in range(channels)]
    bias = [draw(st.integers(-(2**14), 2**14)) for _ in range(channels)]
    zero_point = draw(st.sampled_from([-limit, -3, 0, 5, limit - 1]))
    minimum = draw(st.sampled_from([-limit, max(-limit, zero_point)]))
    return (factors, bias, 2**20, OutputRange(zero_point, minimum, limit - 1, bits), wide)


@settings(max_examples=300, deadline=None)
@given(layers(), st.integers(0, 2**32 - 1), st.sampled_from([1, 6, 125, 640]))
def test_every_output_is_that_of_the_integer_definition(
    layer: tuple[list[FixedPoint], list[int], int, OutputRange, bool], seed: int, rows: int
) -> None:
    factors, bias, bound, output, wide = layer
    generator = np.random.default_rng(seed)
    small = generator.integers(-1000, 1001, (rows, len(factors)))
    large = generator.integers(-bound, bound + 1, (rows, len(factors)))
    acc = np.where(generator.random(small.shape) < 0.5, small, large)
    requantizer = Requantizer(
        factors,
        output,
        channels=len(factors),
        rows=rows,
        bounds=bound,
        bias=np.array(bias),
        wide=wide,
    )
    out = np.zeros(acc.shape, np.int8 if output.bits == 8 else np.int16)
    requantizer(acc.astype(accumulator_dtype(bound)), out)
    expected = [
        [
            exact(int(a) + b, f, output, wide=wide)
            for a, b, f in zip(row, bias, factors, strict=True)
        ]
        for row in acc
    ]
    np.testing.assert_array_equal(out, expected)


@settings(max_examples=100, deadline=None)
@given(st.integers(2**30, 2**31 - 1), st.integers(-24, -1), st.sampled_from([-128, -3, 0, 127]))
def test_accumulators_of_32_bits_that_come_next_to_a_tie_are_rounded_as_integers_are(
    multiplier: int, shift: int, zero_point: int
) -> None:
    factor, output = FixedPoint(multiplier, shift), OutputRange(zero_point, -128, 127)
    ties = [(2 * n + 1) * 2 ** (30 - shift) // multiplier for n in range(-256, 256)]
    acc = [tie + near for tie in ties for near in (-1, 0, 1) if abs(tie + near) < 2**31]
    requantizer = Requantizer([factor], output, channels=1, rows=len(acc), bounds=2**31 - 1)
    out = np.zeros(len(acc), np.int8)
    requantizer(np.array(acc, np.float64), out)
    assert out.tolist() == [exact(one, factor, output) for one in acc]


def test_ties_round_away_from_zero_after_the_first_rounding() -> None:
    # 1/4 of 2, 6, -2, -6 is 0.5, 1.5, -0.5, -1.5
    output = OutputRange(0, -128, 127)
    requantizer = Requantizer([quantize_multiplier(0.25)], output, channels=1, rows=4, bounds=8)
    out = np.zeros((4, 1), np.int8)
    requantizer(np.array([[2.0], [6.0], [-2.0], [-6.0]], np.float32), out)
    assert out.ravel().tolist() == [1, 2, -1, -2]


def test_accumulators_that_overflow_32_bits_wrap() -> None:
    output = OutputRange(0, -128, 127)
    requantizer = Requantizer(
        [FixedPoint(2**30, -20)], output, channels=1, rows=1, bounds=2**33, bias=np.array([0])
    )
    assert not requantizer.is_float
    out = np.zeros((1, 1), np.int8)
    requantizer(np.array([[2.0**32 + 2**27]]), out)  # 2**27 * 2**-21 = 64
    assert out[0, 0] == 64


@pytest.mark.parametrize(("bound", "dtype"), [(2**24 - 1, np.float32), (2**24, np.float64)])
def test_sums_are_kept_in_the_smallest_float_that_is_exact(bound: int, dtype: type) -> None:
    assert accumulator_dtype(bound) == dtype
