"""SignalWindow, FftAutoScale, Energy and FilterBank: by hand, and beside TFLM."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.support.signal_op import levels, prepared, signal_op
from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_like_tflm,
    assert_same,
    constant,
    fed,
    needs_tflm,
    run_ours,
    run_tflm,
)
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.tensor import Array

HANN = np.round(2**12 * np.sin(np.pi * (np.arange(16) + 0.5) / 16) ** 2).astype(np.int16)


def window(
    weights: Array, shift: int, shape: tuple[int, ...], *, is_constant: bool = True
) -> SingleOp:
    operand = constant(weights) if is_constant else fed(weights.shape, np.int16)
    inputs, outputs = [fed(shape, np.int16), operand], [fed(shape, np.int16)]
    return signal_op("SignalWindow", inputs, outputs, shift=shift)


def auto_scale(length: int) -> SingleOp:
    outputs = [fed((length,), np.int16), fed((), np.int32)]
    return signal_op("SignalFftAutoScale", [fed((length,), np.int16)], outputs)


def energy(frequencies: int, start: int, end: int) -> SingleOp:
    inputs, outputs = [fed((2 * frequencies,), np.int16)], [fed((frequencies,), np.uint32)]
    return signal_op("SignalEnergy", inputs, outputs, start_index=start, end_index=end)


def bank(
    weights: list[int],
    unweights: list[int],
    bands: list[tuple[int, int, int]],
    frequencies: int = 8,
    *,
    is_constant: bool = True,
) -> SingleOp:
    """Bands are first frequency, first weight and width."""
    arrays = [
        np.array(values, np.int16) for values in (weights, unweights, *zip(*bands, strict=True))
    ]
    operands = [constant(array) if is_constant else fed(array.shape, np.int16) for array in arrays]
    inputs = [fed((frequencies,), np.uint32), *operands]
    channels = len(bands) - 1
    return signal_op("SignalFilterBank", inputs, [levels(channels)], num_channels=channels)


def test_a_window_multiplies_every_frame_and_saturates() -> None:
    samples = np.array([[3, -3], [30000, -30000]], np.int16)
    (output,) = run_ours(window(np.array([2, 7], np.int16), 1, (2, 2)).model(), [samples])
    # 3 * 2 >> 1, -3 * 7 >> 1 (-10.5 down), 60000 >> 1, -210000 >> 1
    assert output.tolist() == [[3, -11], [30000, -32768]]


@pytest.mark.parametrize(
    ("samples", "bits"),
    [
        ([3, -5, 0], 12),  # 5 has 3 bits
        ([0, 0, 0], 0),
        ([16383, 1, 0], 1),
        ([1, -16384, 0], 0),
        ([0, 1, -32768], 0),
        ([-32768, 0, 0], 0),  # the lowest sample makes TFLM forget: after it 0 is the largest,
        ([-32768, -7, -5], 0),  # or a negative one,
        ([-32768, -7, -9], 11),  # until one has a larger magnitude, here of 4 bits
        ([-32768, 100, 3], 8),
    ],
)
def test_auto_scale_shifts_the_largest_sample_to_15_bits(samples: list[int], bits: int) -> None:
    output, scale_bits = run_ours(auto_scale(3).model(), [np.array(samples, np.int16)])
    assert scale_bits == bits
    assert output.tolist() == (np.array(samples) * 2**bits).astype(np.int16).tolist()


def test_energy_is_the_sum_of_squares_of_both_parts() -> None:
    spectrum = np.array([1, 1, 3, -4, -32768, -32768, 9, 9], np.int16)
    (output,) = run_ours(energy(4, 1, 3).model(), [spectrum])
    assert output.tolist() == [0, 25, 2**31, 0]


def test_no_energy_is_computed_where_the_end_is_before_the_start() -> None:
    (output,) = run_ours(energy(4, 3, 1).model(), [np.ones(8, np.int16)])
    assert output.tolist() == [0] * 4


def test_a_channel_is_the_falling_side_of_one_band_and_the_rising_side_of_the_next() -> None:
    spectrum = np.arange(1, 9).astype(np.uint32)
    case = bank([1, 2, 3, 4], [10, 20, 30, 40], [(0, 0, 1), (1, 1, 2), (3, 3, 1)])
    (output,) = run_ours(case.model(), [spectrum])
    # 1 * 10 + (2 * 2 + 3 * 3); (2 * 20 + 3 * 30) + 4 * 4
    assert output.tolist() == [23, 146]


def test_negative_weights_wrap_at_64_bits() -> None:
    case = bank([0, -1], [0, 0], [(0, 0, 1), (0, 1, 1)], 1)
    (output,) = run_ours(case.model(), [np.array([5], np.uint32)])
    assert output.tolist() == [2**64 - 5]


def test_bands_may_be_empty() -> None:
    case = bank([1, 1], [1, 1], [(0, 0, 0), (0, 0, 2), (-7, 99, 0), (5, 0, -1)], 2)
    (output,) = run_ours(case.model(), [np.array([3, 4], np.uint32)])
    assert output.tolist() == [7, 7, 0]


def test_bands_that_the_model_computes_must_be_in_bounds() -> None:
    interpreter = prepared(bank([1], [1], [(0, 0, 1), (0, 0, 1)], 2, is_constant=False))
    for index, array in enumerate(([3, 4], [1], [1], [0, 2], [0, 0], [1, 1])):
        interpreter.set_input(np.array(array, np.uint32 if index == 0 else np.int16), index)
    with pytest.raises(RunError, match="band 1"):
        interpreter.invoke()


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (window(HANN, 32, (16,)), "no shift"),
        (window(HANN, 12, (24,)), "no multiple"),
        (window(HANN, 12, ()), "scalar"),
        (energy(8, -1, 3), "frequencies -1 to 3"),
        (energy(8, 0, 9), "frequencies 0 to 9"),
        (bank([1], [1], [(0, 0, 1), (7, 0, 2)]), "band 1"),
        (bank([1], [1], [(0, 0, 1), (0, 1, 1)]), "band 1"),
        (bank([1], [1], [(-1, 0, 1), (0, 0, 1)]), "band 0"),
    ],
)
def test_refuses_what_would_leave_its_operands(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(case)


@pytest.mark.parametrize(
    "case",
    [
        window(HANN, 12, (16,)),
        window(HANN, 12, (3, 16)),
        window(np.array([3], np.int16), 1, (1,)),
        window(np.array([3], np.int16), 1, (2,)),
        auto_scale(5),
        auto_scale(1),
        energy(6, 1, 5),
        energy(6, 2, 3),
        energy(1, 0, 1),
        energy(6, 3, 3),
        bank([1, 2, 3], [3, 2, 1], [(0, 0, 2), (2, 1, 2), (4, 0, 3)]),
        bank([1, 2, 3], [3, 2, 1], [(2, 0, 1), (2, 1, 1), (2, 0, 1)]),
        bank([5], [7], [(2, 0, 1), (2, 0, 1)]),
        bank([5], [7], [(0, 0, 1), (0, 0, 1)], frequencies=1),
    ],
)
@pytest.mark.parametrize("samples", [1, 4])
def test_a_batch_gives_what_single_samples_give(case: SingleOp, samples: int) -> None:
    interpreter = prepared(case)
    tensor = interpreter.inputs[0]
    least = -3000 if tensor.dtype == np.int16 else 0
    generator = np.random.default_rng(samples)
    batch = generator.integers(least, 3000, (samples, *tensor.shape)).astype(tensor.dtype)
    outputs = interpreter.invoke_batch([batch])
    for index, sample in enumerate(batch):
        interpreter.set_input(sample)
        interpreter.invoke()
        for position, output in enumerate(outputs):
            np.testing.assert_array_equal(output[index], interpreter.output(position))


@pytest.mark.parametrize("case", [auto_scale(4), energy(2, 0, 1)])
@pytest.mark.parametrize("other", [fed((4,), np.float32), fed((2, 2), np.int16)])
def test_refuses_operands_of_another_type_or_rank(case: SingleOp, other: Operand) -> None:
    changed = replace(case, inputs=[other, *case.inputs[1:]])
    with pytest.raises(UnsupportedModelError, match="this kernel takes"):
        prepared(changed)


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize(
    "case",
    [
        window(HANN, 12, (16,)),
        window(HANN, 12, (2, 3, 16)),
        window(HANN, 8, (3, 16)),
        window(-HANN, 12, (1, 48)),
        window(HANN, 12, (3, 16), is_constant=False),
        auto_scale(1),
        auto_scale(100),
        energy(33, 0, 33),
        bank([1, 200, 3, 4096], [9, 20, 30, 4096], [(0, 0, 1), (1, 1, 2), (3, 0, 4)]),
        bank([1, -200, 3, -32768], [9, 20, -30, 1], [(0, 0, 1), (1, 1, 2), (3, 0, 4)]),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_is_like_tflm(case: SingleOp, seed: int) -> None:
    assert_like_tflm(case, seed)


@pytest.mark.oracle
@needs_tflm
def test_computed_bands_are_like_tflms() -> None:
    case = bank([1, -2, 3, 4], [9, 2, 3, 1], [(0, 0, 1), (1, 1, 2), (3, 0, 4)], is_constant=False)
    constants = [[1, -2, 3, 4], [9, 2, 3, 1], [0, 1, 3], [0, 1, 0], [1, 2, 4]]
    feeds = [
        np.arange(2**32 - 8, 2**32).astype(np.uint32),
        *(np.array(values, np.int16) for values in constants),
    ]
    assert_same(run_ours(case.model(), feeds), run_tflm(case.model(), feeds))
