"""Operands of int16 sums are rescaled by floats as by integers."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_runtime.fixed_point import FixedPoint
from tinyml_runtime.kernels.int16_arithmetic import OperandScaling

EVERY_VALUE = np.arange(-(2**15), 2**15)


@settings(max_examples=100, deadline=None)
@given(
    multiplier=st.one_of(st.just(0), st.integers(2**30, 2**31 - 1), st.just(2**30)),
    shift=st.integers(-31, 0),
    zero_point=st.one_of(
        st.sampled_from([0, -(2**15), 2**15, 2**15 + 1, -(2**31)]),
        st.integers(-(2**15), 2**15 - 1),
    ),
)
def test_every_value_is_rescaled_by_floats_as_by_integers(
    multiplier: int, shift: int, zero_point: int
) -> None:
    scaling = OperandScaling(zero_point, 15, FixedPoint(multiplier, shift))
    rescaled = scaling.in_floats(EVERY_VALUE.astype(np.float64))
    np.testing.assert_array_equal(rescaled, scaling(EVERY_VALUE))
