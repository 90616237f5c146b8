"""Causes of differences: named where a rule gives the other side's values, and only there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tests.support.single_op import (
    SingleOp,
    constant,
    fed,
    needs_litert,
    random_feeds,
    run_ours,
)
from tinyml_runtime.comparison.causes import Causes, find_causes
from tinyml_runtime.comparison.foreign import ForeignProcess
from tinyml_runtime.model.options import (
    AddOptions,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    MulOptions,
    Pool2DOptions,
    ReducerOptions,
)
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import Activation, BuiltinOperator, TensorType

GENERATOR = np.random.default_rng(7)
SCALES = np.linspace(0.001, 0.02, 16)


def random_int8(*shape: int) -> Array:
    return GENERATOR.integers(-127, 128, shape, np.int8)


def identity(activation: Activation = Activation.NONE) -> SingleOp:
    """FULLY_CONNECTED of one unit that halves its input: real scale 1 * 1 / 2."""
    return SingleOp(
        BuiltinOperator.FULLY_CONNECTED,
        [fed((5, 1), np.int8, 1.0), constant(np.array([[1]], np.int8), 1.0)],
        [fed((5, 1), np.int8, 2.0)],
        FullyConnectedOptions(activation),
    )


def causes_of(
    case: SingleOp, feeds: Sequence[Array], theirs: Array, library: str = "tflite"
) -> Causes:
    model = case.model()
    given = iter(feeds)
    inputs = [
        next(given) if operand is not None and operand.values is None else None
        for operand in case.inputs
    ]
    return find_causes(model, 0, 0, inputs, run_ours(model, feeds), [theirs], library)


def names(causes: Causes) -> dict[str, int]:
    return {share.name: share.elements for share in causes.shares}


def test_equal_outputs_have_no_causes() -> None:
    feeds = [np.array([[1], [2], [3], [4], [5]], np.int8)]
    theirs = run_ours(identity().model(), feeds)[0]
    assert causes_of(identity(), feeds, theirs) == Causes((), 0, 0)


def test_ties_to_even_are_a_rescaling_in_floats() -> None:
    feeds = [np.array([[1], [2], [3], [5], [7]], np.int8)]
    # Halves: 0.5, 1, 1.5, 2.5, 3.5. TFLM rounds them up, floats to the even neighbour.
    assert run_ours(identity().model(), feeds)[0].ravel().tolist() == [1, 1, 2, 3, 4]
    causes = causes_of(identity(), feeds, np.array([[0], [1], [2], [2], [4]], np.int8))
    assert names(causes) == {"float-rescaling": 2}
    assert (causes.mismatched, causes.unexplained) == (2, 0)


def test_microcontrollers_are_not_suspected_of_floats() -> None:
    feeds = [np.array([[1], [2], [3], [5], [7]], np.int8)]
    theirs = np.array([[0], [1], [2], [2], [4]], np.int8)
    causes = causes_of(identity(), feeds, theirs, "cmsis-nn")
    assert "float-rescaling" not in names(causes)
    assert causes.unexplained == 2


def test_ties_away_from_zero_are_told_from_ties_up() -> None:
    feeds = [np.array([[-1], [-2], [-3], [-5], [3]], np.int8)]
    # Halves: -0.5, -1, -1.5, -2.5, 1.5. The high multiplication of TFLM rounds ties up.
    assert run_ours(identity().model(), feeds)[0].ravel().tolist() == [0, -1, -1, -2, 2]
    theirs = np.array([[-1], [-1], [-2], [-3], [2]], np.int8)
    assert names(causes_of(identity(), feeds, theirs, "other")) == {"ties-away": 3}


def test_a_missing_clamp_is_found() -> None:
    case = identity(Activation.RELU)
    feeds = [np.array([[-8], [-6], [4], [6], [8]], np.int8)]
    theirs = np.array([[-4], [-3], [2], [3], [4]], np.int8)
    assert names(causes_of(case, feeds, theirs, "other")) == {"activation-clamp": 2}


def test_one_scale_for_all_channels_is_found() -> None:
    case = SingleOp(
        BuiltinOperator.CONV_2D,
        [
            fed((1, 2, 2, 1), np.int8, 1.0),
            constant(np.ones((2, 1, 1, 1), np.int8), [1.0, 0.25], [0, 0]),
        ],
        [fed((1, 2, 2, 2), np.int8, 1.0)],
        Conv2DOptions(stride_w=1, stride_h=1),
    )
    feeds = [np.array([4, 8, 12, 0], np.int8).reshape(1, 2, 2, 1)]
    # The second channel should be a quarter of the first.
    theirs = np.repeat(feeds[0], 2, axis=3)
    assert names(causes_of(case, feeds, theirs, "other")) == {"per-tensor-scale": 3}


def test_an_accumulator_of_16_bits_is_found() -> None:
    case = SingleOp(
        BuiltinOperator.FULLY_CONNECTED,
        [fed((1, 4), np.int8, 1.0), constant(np.full((1, 4), 100, np.int8), 1.0)],
        [fed((1, 1), np.int8, 1000.0)],
        FullyConnectedOptions(),
    )
    feeds = [np.full((1, 4), 100, np.int8)]
    # 4 * 10000 = 40000 does not fit: saturated it is 32767, which is 33 thousands.
    assert run_ours(case.model(), feeds)[0].item() == 40
    assert names(causes_of(case, feeds, np.array([[33]], np.int8), "other")) == {
        "accumulator-overflow": 1
    }


def test_a_defect_stays_unexplained() -> None:
    feeds = [np.array([[2], [4], [6], [8], [10]], np.int8)]
    theirs = run_ours(identity().model(), feeds)[0]
    theirs[2] += 3
    causes = causes_of(identity(), feeds, theirs)
    assert (causes.shares, causes.unexplained, causes.mismatched) == ((), 1, 1)


def test_a_rule_that_spoils_as_much_as_it_mends_is_none() -> None:
    feeds = [np.array([[1], [5], [9], [13], [3]], np.int8)]
    ours = run_ours(identity().model(), feeds)[0]
    theirs = ours.copy()
    theirs[0] = 0  # what ties to even give, but not for 5, 9 and 13
    assert causes_of(identity(), feeds, theirs).unexplained == 1


def test_a_defect_is_told_from_the_rounding_around_it() -> None:
    feeds = [np.array([[1], [5], [9], [13], [4]], np.int8)]
    theirs = np.array([[0], [2], [4], [6], [100]], np.int8)
    causes = causes_of(identity(), feeds, theirs)
    assert names(causes) == {"float-rescaling": 4}
    assert causes.unexplained == 1


def test_floats_added_up_in_another_order_are_within_the_error_of_their_sums() -> None:
    depth = 64
    weights = GENERATOR.standard_normal((3, depth)).astype(np.float32)
    case = SingleOp(
        BuiltinOperator.FULLY_CONNECTED,
        [fed((2, depth), np.float32), constant(weights)],
        [fed((2, 3), np.float32)],
        FullyConnectedOptions(),
    )
    feeds = random_feeds(case)
    ours = run_ours(case.model(), feeds)[0]
    theirs = np.nextafter(ours, np.float32(np.inf))
    assert names(causes_of(case, feeds, theirs)) == {"summation-order": 6}
    assert causes_of(case, feeds, ours + np.float32(0.01)).unexplained == 6


def convolution() -> SingleOp:
    return SingleOp(
        BuiltinOperator.CONV_2D,
        [
            fed((1, 24, 24, 8), np.int8, 0.05, 3),
            constant(random_int8(16, 3, 3, 8), SCALES.tolist(), [0] * 16),
            constant(
                GENERATOR.integers(-2000, 2000, 16, np.int32),
                (SCALES * 0.05).tolist(),
                [0] * 16,
            ),
        ],
        [fed((1, 24, 24, 16), np.int8, 0.9, -20)],
        Conv2DOptions(stride_w=1, stride_h=1, fused_activation=Activation.RELU),
    )


def depthwise() -> SingleOp:
    return SingleOp(
        BuiltinOperator.DEPTHWISE_CONV_2D,
        [
            fed((1, 40, 40, 16), np.int8, 0.05, -7),
            constant(random_int8(1, 3, 3, 16), SCALES.tolist(), [0] * 16, 3),
            constant(
                GENERATOR.integers(-2000, 2000, 16, np.int32),
                (SCALES * 0.05).tolist(),
                [0] * 16,
            ),
        ],
        [fed((1, 20, 20, 16), np.int8, 0.25, 5)],
        DepthwiseConv2DOptions(stride_w=2, stride_h=2, depth_multiplier=1),
    )


def product() -> SingleOp:
    operands = [fed((1, 6000), np.int8, 0.011, 4), fed((1, 6000), np.int8, 0.02, -3)]
    return SingleOp(
        BuiltinOperator.MUL, operands, [fed((1, 6000), np.int8, 0.0275, 1)], MulOptions()
    )


def total() -> SingleOp:
    operands = [fed((1, 6000), np.int8, 0.013, 4), fed((1, 6000), np.int8, 0.002, -3)]
    return SingleOp(BuiltinOperator.ADD, operands, [fed((1, 6000), np.int8, 0.14, 1)], AddOptions())


def leak() -> SingleOp:
    return SingleOp(
        BuiltinOperator.LEAKY_RELU,
        [fed((1, 500), np.int8, 0.05, 3)],
        [fed((1, 500), np.int8, 0.043, -5)],
        LeakyReluOptions(0.3),
    )


def requantization() -> SingleOp:
    return SingleOp(
        BuiltinOperator.QUANTIZE,
        [fed((1, 500), np.int8, 0.05, 3)],
        [fed((1, 500), np.int8, 0.0411, -5)],
    )


def mean() -> SingleOp:
    return SingleOp(
        BuiltinOperator.MEAN,
        [fed((1, 6, 6, 4000), np.int8, 0.05, 3), constant(np.array([1, 2], np.int32))],
        [fed((1, 1, 1, 4000), np.int8, 0.0125, -5)],
        ReducerOptions(keep_dims=True),
    )


@needs_litert
@pytest.mark.oracle
@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (convolution, "float-rescaling"),
        (depthwise, "float-rescaling"),
        (product, "float-rescaling"),
        (total, "short-multipliers"),
        (leak, "short-multipliers"),
        (requantization, "short-multipliers"),
        (mean, "float-rescaling"),
    ],
)
def test_every_mismatch_with_xnnpack_has_its_cause(
    make: Callable[[], SingleOp], cause: str
) -> None:
    case = make()
    model = case.model()
    feeds = random_feeds(case)
    process = ForeignProcess("tflite")
    try:
        process.load(write_model(model), None, 1, 0)
        theirs = process.run([array[np.newaxis] for array in feeds])[0]
    finally:
        process.close()
    assert theirs is not None
    causes = causes_of(case, feeds, theirs[0])
    assert causes.mismatched > 0
    assert names(causes) == {cause: causes.mismatched}


@pytest.mark.parametrize("rounded", [[2, -2, 2, -2], [1, -1, 2, -2], [2, -1, 3, -2]])
def test_other_roundings_of_averages_are_found(rounded: list[int]) -> None:
    case = SingleOp(
        BuiltinOperator.AVERAGE_POOL_2D,
        [fed((1, 1, 8, 1), np.int8, 1.0)],
        [fed((1, 1, 4, 1), np.int8, 1.0)],
        Pool2DOptions(stride_w=2, stride_h=1, filter_width=2, filter_height=1),
    )
    feeds = [np.array([1, 2, -1, -2, 2, 3, -2, -3], np.int8).reshape(1, 1, 8, 1)]
    # 1.5, -1.5, 2.5, -2.5, which TFLM rounds away from zero: 2, -2, 3, -3.
    assert run_ours(case.model(), feeds)[0].ravel().tolist() == [2, -2, 3, -3]
    causes = causes_of(case, feeds, np.array(rounded, np.int8).reshape(1, 1, 4, 1))
    assert names(causes) == {"average-rounding": causes.mismatched}


def test_an_operator_that_only_moves_values_has_no_rules() -> None:
    case = SingleOp(
        BuiltinOperator.RESHAPE,
        [fed((2, 2), np.int8, 1.0), constant(np.array([4], np.int32))],
        [fed((4,), np.int8, 1.0)],
    )
    feeds = [np.array([[1, 2], [3, 4]], np.int8)]
    causes = causes_of(case, feeds, np.array([1, 2, 3, 5], np.int8))
    assert (causes.shares, causes.unexplained) == ((), 1)


def test_a_clamp_that_rescales_is_told_from_one_that_does_not() -> None:
    case = SingleOp(BuiltinOperator.RELU6, [fed((4,), np.int8, 0.1)], [fed((4,), np.int8, 0.2)])
    feeds = [np.array([-20, 20, 40, 100], np.int8)]
    # Real -2, 2, 4 and 10: TFLM clamps the stored values, and leaves the output's scale alone.
    assert run_ours(case.model(), feeds)[0].tolist() == [0, 20, 40, 60]
    theirs = np.array([0, 10, 20, 30], np.int8)
    assert names(causes_of(case, feeds, theirs)) == {"rescaled-clamp": 3}


def test_the_exact_function_is_told_from_its_approximation() -> None:
    case = SingleOp(
        BuiltinOperator.TANH,
        [fed((256,), np.int8, 0.02)],
        [fed((256,), np.int8, 1 / 128)],
    )
    feeds = [np.arange(-128, 128).astype(np.int8)]
    ours = run_ours(case.model(), feeds)[0]
    assert ours.dtype == np.int8
    exact = np.rint(np.tanh(feeds[0] * np.float32(0.02)) * 128).clip(-128, 127).astype(np.int8)
    moved = exact.copy()
    wrong = int((ours != exact).sum())
    moved[0] += 1 if ours[0] == exact[0] else 2
    causes = causes_of(case, feeds, moved)
    assert causes.unexplained == 1
    assert names(causes).get("exact-function", 0) == wrong


def test_int16_products_are_not_suspected_of_floats() -> None:
    case = SingleOp(
        BuiltinOperator.MUL,
        [fed((3,), np.int16, 0.5), fed((3,), np.int16, 1.0)],
        [fed((3,), np.int16, 1.0)],
        MulOptions(),
    )
    feeds = [np.array([1, 3, 5], np.int16), np.ones(3, np.int16)]
    theirs = np.array([0, 2, 2], np.int16)
    assert case.outputs[0].type is TensorType.INT16
    assert "float-rescaling" not in names(causes_of(case, feeds, theirs))
