"""The health of quantization: each finding where it belongs, nothing where all is well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.single_op import SingleOp, constant, fed
from tinyml_runtime.comparison.health import Finding, health_findings
from tinyml_runtime.model.options import (
    AddOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    ReshapeOptions,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator

INPUT, OUTPUT = 0, 3
GENERATOR = np.random.default_rng(3)


def dense(
    activation: Activation = Activation.NONE,
    *,
    weights: Array | None = None,
    bias: int = 0,
    output_scale: float = 4.0,
    output_zero_point: int = 0,
    dtype: Any = np.int8,
    bias_type: Any = np.int32,
) -> SingleOp:
    """FULLY_CONNECTED from 3 to 4 values: tensors input, weights, bias, output."""
    matrix = np.full((4, 3), 100, np.int8) if weights is None else weights
    depth = matrix.shape[1]
    return SingleOp(
        BuiltinOperator.FULLY_CONNECTED,
        [
            fed((1, depth), dtype, 1.0),
            constant(matrix, 0.01),
            constant(np.full(4, bias, bias_type), 0.01),
        ],
        [fed((1, 4), dtype, output_scale, output_zero_point)],
        FullyConnectedOptions(activation),
    )


def found(
    case: SingleOp,
    values: Mapping[int, Sequence[Array]] | None = None,
    float_sqnr: Mapping[int, float] | None = None,
) -> dict[str, Finding]:
    findings = health_findings(case.model(), values or {}, float_sqnr)
    assert [each.harm for each in findings] == sorted((f.harm for f in findings), reverse=True)
    return {finding.kind: finding for finding in findings}


def wide(samples: int = 20) -> list[Array]:
    """Values that use the whole range, evenly, of four channels."""
    return list(GENERATOR.integers(-127, 127, (samples, 1, 4), np.int8))


def test_a_healthy_model_has_no_findings() -> None:
    assert found(dense(), {OUTPUT: wide()}) == {}


def test_a_range_that_is_hardly_used_is_found() -> None:
    values = [np.array([[k % 16, 3, 5, 2 + k % 3]], np.int8) for k in range(20)]
    finding = found(dense(), {OUTPUT: values})["unused-range"]
    # 0 to 15 of -128 to 127: 16 of 256 values, 4 bits of 8.
    assert "uses 6% of its range: stored values 0 to 15, 4.0 of 8 bits" in finding.words
    assert finding.harm == pytest.approx(24.08, abs=0.01)
    assert (finding.tensor, finding.op_index) == (OUTPUT, 0)


def test_values_at_an_end_are_saturated() -> None:
    values = [*wide(19), np.full((1, 4), 127, np.int8)]
    finding = found(dense(), {OUTPUT: values})["saturated"]
    assert "5.0% of the values" in finding.words


def test_inputs_at_an_end_are_of_little_harm() -> None:
    inputs = GENERATOR.integers(-127, 127, (20, 1, 3), np.int8)
    inputs[:5] = 127
    finding = found(dense(), {INPUT: list(inputs)})["saturated"]
    assert "may have been cut off on the way in" in finding.words
    assert finding.op_index is None
    assert finding.harm < 3


@pytest.mark.parametrize(
    ("activation", "output_scale"), [(Activation.RELU, 0.05), (Activation.RELU6, 6 / 255)]
)
def test_where_an_activation_ends_nothing_is_cut_off(
    activation: Activation, output_scale: float
) -> None:
    case = dense(activation, output_scale=output_scale, output_zero_point=-128)
    ends = [-128] if activation is Activation.RELU else [-128, 127]
    values = [np.full((1, 4), end, np.int8) for end in ends for _ in range(5)]
    assert "saturated" not in found(case, {OUTPUT: wide() + values})


def test_a_channel_that_never_changes_is_dead() -> None:
    values = wide()
    for array in values:
        array[0, 2] = -5
    finding = found(dense(), {OUTPUT: values})["dead-channels"]
    assert "1 of 4 channels" in finding.words
    assert "(2)" in finding.words


def test_a_few_values_say_nothing_about_channels() -> None:
    assert found(dense(), {OUTPUT: [np.full((1, 4), 5, np.int8)]}) == {}


def test_tensors_that_pass_values_on_are_left_out() -> None:
    case = SingleOp(
        BuiltinOperator.RESHAPE,
        [fed((1, 4), np.int8, 1.0), constant(np.array([4, 1], np.int32))],
        [fed((4, 1), np.int8, 1.0)],
        ReshapeOptions(),
    )
    values = [np.full((4, 1), 127, np.int8)] * 20
    assert found(case, {2: values}) == {}


def test_a_factor_above_one_is_a_shift_to_the_left() -> None:
    finding = found(dense(output_scale=0.001))["left-shift"]
    # 1.0 * 0.01 / 0.001 is 10.
    assert "by up to 10" in finding.words
    assert finding.op_index == 0


def test_an_accumulator_that_can_overflow_is_found() -> None:
    weights = np.full((4, 1000), 127, np.int8)
    # 1000 * 127 * 32768 is 4.2e9; with a bias of 64 bits TFLM adds up in 64 bits.
    narrow = dense(weights=weights, dtype=np.int16, bias_type=np.int32)
    assert "can add up to 4.16e+09" in found(narrow)["accumulator-overflow"].words
    assert found(dense(weights=weights, dtype=np.int16, bias_type=np.int64)) == {}


def test_a_bias_at_the_end_of_its_range_is_saturated() -> None:
    finding = found(dense(bias=2**31 - 1))["saturated-bias"]
    assert finding.tensor == 2
    assert "4 biases" in finding.words


def test_weights_of_depthwise_layers_belong_to_their_last_axis() -> None:
    weights = np.zeros((1, 2, 2, 3), np.int8)
    weights[..., 1] = 127
    case = SingleOp(
        BuiltinOperator.DEPTHWISE_CONV_2D,
        [
            fed((1, 4, 4, 3), np.int8, 1.0),
            constant(weights, 0.01),
            constant(np.array([0, 2**31 - 200, 0], np.int32), 0.01),
        ],
        [fed((1, 4, 4, 3), np.int8, 1.0)],
        DepthwiseConv2DOptions(stride_w=1, stride_h=1, depth_multiplier=1),
    )
    assert "1 of 3 channels" in found(case)["accumulator-overflow"].words


def test_an_operand_of_far_smaller_steps_vanishes_in_a_sum() -> None:
    case = SingleOp(
        BuiltinOperator.ADD,
        [fed((4,), np.int8, 0.001), fed((4,), np.int8, 1.0)],
        [fed((4,), np.int8, 1.0)],
        AddOptions(),
    )
    finding = found(case)["vanishing-operand"]
    assert finding.tensor == 0
    # 255 steps of 0.001 are a quarter of a step of 1.
    assert "differ 1e+03 times" in finding.words
    assert "at most 0.3 steps" in finding.words


def test_layers_that_lose_most_against_the_float_model_are_named() -> None:
    finding = found(dense(), float_sqnr={INPUT: 40.0, OUTPUT: 21.5})["sqnr-loss"]
    assert "loses 18.5 dB" in finding.words
    assert finding.harm == pytest.approx(18.5)
    assert found(dense(), float_sqnr={INPUT: 40.0, OUTPUT: 39.0}) == {}


def test_every_finding_has_a_remedy() -> None:
    values = [np.full((1, 4), 127, np.int8)] * 20
    case = dense(output_scale=0.001, bias=2**31 - 1)
    findings = health_findings(case.model(), {OUTPUT: values}, {INPUT: 40.0, OUTPUT: 10.0})
    assert len(findings) >= 5
    assert all(len(finding.remedy) > 20 for finding in findings)
