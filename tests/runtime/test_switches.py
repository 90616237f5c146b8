"""Build switches of kernel libraries: the same kernels, rounding otherwise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.single_op import Operand, SingleOp, constant, fed, random_feeds
from tinyml_runtime.errors import LibraryError
from tinyml_runtime.fixed_point import (
    FixedPoint,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounds_once,
    single_rounding,
)
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.kernels import CMSIS_NN, ESP_NN, REFERENCE
from tinyml_runtime.kernels.rescaling import Rescaling
from tinyml_runtime.library import KernelLibrary, base_name
from tinyml_runtime.model.options import (
    AddOptions,
    FullyConnectedOptions,
    LeakyReluOptions,
    MulOptions,
    Pool2DOptions,
    ResizeBilinearOptions,
    SoftmaxOptions,
)
from tinyml_runtime.requantize import OutputRange, Requantizer
from tinyml_runtime.resolver import OpResolver
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, Padding

REFERENCE_ONCE = "reference:single-rounding"
CMSIS_NN_ONCE = "cmsis-nn:single-rounding"


def quarter() -> SingleOp:
    """FULLY_CONNECTED of one unit that takes a quarter of its input."""
    return SingleOp(
        BuiltinOperator.FULLY_CONNECTED,
        [fed((4, 1), np.int8, 1.0), constant(np.array([[1]], np.int8), 1.0)],
        [fed((4, 1), np.int8, 4.0)],
        FullyConnectedOptions(),
    )


def run(case: SingleOp, library: str | KernelLibrary, feeds: list[Array]) -> Array:
    interpreter = Interpreter(case.model(), library)
    interpreter.allocate_tensors()
    for index, array in enumerate(feeds):
        interpreter.set_input(array, index)
    interpreter.invoke()
    return interpreter.output(0)


@pytest.mark.parametrize("library", ["reference", "cmsis-nn"])
def test_single_rounding_rounds_once(library: str) -> None:
    feeds = [np.array([[1], [-1], [3], [-3]], np.int8)]
    # Twice: 1/4 is 1/2 to a whole is 1, halved and rounded again is 1. Once: 1/4 is 0.
    assert run(quarter(), library, feeds).ravel().tolist() == [1, 0, 1, -1]
    once = run(quarter(), f"{library}:single-rounding", feeds)
    assert once.ravel().tolist() == [0, 0, 1, -1]


def test_two_builds_live_side_by_side() -> None:
    feed = np.array([[1], [-1], [3], [-3]], np.int8)
    interpreters = [Interpreter(quarter().model(), name) for name in ("reference", REFERENCE_ONCE)]
    for interpreter in interpreters:
        interpreter.allocate_tensors()
        interpreter.set_input(feed)
    for _ in range(2):
        for interpreter in interpreters:
            interpreter.invoke()
    assert [each.output().item(0) for each in interpreters] == [1, 0]
    assert not rounds_once()


def test_batches_on_several_threads_round_once_too() -> None:
    interpreter = Interpreter(quarter().model(), REFERENCE_ONCE)
    interpreter.allocate_tensors()
    samples = np.full((64, 4, 1), 1, np.int8)
    assert not interpreter.invoke_batch([samples], threads=2)[0].any()


@given(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(2**30, 2**31 - 1),
    st.integers(-31, 0),
)
def test_a_product_rounded_once_is_the_floor_of_itself_and_a_half(
    value: int, multiplier: int, shift: int
) -> None:
    with single_rounding():
        found = multiply_by_quantized_multiplier(value, multiplier, shift)
    half = 1 << (30 - shift)
    assert int(found) == (value * multiplier + half) >> (31 - shift)


@given(st.floats(1e-6, 0.9), st.integers(-128, 127), st.data())
def test_requantizing_in_floats_gives_what_integers_give(
    factor: float, zero_point: int, data: st.DataObject
) -> None:
    fixed = quantize_multiplier(factor)
    largest = 2**24
    values = data.draw(st.lists(st.integers(-largest, largest), min_size=1, max_size=40))
    values += _near_halves(fixed, largest)
    accumulators = np.array(values, np.float64)
    out = np.empty(len(values), np.int8)
    rescaled = np.empty(len(values), np.int8)
    with single_rounding():
        wanted = multiply_by_quantized_multiplier(
            np.array(values, np.int64), np.array(fixed.multiplier), np.array(fixed.shift)
        )
        wanted = (wanted + zero_point).clip(-128, 127)
        limits = OutputRange(zero_point, -128, 127)
        Requantizer([fixed], limits, channels=1, rows=len(values), bounds=largest)(
            accumulators.copy(), out
        )
        Rescaling([fixed], 1, (-128, 127), bounds=float(largest), zero_point=zero_point).bind(
            accumulators.reshape(-1, 1), rescaled.reshape(-1, 1)
        )()
    assert out.tolist() == wanted.tolist() == rescaled.tolist()


def _near_halves(factor: FixedPoint, largest: int) -> list[int]:
    """Accumulators whose products come nearest to where rounding changes."""
    real = factor.multiplier * 2.0 ** (factor.shift - 31)
    near = [int((whole + 0.5) / real) + step for whole in range(-3, 4) for step in (-1, 0, 1)]
    return [value for value in near if abs(value) <= largest]


def _operands(shape: tuple[int, ...], other: tuple[int, ...]) -> tuple[list[Operand], Operand]:
    return [fed(shape, np.int8, 0.05, 3), fed(other, np.int8, 0.02, -7)], fed(
        shape, np.int8, 0.0061, 1
    )


def product(other: tuple[int, ...]) -> SingleOp:
    inputs, output = _operands((400, 3), other)
    return SingleOp(BuiltinOperator.MUL, inputs, [output], MulOptions())


def test_cmsis_nn_leaves_products_that_broadcast_to_the_reference() -> None:
    for other, differs in (((400, 3), True), ((1, 3), False)):
        case = product(other)
        feeds = random_feeds(case)
        twice = run(case, "cmsis-nn", feeds)
        assert bool(np.any(run(case, CMSIS_NN_ONCE, feeds) != twice)) is differs
        assert np.any(run(case, REFERENCE_ONCE, feeds) != twice)


def leak() -> SingleOp:
    return SingleOp(
        BuiltinOperator.LEAKY_RELU,
        [fed((256,), np.int8, 0.05, 3)],
        [fed((256,), np.int8, 0.11, -5)],
        LeakyReluOptions(0.3),
    )


def test_a_kernel_that_cmsis_nn_does_not_have_rounds_twice_there() -> None:
    feeds = [np.arange(-128, 128).astype(np.int8)]
    twice = run(leak(), "reference", feeds)
    np.testing.assert_array_equal(run(leak(), CMSIS_NN_ONCE, feeds), twice)
    assert np.any(run(leak(), REFERENCE_ONCE, feeds) != twice)


def test_bilinear_ties_go_up_in_the_single_rounding_build() -> None:
    case = SingleOp(
        BuiltinOperator.RESIZE_BILINEAR,
        [fed((1, 1, 2, 1), np.int8, 1.0), constant(np.array([1, 4], np.int32))],
        [fed((1, 1, 4, 1), np.int8, 1.0)],
        ResizeBilinearOptions(),
    )
    feeds = [np.array([-1, 0], np.int8).reshape(1, 1, 2, 1)]
    assert run(case, "reference", feeds).ravel().tolist() == [-1, -1, 0, 0]
    assert run(case, REFERENCE_ONCE, feeds).ravel().tolist() == [-1, 0, 0, 0]


@pytest.mark.parametrize("name", [REFERENCE_ONCE, CMSIS_NN_ONCE])
def test_floats_are_as_in_the_other_build(name: str) -> None:
    case = SingleOp(
        BuiltinOperator.ADD,
        [fed((20,), np.float32), fed((20,), np.float32)],
        [fed((20,), np.float32)],
        AddOptions(),
    )
    feeds = random_feeds(case)
    np.testing.assert_array_equal(run(case, name, feeds), run(case, base_name(name), feeds))


def test_softmax_of_int8_is_the_same_in_both_builds_of_cmsis_nn() -> None:
    case = SingleOp(
        BuiltinOperator.SOFTMAX,
        [fed((40, 10), np.int8, 0.07)],
        [fed((40, 10), np.int8, 1 / 256, -128)],
        SoftmaxOptions(1.0),
    )
    feeds = random_feeds(case)
    once, twice = run(case, CMSIS_NN_ONCE, feeds), run(case, "cmsis-nn", feeds)
    np.testing.assert_array_equal(once, twice)


def test_a_switch_asks_for_the_same_arena_and_loops() -> None:
    for library, switch in (
        (REFERENCE, "single-rounding"),
        (CMSIS_NN, "single-rounding"),
        (ESP_NN, "esp32s3"),
    ):
        plain = OpResolver.for_library(library)
        switched = OpResolver.for_library(f"{library.name}:{switch}")
        assert switched.library.name == f"{library.name}:{switch}"
        assert switched.operators() == plain.operators()
        for operator in plain.operators():
            assert switched.find_arena_use(operator) == plain.find_arena_use(operator)
            assert switched.find_workload(operator) is plain.find_workload(operator)


def average(channels: int, size: int) -> SingleOp:
    """AVERAGE_POOL_2D of one window over a square image."""
    return SingleOp(
        BuiltinOperator.AVERAGE_POOL_2D,
        [fed((1, size, size, channels), np.int8, 1.0)],
        [fed((1, 1, 1, channels), np.int8, 1.0)],
        Pool2DOptions(
            padding=Padding.VALID, stride_w=1, stride_h=1, filter_width=size, filter_height=size
        ),
    )


@pytest.mark.parametrize(
    ("channels", "size", "expected"),
    [
        # 17 * 17 * 127 is 36703, as 16 bits -28833: divided by 289 that is -99.8.
        (3, 17, -100),
        (4, 17, 127),
        (3, 15, 127),
    ],
)
def test_averages_on_the_esp32s3_overflow_16_bits(channels: int, size: int, expected: int) -> None:
    feeds: list[Array] = [np.full((1, size, size, channels), 127, np.int8)]
    case = average(channels, size)
    assert set(run(case, "esp-nn:esp32s3", feeds).ravel().tolist()) == {expected}
    assert set(run(case, "esp-nn", feeds).ravel().tolist()) == {127}


@pytest.mark.parametrize("library", ["reference", "cmsis-nn", "esp-nn", REFERENCE_ONCE])
def test_scales_are_divided_in_float32_as_the_named_commit_did(library: str) -> None:
    # 7350 times the quotient is just below 17600.5; that of float32 is a bit larger.
    scales = [float(np.float32(scale)) for scale in (0.04193255, 0.017511107)]
    source, output = (fed((1, 1), np.int16, scale) for scale in scales)
    case = SingleOp(BuiltinOperator.RELU, [source], [output])
    feeds: list[Array] = [np.array([[7350]], np.int16)]
    assert 7350 * scales[0] / scales[1] < 17600.5
    assert run(case, library, feeds).item() == 17600
    assert run(case, f"{library}:float32-scales", feeds).item() == 17601


def test_float32_scales_leave_arena_and_loops_as_they_are() -> None:
    plain, switched = (
        OpResolver.for_library(f"cmsis-nn{each}") for each in ("", ":float32-scales")
    )
    for operator in ("ABS", "DIV", "LEAKY_RELU", "RELU", "RSQRT", "SUB"):
        assert switched.find_workload(operator) is plain.find_workload(operator)
        assert switched.find_arena_use(operator) is plain.find_arena_use(operator)
        assert switched.find(operator) is not plain.find(operator)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("cmsis-nn:sngle", "has no switch 'sngle' .it has: single-rounding, float32-scales"),
        ("esp-nn:single-rounding", "'esp-nn' has no switch 'single-rounding' .it has: esp32s3"),
        (f"{REFERENCE_ONCE}:single-rounding", "has no switch 'single-rounding'"),
        ("absent:single-rounding", "no kernel library 'absent'"),
        ("reference:", "'reference' has no switch ''"),
    ],
)
def test_says_which_switches_there_are(name: str, reason: str) -> None:
    with pytest.raises(LibraryError, match=reason):
        OpResolver.for_library(name)
