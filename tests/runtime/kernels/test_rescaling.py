"""Rescaling of few accumulators: always what the definition in integers gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyml_runtime.fixed_point import (
    FixedPoint,
    multiply_by_quantized_multiplier,
    multiply_wide_by_quantized_multiplier,
    quantize_multiplier,
    wrap_int32,
)
from tinyml_runtime.kernels.rescaled_product import RescaledProduct
from tinyml_runtime.kernels.rescaling import Rescaling
from tinyml_runtime.tensor import Array

INT8, INT16 = (-128, 127), (-(2**15), 2**15 - 1)


def _accumulators(bound: int, columns: int, seed: int) -> Array:
    """Values of all sizes up to the bound, with the bound itself and small ones among them."""
    generator = np.random.default_rng(seed)
    sizes = np.exp2(generator.uniform(0.0, np.log2(bound), (50, columns)))
    values = (sizes * generator.choice([-1, 1], sizes.shape)).astype(np.int64)
    values[:7] = np.array([bound, -bound, 0, 1, -1, 2, -2])[:, np.newaxis]
    return values


@given(
    exponents=st.lists(st.floats(-34.0, 20.0), min_size=1, max_size=4),
    bound=st.integers(3, 2**32),
    zero_point=st.integers(-128, 127),
    limits=st.sampled_from([INT8, INT16]),
    bias=st.none() | st.integers(-(2**31), 2**31 - 1),
    seed=st.integers(0, 100),
)
def test_any_factor_is_applied_as_gemmlowp_does(
    exponents: list[float],
    bound: int,
    zero_point: int,
    limits: tuple[int, int],
    bias: int | None,
    seed: int,
) -> None:
    factors = [quantize_multiplier(2.0**exponent) for exponent in exponents]
    values = _accumulators(bound, 3 * len(factors), seed)
    multipliers = np.repeat([f.multiplier for f in factors], 3)
    shifts = np.repeat([f.shift for f in factors], 3)
    sums = wrap_int32(values + (bias or 0))
    scaled = multiply_by_quantized_multiplier(sums, multipliers, shifts)
    largest = float(bound + abs(bias or 0))
    rescale = Rescaling(factors, 3 * len(factors), limits, bounds=largest, zero_point=zero_point)
    rescaled = values.astype(np.float64)
    biases = None if bias is None else np.full((1, 3 * len(factors)), float(bias))
    rescale.bind(rescaled, rescaled, biases=biases)()
    np.testing.assert_array_equal(rescaled, np.clip(scaled + zero_point, *limits))


@given(
    exponents=st.lists(st.floats(-30.0, 14.0), min_size=1, max_size=4),
    bound=st.integers(3, 2**45),
    zero_point=st.integers(-128, 127),
    seed=st.integers(0, 100),
)
def test_any_factor_is_applied_to_wide_accumulators_as_tflm_does(
    exponents: list[float], bound: int, zero_point: int, seed: int
) -> None:
    factors = [quantize_multiplier(2.0**exponent) for exponent in exponents]
    values = _accumulators(bound, len(factors), seed)
    multipliers = np.array([f.multiplier for f in factors])
    shifts = np.array([f.shift for f in factors])
    scaled = multiply_wide_by_quantized_multiplier(values, multipliers, shifts)
    rescale = Rescaling(
        factors, len(factors), INT16, bounds=float(bound), zero_point=zero_point, wide=True
    )
    rescaled = values.astype(np.float64)
    rescale.bind(rescaled, rescaled)()
    np.testing.assert_array_equal(rescaled, np.clip(scaled + zero_point, *INT16))


@given(
    exponent=st.floats(-13.0, 0.0),
    zero_point=st.integers(-128, 127),
    rows=st.integers(1, 2),
    seed=st.integers(0, 100),
)
def test_values_near_a_half_are_nudged_by_their_sign(
    exponent: float, zero_point: int, rows: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    factor = quantize_multiplier(2.0**exponent)
    halves = generator.integers(-300, 300, (rows, 200)) / 2
    values = np.rint(halves / 2.0**exponent).astype(np.int64) + generator.integers(-2, 3, 200)
    scaled = multiply_by_quantized_multiplier(
        values, np.array(factor.multiplier), np.array(factor.shift)
    )
    rescale = Rescaling([factor], 200, INT8, bounds=2.0**21, zero_point=zero_point)
    out = np.empty(values.shape, np.int8)
    rescale.bind(values.astype(np.float64), out)()
    np.testing.assert_array_equal(out, np.clip(scaled + zero_point, *INT8))


@pytest.mark.parametrize(
    ("accumulator", "half", "quarter"),
    [
        (1, 1, 1),  # 0.5 up to 1; 0.25 to 0.5 first, and that away from zero
        (-1, 0, 0),
        (2, 1, 1),
        (-2, -1, -1),
        (3, 2, 1),
        (-3, -1, -1),
        (6, 3, 2),
        (-6, -3, -2),
    ],
)
def test_ties_go_up_at_first_and_away_from_zero_in_a_right_shift(
    accumulator: int, half: int, quarter: int
) -> None:
    values = np.array([[float(accumulator), float(accumulator)]])
    rescale = Rescaling([quantize_multiplier(0.5), quantize_multiplier(0.25)], 2, INT8, bounds=6.0)
    rescale.bind(values, values)()
    assert values.tolist() == [[half, quarter]]


@pytest.mark.parametrize(
    ("accumulator", "multiplier", "shift"),
    [(2139, 2055620743, -12), (52363, 1343843371, -16), (528026, 2132279155, -20)],
)
def test_a_small_product_is_not_rounded_by_the_sum_with_the_limit(
    accumulator: int, multiplier: int, shift: int
) -> None:
    """0.5 less a little that is lost beside 32768."""
    values = np.array([[float(accumulator)]])
    factor = FixedPoint(multiplier, shift)
    Rescaling([factor], 1, INT16, bounds=float(accumulator)).bind(values, values)()
    assert values.tolist() == [[0.0]]


@given(
    exponents=st.lists(st.floats(-20.0, 6.0), min_size=1, max_size=3),
    rows=st.integers(1, 3),
    depth=st.integers(1, 40),
    zero_point=st.integers(-128, 127),
    bias=st.integers(0, 2**20),
    limits=st.sampled_from([INT8, INT16]),
    seed=st.integers(0, 100),
)
def test_a_product_is_rescaled_as_its_exact_sums_are(
    exponents: list[float],
    rows: int,
    depth: int,
    zero_point: int,
    bias: int,
    limits: tuple[int, int],
    seed: int,
) -> None:
    generator = np.random.default_rng(seed)
    factors = [quantize_multiplier(2.0**exponent) for exponent in exponents]
    columns = 2 * len(factors)
    weights = generator.integers(-127, 128, (columns, depth))
    biases = generator.integers(-bias, bias + 1, columns)
    inputs = generator.integers(-128, 128, (rows, depth))
    exact = (inputs - zero_point).dot(weights.T) + biases
    wanted = multiply_by_quantized_multiplier(
        exact,
        np.repeat([f.multiplier for f in factors], 2),
        np.repeat([f.shift for f in factors], 2),
    )
    product = RescaledProduct(weights, biases, zero_point, factors, limits, largest=128)
    out = np.empty((rows, columns), np.int16)
    places, multiply = product.bind(np.empty((rows, columns)), out, added_late=7)
    places[...] = inputs
    multiply()
    np.testing.assert_array_equal(out, (np.clip(wanted, *limits) + 7).astype(np.int16))
