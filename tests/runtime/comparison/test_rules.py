"""Rules recompute operators by formulas of their own: with TFLM's way they give TFLM's values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.runtime.kernels.test_arithmetic import binary
from tests.runtime.kernels.test_batch_matmul import matmul
from tests.runtime.kernels.test_convolutions import conv, dense, depthwise
from tests.runtime.kernels.test_transpose_conv import transpose_conv
from tests.support.single_op import SingleOp, random_feeds, run_ours
from tinyml_runtime.comparison.causes import operation_of
from tinyml_runtime.comparison.rules.elementwise import product_rules, sum_rules
from tinyml_runtime.comparison.rules.layers import layer_rules
from tinyml_runtime.comparison.rules.multiplying import WAYS, Factors
from tinyml_runtime.comparison.rules.rule import Operation, Rule
from tinyml_runtime.fixed_point import quantize_multiplier
from tinyml_runtime.types import Activation, BuiltinOperator, Padding

ADD, SUB, MUL = BuiltinOperator.ADD, BuiltinOperator.SUB, BuiltinOperator.MUL

LAYERS = {
    "a convolution": conv(),
    "with strides": conv(strides=(2, 3), padding=Padding.VALID),
    "with dilation": conv(image=(2, 9, 8, 3), dilations=(2, 2)),
    "in groups": conv(image=(1, 5, 5, 6), groups=3, filters=6),
    "with four-bit weights": conv(weights="int4"),
    "with a clamp": conv(activation=Activation.RELU6),
    "of int16": conv("int16", bias="int64", zero_points=(0, 0)),
    "of int16 with narrow accumulators": conv("int16", bias="int32", zero_points=(0, 0)),
    "depthwise": depthwise(),
    "depthwise with a multiplier": depthwise(multiplier=3, strides=(2, 2), dilations=(1, 1)),
    "dense": dense(),
    "dense with rows": dense(lead=(2, 3), per_channel=True),
    "dense with a zero point of weights": dense(weights_zero_point=7),
    "transposed": transpose_conv(),
    "transposed without padding": transpose_conv(padding=Padding.VALID, strides=(3, 2)),
    "transposed into a larger image": transpose_conv(strides=(2, 2), taps=(5, 4)),
    "matrices": matmul(),
    "matrices turned round": matmul((2, 5, 3), (2, 4, 5), (2, 3, 4), adjoint=(True, True)),
}
ELEMENTWISE = {
    "a sum": (binary(ADD), sum_rules),
    "a difference": (binary(SUB, scales=(0.05, 0.003, 0.07)), sum_rules),
    "a sum of int16": (binary(ADD, np.int16, zero_points=(0, 0, 0)), sum_rules),
    "a product": (binary(MUL, scales=(0.05, 0.03, 0.011)), product_rules),
    "a product that broadcasts": (
        binary(MUL, shapes=((2, 7, 9, 5), (1, 1, 1, 5), (2, 7, 9, 5))),
        product_rules,
    ),
}


def assert_some_rule_gives_ours(
    case: SingleOp, rules: Callable[[Operation], Iterator[Rule]]
) -> None:
    model = case.model()
    feeds = random_feeds(case)
    given_values = iter(feeds)
    inputs = [
        next(given_values) if operand is not None and operand.values is None else None
        for operand in case.inputs
    ]
    ours = run_ours(model, feeds)[0]
    found = [
        rule.recompute()
        for rule in rules(operation_of(model, 0, 0, inputs))
        if rule.name == "scale-precision"
    ]
    assert any(np.array_equal(ours, values.reshape(ours.shape)) for values in found)


@pytest.mark.parametrize("name", LAYERS)
def test_layers_recomputed_with_tflms_way_are_tflms(name: str) -> None:
    assert_some_rule_gives_ours(LAYERS[name], layer_rules)


@pytest.mark.parametrize("name", ELEMENTWISE)
def test_elements_recomputed_with_tflms_way_are_tflms(name: str) -> None:
    assert_some_rule_gives_ours(*ELEMENTWISE[name])


def halves_away(value: Fraction) -> int:
    """The nearest integer, ties away from zero."""
    magnitude = floor(abs(value) + Fraction(1, 2))
    return magnitude if value >= 0 else -magnitude


def halves_up(value: Fraction) -> int:
    """The nearest integer, ties towards plus infinity."""
    return floor(value + Fraction(1, 2))


ROUNDINGS: dict[str, tuple[Callable[[Fraction], int], Callable[[Fraction], int]]] = {
    "ties-away": (halves_away, halves_away),
    "ties-up": (halves_up, halves_up),
    "cut-multiplication": (floor, halves_up),
}


@pytest.mark.parametrize("name", ROUNDINGS)
@given(value=st.integers(-(2**24), 2**24), exponent=st.integers(-12, -1), odd=st.booleans())
def test_each_rounding_is_that_of_exact_fractions(
    name: str, value: int, exponent: int, *, odd: bool
) -> None:
    factor = 2.0**exponent * (0.75 if odd else 1.0)
    fixed = quantize_multiplier(factor)
    first, second = ROUNDINGS[name]
    high = first(Fraction(value * fixed.multiplier, 2**31))
    expected = second(Fraction(high, 2**-fixed.shift))
    way = next(way for way in WAYS if way.name == name)
    found = way.multiply(np.array([value], np.int64), Factors.ratio([factor], 1.0))
    assert found.tolist() == [expected]


@given(st.integers(-(2**30), 2**30), st.floats(1e-6, 2.0))
def test_floats_are_rounded_to_the_nearest_even(value: int, factor: float) -> None:
    product = np.float32(value) * np.float32(factor)
    way = next(way for way in WAYS if way.name == "float-rescaling")
    found = way.multiply(np.array([value], np.int64), Factors.ratio([factor], 1.0))
    assert found.tolist() == [round(float(product))]
