"""gemmlowp's functions beside real arithmetic; the kernels that use them are tested beside TFLM."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_runtime.kernels.gemmlowp_functions import (
    INT16_BITS,
    exp_on_negative_values,
    logistic,
    one_over_one_plus_x,
    tanh,
)
from tinyml_runtime.tensor import Array

ONE = 2**31


def spread(lowest: int, highest: int) -> Array:
    """Values over a range, its ends among them."""
    random = np.random.default_rng(0).integers(lowest, highest, 20_000, endpoint=True)
    return np.concatenate([random, [lowest, lowest + 1, highest - 1, highest]])


@pytest.mark.parametrize("integer_bits", [0, 1, 4, 5])
def test_the_exponential_is_close_to_the_real_one(integer_bits: int) -> None:
    values = spread(-ONE, 0)
    expected = np.exp(values / ONE * 2**integer_bits)
    result = exp_on_negative_values(values, integer_bits) / ONE
    np.testing.assert_allclose(result, expected, atol=2e-7)


@pytest.mark.parametrize("integer_bits", [3, 4])
def test_the_logistic_is_close_to_the_real_one(integer_bits: int) -> None:
    values = spread(-ONE + 1, ONE - 1)
    expected = 1.0 / (1.0 + np.exp(-values / ONE * 2**integer_bits))
    np.testing.assert_allclose(logistic(values, integer_bits) / ONE, expected, atol=2e-7)


@pytest.mark.parametrize("integer_bits", [3, 4])
def test_the_hyperbolic_tangent_is_close_to_the_real_one(integer_bits: int) -> None:
    values = spread(-ONE + 1, ONE - 1)
    expected = np.tanh(values / ONE * 2**integer_bits)
    np.testing.assert_allclose(tanh(values, integer_bits) / ONE, expected, atol=2e-7)


def test_the_reciprocal_is_close_to_the_real_one() -> None:
    values = spread(0, ONE - 1)
    np.testing.assert_allclose(one_over_one_plus_x(values) / ONE, 1 / (1 + values / ONE), atol=2e-8)


def test_the_same_in_16_bits_is_close_to_the_real_one() -> None:
    values = np.arange(-(2**15) + 1, 2**15)
    real = values / 2**15 * 2**3
    close = 2.0**-11
    np.testing.assert_allclose(
        logistic(values, 3, INT16_BITS) / 2**15, 1.0 / (1.0 + np.exp(-real)), atol=close
    )
    np.testing.assert_allclose(tanh(values, 3, INT16_BITS) / 2**15, np.tanh(real), atol=close)


def test_python_integers_give_what_arrays_give() -> None:
    values = spread(-ONE + 1, 0)[-300:]
    single = [int(value) for value in values]
    assert [exp_on_negative_values(v, 5) for v in single] == (
        exp_on_negative_values(values, 5).tolist()
    )
    assert [logistic(v, 4) for v in single] == logistic(values, 4).tolist()
    assert [tanh(v, 4) for v in single] == tanh(values, 4).tolist()
    assert [one_over_one_plus_x(-v) for v in single] == one_over_one_plus_x(-values).tolist()


def test_special_values_are_exact() -> None:
    assert exp_on_negative_values(0, 5) == ONE - 1
    assert logistic(0, 4) == ONE // 2
    assert tanh(0, 4) == 0
    assert one_over_one_plus_x(0) == ONE - 1
