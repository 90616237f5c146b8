"""LOGISTIC and TANH: beside real arithmetic, and every stored value beside TFLM."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_like_tflm,
    assert_same,
    constant,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
    run_tflm,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

LOGISTIC, TANH = BuiltinOperator.LOGISTIC, BuiltinOperator.TANH
BOTH = (LOGISTIC, TANH)
OUTPUTS: dict[tuple[BuiltinOperator, Any], tuple[float, int]] = {
    (LOGISTIC, np.int8): (1 / 256, -128),
    (TANH, np.int8): (1 / 128, 0),
    (LOGISTIC, np.int16): (2.0**-15, 0),
    (TANH, np.int16): (2.0**-15, 0),
}
EVERY: dict[Any, Array] = {
    np.int8: np.arange(-(2**7), 2**7).astype(np.int8),
    np.int16: np.arange(-(2**15), 2**15).astype(np.int16),
}
FLOATS = np.array([-100, -20, -9.5, -9, -1e-3, 0, 1, 16.5, 17, 90, np.inf, -np.inf], np.float32)


def curve(operator: BuiltinOperator, kind: Any, scale: float, zero_point: int = 0) -> SingleOp:
    """The operator on every stored value."""
    shape = EVERY[kind].shape
    source = fed(shape, kind, float(np.float32(scale)), zero_point)
    return SingleOp(operator, [source], [fed(shape, kind, *OUTPUTS[operator, kind])])


def real(operator: BuiltinOperator, values: Array) -> Array:
    if operator is TANH:
        return np.tanh(values)
    with np.errstate(over="ignore"):
        return 1.0 / (1.0 + np.exp(-values))


INT8 = {
    f"{o.name} with scale {scale} and zero point {point}": curve(o, np.int8, scale, point)
    for o in BOTH
    for scale, point in ((0.05, 0), (0.1, -128), (0.02, 127), (1.0, 3), (1e-4, -9))
}
# TFLM takes every input, also 0, for one beyond its fixed-point range.
COARSE = {f"{o.name} with scale 40": curve(o, np.int8, 40.0) for o in BOTH}
INT16 = {
    f"{o.name} of int16 with scale {scale}": curve(o, np.int16, scale)
    for o in BOTH
    for scale in (2**-12, 2**-11, 2**-13, 10 / 32768, 1e-3, 0.03, 1.0, 1e-7)
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize(
    "case", [*INT8.values(), *INT16.values(), *COARSE.values()], ids=[*INT8, *INT16, *COARSE]
)
def test_every_stored_value_gives_what_tflm_gives(case: SingleOp) -> None:
    model, values = case.model(), _every(case)
    assert_same(run_ours(model, [values]), run_tflm(model, [values]))


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("operator", BOTH)
def test_floats_agree_with_tflm(operator: BuiltinOperator) -> None:
    assert_like_tflm(SingleOp(operator, [fed((3, 5, 7), np.float32)], [fed((3, 5, 7), np.float32)]))
    model = floats(operator, FLOATS.shape).model()
    assert_same(run_ours(model, [FLOATS]), run_tflm(model, [FLOATS]))


@pytest.mark.parametrize("case", [*INT8.values(), *INT16.values()], ids=[*INT8, *INT16])
def test_is_within_a_step_or_two_of_the_real_curve(case: SingleOp) -> None:
    (source,), (output,) = case.inputs, case.outputs
    assert source is not None
    assert isinstance(case.operator, BuiltinOperator)
    values = _every(case)
    (result,) = run_ours(case.model(), [values])
    reals = (values.astype(float) - source.zero_points[0]) * source.scales[0]
    limits = np.iinfo(values.dtype)
    expected = real(case.operator, reals) / output.scales[0] + output.zero_points[0]
    # The int16 table is exact to two or three steps of 2**-15.
    tolerance = 1.0 if values.dtype == np.int8 else 4.0
    assert np.abs(result - np.clip(expected, limits.min, limits.max)).max() <= tolerance


@pytest.mark.parametrize("operator", BOTH)
def test_floats_are_close_to_the_real_curve(operator: BuiltinOperator) -> None:
    (result,) = run_ours(floats(operator, FLOATS.shape).model(), [FLOATS])
    # Below -9 TFLM takes exp(x) for 1 / (1 + exp(-x)).
    np.testing.assert_allclose(result, real(operator, FLOATS.astype(float)), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("operator", BOTH)
def test_what_is_no_number_stays_none(operator: BuiltinOperator) -> None:
    (result,) = run_ours(floats(operator, (1,)).model(), [np.array([np.nan], np.float32)])
    assert np.isnan(result[0])


@pytest.mark.parametrize("operator", BOTH)
@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_several_samples_give_what_they_give_alone(operator: BuiltinOperator, kind: Any) -> None:
    assert_stacks(curve(operator, kind, 0.001))
    assert_stacks(floats(operator, (2, 3)))


def test_a_constant_input_is_not_stacked() -> None:
    values = np.array([-1.0, 2.0], np.float32)
    (result,) = run_ours(SingleOp(TANH, [constant(values)], [fed((2,), np.float32)]).model(), [])
    np.testing.assert_allclose(result, np.tanh(values), rtol=1e-6)


def floats(operator: BuiltinOperator, shape: tuple[int, ...]) -> SingleOp:
    return SingleOp(operator, [fed(shape, np.float32)], [fed(shape, np.float32)])


def _every(case: SingleOp) -> Array:
    return EVERY[np.int8] if case.outputs[0].shape == (2**8,) else EVERY[np.int16]


def _like(operator: BuiltinOperator, source: Operand, output: Operand) -> SingleOp:
    return SingleOp(operator, [source], [output])


THREE = (3,)
REFUSALS = {
    "int32": (
        _like(LOGISTIC, fed(THREE, np.int32), fed(THREE, np.int32)),
        "Input INT32, output INT32 not supported",
    ),
    "another output type": (
        _like(TANH, fed(THREE, np.int8, 0.1), fed(THREE, np.int16, 2**-15)),
        "output is INT16",
    ),
    "an int8 logistic whose zero point is not -128": (
        _like(LOGISTIC, fed(THREE, np.int8, 0.1), fed(THREE, np.int8, 1 / 256, 0)),
        "not -128",
    ),
    "an int16 input with a zero point": (
        _like(TANH, fed(THREE, np.int16, 0.1, 1), fed(THREE, np.int16, 2**-15)),
        "is not 0",
    ),
    "an int16 output with a zero point": (
        _like(LOGISTIC, fed(THREE, np.int16, 0.1), fed(THREE, np.int16, 2**-15, 1)),
        "is not 0",
    ),
    "an int16 output of another scale": (
        _like(LOGISTIC, fed(THREE, np.int16, 0.1), fed(THREE, np.int16, 2**-14)),
        "not 2",
    ),
    "an int16 input without a scale": (
        _like(TANH, fed(THREE, np.int16), fed(THREE, np.int16, 2**-15)),
        "not positive",
    ),
    "two inputs": (SingleOp(TANH, [fed(THREE, np.float32)] * 2, [fed(THREE, np.float32)]), "2 in"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
