"""How far two sides part: steps, real units, cosine, SQNR, histogram, NaN."""

from __future__ import annotations

from math import inf, log10, nan

import numpy as np
import pytest

from tinyml_runtime.comparison.metrics import Difference, DifferenceMeter
from tinyml_runtime.tensor import Array, QuantizationParams, Tensor
from tinyml_runtime.types import TensorType

INT8, FLOAT = TensorType.INT8, TensorType.FLOAT32


def _tensor(kind: TensorType, scale: float | None = None, zero_point: int = 0) -> Tensor:
    params = QuantizationParams() if scale is None else QuantizationParams((scale,), (zero_point,))
    return Tensor(0, "t", kind, (4,), params)


def _difference(ours: Tensor, theirs: Tensor, *parts: tuple[Array, Array]) -> Difference:
    meter = DifferenceMeter(ours, theirs)
    for mine, other in parts:
        meter.add(mine, other)
    return meter.result()


def _int8(*rows: list[int]) -> Array:
    return np.array(rows, np.int8)


def _float(*rows: list[float]) -> Array:
    return np.array(rows, np.float32)


def test_stored_integers_are_compared_step_by_step() -> None:
    form = _tensor(INT8, 0.5, 10)
    found = _difference(form, form, (_int8([10, 12, 14, -128]), _int8([10, 11, 17, 127])))
    assert (found.elements, found.mismatched, found.max_steps) == (4, 3, 255)
    assert found.max_abs_diff == 127.5
    assert dict(found.histogram) == {
        "<=-3": 2, "-2": 0, "-1": 0, "0": 1, "1": 1, "2": 0, ">=3": 0,
    }  # fmt: skip
    assert not found.is_identical
    assert not found.is_within(254, 1.0)
    assert found.is_within(255, 0.0)


def test_cosine_and_sqnr_are_those_of_real_values() -> None:
    form = _tensor(INT8, 0.5, 1)
    # Real values (1, 2) beside (1, 1): cosine 3 / sqrt(10), signal 2, noise 1.
    found = _difference(form, form, (_int8([3, 5]), _int8([3, 3])))
    assert found.cosine == pytest.approx(3 / np.sqrt(10))
    assert found.sqnr_db == pytest.approx(10 * log10(2))


def test_equal_sides_have_no_bound_of_sqnr() -> None:
    form = _tensor(INT8, 0.5)
    found = _difference(form, form, (_int8([1, 2]), _int8([1, 2])))
    assert (found.cosine, found.sqnr_db, found.max_steps) == (1.0, None, 0)
    assert found.is_identical


def test_a_side_of_zeros_has_no_cosine() -> None:
    form = _tensor(INT8, 0.5)
    found = _difference(form, form, (_int8([1, 2]), _int8([0, 0])))
    assert (found.cosine, found.sqnr_db) == (None, None)


def test_parts_add_up_to_the_whole() -> None:
    form = _tensor(INT8, 0.25, -3)
    generator = np.random.default_rng(0)
    ours, theirs = generator.integers(-128, 128, (2, 10, 4)).astype(np.int8)
    parts = [(ours[:3], theirs[:3]), (ours[3:], theirs[3:])]
    pieces, whole = _difference(form, form, *parts), _difference(form, form, (ours, theirs))
    assert pieces.cosine == pytest.approx(whole.cosine)
    assert pieces.sqnr_db == pytest.approx(whole.sqnr_db)
    assert (pieces.mismatched, pieces.histogram) == (whole.mismatched, whole.histogram)


def test_mismatches_are_told_for_each_sample() -> None:
    form = _tensor(INT8, 0.5)
    wrong = DifferenceMeter(form, form).add(_int8([1, 2], [3, 4]), _int8([1, 2], [0, 0]))
    assert wrong.tolist() == [0, 2]


def test_64_bit_integers_do_not_overflow() -> None:
    form = _tensor(TensorType.INT64)
    ends = np.iinfo(np.int64)
    found = _difference(form, form, (np.array([[ends.max]]), np.array([[ends.min]])))
    assert found.max_steps == pytest.approx(2**64, rel=0.6)
    assert not found.is_within(1, 0.0)


def test_floats_have_no_steps_but_a_relative_difference() -> None:
    form = _tensor(FLOAT)
    found = _difference(form, form, (_float([1.0, 100.0]), _float([1.1, 100.0])))
    # 0.1 / (1.1 + 100 / 10)
    assert found.max_relative_diff == pytest.approx(0.1 / 11.1, rel=1e-5)
    assert found.max_steps is None
    assert found.is_within(0, 1e-2)
    assert not found.is_within(1000, 1e-3)
    assert dict(found.histogram)["<=1e-2"] == 1


def test_the_largest_magnitude_is_that_of_the_sample() -> None:
    form = _tensor(FLOAT)
    found = _difference(form, form, (_float([1.1], [1e6]), _float([1.0], [1e6])))
    assert found.max_relative_diff == pytest.approx(0.1 / 1.1, rel=1e-5)


def test_nan_on_one_side_is_a_difference_that_no_tolerance_covers() -> None:
    form = _tensor(FLOAT)
    for ours, theirs in (([nan, 1.0], [1.0, 1.0]), ([1.0, 1.0], [nan, 1.0])):
        found = _difference(form, form, (_float(ours), _float(theirs)))
        assert found.mismatched == 1
        assert found.nan_ours + found.nan_theirs == 1
        assert not found.is_within(10**9, inf)


def test_nan_on_both_sides_is_counted_and_never_identical() -> None:
    form = _tensor(FLOAT)
    found = _difference(form, form, (_float([nan, 1.0]), _float([nan, 1.0])))
    assert (found.mismatched, found.nan_both) == (0, 1)
    assert not found.is_identical
    assert found.is_within(0, 1e-4)


def test_infinities_are_equal_to_themselves_and_to_nothing_else() -> None:
    form = _tensor(FLOAT)
    assert _difference(form, form, (_float([inf]), _float([inf]))).is_identical
    for ours, theirs in ((inf, -inf), (1.0, inf), (inf, 1.0)):
        found = _difference(form, form, (_float([ours]), _float([theirs])))
        assert found.max_relative_diff == inf
        assert not found.is_within(0, 1e3)


def test_a_float_beside_a_quantized_value_is_as_many_steps_away_as_it_rounds_to() -> None:
    stored = _int8([10, 10, 10])
    real = _float([5.2, 4.0, nan])
    found = _difference(_tensor(INT8, 0.5), _tensor(FLOAT), (stored, real))
    # 5.2 would be stored as 10, 4.0 as 8; NaN as nothing.
    assert (found.mismatched, found.nan_theirs) == (2, 1)
    assert not found.is_within(2, 1.0)
    other = _difference(_tensor(FLOAT), _tensor(INT8, 0.5), (real[:, :2], stored[:, :2]))
    assert (other.mismatched, other.max_steps) == (1, 2)


def test_the_same_stored_values_of_another_scale_differ() -> None:
    values = _int8([10, 20])
    found = _difference(_tensor(INT8, 0.5), _tensor(INT8, 1.0), (values, values))
    assert (found.mismatched, found.max_steps) == (2, 20)


def test_complex_values_are_compared_by_their_parts() -> None:
    form = _tensor(TensorType.COMPLEX64)
    ours, theirs = np.array([[1 + 2j]], np.complex64), np.array([[1 + 3j]], np.complex64)
    found = _difference(form, form, (ours, theirs))
    assert (found.elements, found.mismatched) == (2, 1)
    assert found.max_abs_diff == 1.0


def test_elements_of_no_tensor_are_identical() -> None:
    form = _tensor(FLOAT)
    empty = np.zeros((2, 0), np.float32)
    assert _difference(form, form, (empty, empty)).is_identical
