"""Square root, logarithm, noise and gain of the filter bank's channels: by hand, beside TFLM."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.signal_op import levels, prepared, run_in_turn, run_tflm_in_turn, signal_op
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
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.tensor import Array

# A gain of 1 for every noise: 64 at 6 fractional bits, and flat parabolas.
FLAT_GAINS = np.concatenate([[64, 64], np.tile([64, 0, 0, 0], 31)[:-1]]).astype(np.int16)


def root(channels: int) -> SingleOp:
    inputs, outputs = [levels(channels), fed((), np.int32)], [fed((channels,), np.uint32)]
    return signal_op("SignalFilterBankSquareRoot", inputs, outputs)


def log(channels: int, scale: int, bits: int = 0) -> SingleOp:
    inputs, outputs = [fed((channels,), np.uint32)], [fed((channels,), np.int16)]
    options = {"input_correction_bits": bits, "output_scale": scale}
    return signal_op("SignalFilterBankLog", inputs, outputs, **options)


def subtraction(channels: int, **changes: int) -> SingleOp:
    options = {
        "smoothing": 409,
        "one_minus_smoothing": 15975,
        "alternate_smoothing": 983,
        "alternate_one_minus_smoothing": 15401,
        "clamping": False,
        "min_signal_remaining": 819,
        "num_channels": channels,
        "smoothing_bits": 10,
        "spectral_subtraction_bits": 14,
    }
    operand = fed((channels,), np.uint32)
    code = "SignalFilterBankSpectralSubtraction"
    return signal_op(code, [operand], [operand, operand], **(options | changes))


def pcan(channels: int, gains: Array, snr_shift: int = 6) -> SingleOp:
    operand = fed((channels,), np.uint32)
    inputs = [operand, operand, constant(gains)]
    return signal_op("SignalPCAN", inputs, [operand], snr_shift=snr_shift)


def some(dtype: Any, count: int, seed: int = 0) -> Array:
    """Numbers of every magnitude."""
    generator = np.random.default_rng(seed)
    exponents = generator.uniform(0, 8 * np.dtype(dtype).itemsize - 0.01, count)
    return (2.0**exponents).astype(dtype)


@pytest.mark.parametrize("value", [0, 1, 2, 3, 6, 7, 2**20 + 1, 2**32, 2**52 + 12345, 2**63 + 5])
def test_the_root_is_the_nearest_integer(value: int) -> None:
    (output,) = run_ours(root(1).model(), [np.array([value], np.uint64), np.array(0, np.int32)])
    floor = math.isqrt(value)
    assert output.tolist() == [floor + (value - floor * floor > floor)]


@pytest.mark.parametrize("below", [0, 1, 2])
@pytest.mark.parametrize("root_bits", [24, 26, 30, 31, 32])
def test_the_root_changes_at_the_right_square(root_bits: int, below: int) -> None:
    nearest = 2**root_bits - 1 - below
    values = np.array([nearest**2 - nearest + 1, nearest**2 + nearest], np.uint64)
    (output,) = run_ours(root(2).model(), [values, np.array(0, np.int32)])
    assert output.tolist() == [nearest, nearest]


def test_roots_do_not_leave_their_16_or_32_bits() -> None:
    values = np.array([2**32 - 2**16, 2**32 - 2**16 + 1, 2**32 - 1, 2**32, 2**64 - 1], np.uint64)
    (output,) = run_ours(root(5).model(), [values, np.array(0, np.int32)])
    assert output.tolist() == [2**16 - 1, 2**16 - 1, 2**16 - 1, 2**16, 2**32 - 1]


@pytest.mark.parametrize(("bits", "expected"), [(0, 1000), (3, 125), (31, 0), (32, 1000), (-1, 0)])
def test_roots_are_shifted_by_five_bits_of_the_scale(bits: int, expected: int) -> None:
    (output,) = run_ours(root(1).model(), [np.array([10**6], np.uint64), np.array(bits, np.int32)])
    assert output.tolist() == [expected]


@pytest.mark.parametrize("scale", [64, 1000])
def test_the_logarithm_is_close_to_the_natural_one(scale: int) -> None:
    values = some(np.uint32, 200)
    (output,) = run_ours(log(200, scale).model(), [values])
    expected = [scale * math.log(value) for value in values.tolist()]
    # Between the points of its curve, which lie up to 224 / 65536 apart, TFLM takes the one before.
    np.testing.assert_allclose(output, expected, atol=1 + scale * 224 / 65536)


@pytest.mark.parametrize(
    ("value", "scale", "bits", "expected"),
    [
        (0, 64, 3, 0),
        (1, 64, 0, 0),
        (1, 64, 3, 133),  # 64 * log(8) = 133.08
        (2**31, 64, 1, 0),  # nothing is left of it
        (2**32 - 1, 64, 0, 1420),
        (2**32 - 1, 2000, 0, 32767),
    ],
)
def test_the_logarithm_by_hand(value: int, scale: int, bits: int, expected: int) -> None:
    (output,) = run_ours(log(1, scale, bits).model(), [np.array([value], np.uint32)])
    assert output.tolist() == [expected]


def by_definition(signal: int, noise: int, odd: bool, clamps: bool) -> tuple[int, int]:
    """What is left of one channel, and the noise after it, in plain integers."""
    smoothing, keep = (983, 15401) if odd else (409, 15975)
    scaled = signal << 10
    noise = (scaled * smoothing + noise * keep) >> 14
    estimate = min(noise, scaled)
    left = max((scaled - estimate) >> 10, signal * 819 >> 14)
    return left, estimate if clamps else noise


@pytest.mark.parametrize("clamps", [False, True])
def test_noise_follows_the_signal_and_is_subtracted(clamps: bool) -> None:
    generator = np.random.default_rng(3)
    samples = [
        generator.integers(0, 10 ** (1 + turn % 5), 5).astype(np.uint32) for turn in range(9)
    ]
    noise = [0] * 5
    outputs = run_in_turn(prepared(subtraction(5, clamping=clamps)), samples)
    for sample, (output, estimate) in zip(samples, outputs, strict=True):
        pairs = [
            by_definition(value, before, index % 2 == 1, clamps)
            for index, (value, before) in enumerate(zip(sample.tolist(), noise, strict=True))
        ]
        noise = [after for _, after in pairs]
        assert output.tolist() == [left for left, _ in pairs]
        assert estimate.tolist() == noise


def test_reset_forgets_the_noise() -> None:
    interpreter = prepared(subtraction(4))
    loud = np.full(4, 1000, np.uint32)
    first, second = run_in_turn(interpreter, [loud, loud])
    assert first[1].tolist() != second[1].tolist()
    interpreter.reset()
    assert_same(run_in_turn(interpreter, [loud])[0], first)


def test_a_batch_of_noisy_frames_is_a_sequence() -> None:
    samples = [some(np.uint32, 6, seed) >> 10 for seed in range(5)]
    one_by_one = run_in_turn(prepared(subtraction(6)), samples)
    interpreter = prepared(subtraction(6))
    assert interpreter.is_stateful
    batch = interpreter.invoke_batch([np.stack(samples)], threads=2)
    for index, outputs in enumerate(one_by_one):
        assert_same([array[index] for array in batch], outputs)


def test_the_gain_shrinks_small_ratios_and_reduces_large_ones_by_1() -> None:
    signals = np.array([0, 2**11, 2**12, 2**13, 2**14], np.uint32)
    # Gain 64 / 2**6 = 1, so these are ratios of 0, 1/2, 1, 2, 4; x * x / 4 below 2, else x - 1.
    (output,) = run_ours(pcan(5, FLAT_GAINS).model(), [signals, np.ones(5, np.uint32)])
    assert output.tolist() == [0, 4, 16, 64, 192]


def test_the_gain_is_a_parabola_between_powers_of_2_of_the_noise() -> None:
    gains = np.zeros(125, np.int16)
    gains[:2] = 11, 12
    # For a noise of 4 bits, at 4 * 4 - 6: height, slope, curvature
    gains[10:13] = 100, -300, 64
    noise = np.array([0, 1, 8, 12, 15], np.uint32)
    signals = np.full(5, 2**12, np.uint32)
    (output,) = run_ours(pcan(5, gains, 0).model(), [signals, noise])
    # Fractions of 1024: 0, 512 and 896.
    parabola = [
        100 + ((((64 * part >> 5) + (-300 << 5)) * part + 2**14) >> 15) for part in (0, 512, 896)
    ]
    ratios = [(2**12 * gain) % 2**32 for gain in (11, 12, *parabola)]
    assert output.tolist() == [(ratio >> 6) - 64 for ratio in ratios]


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (log(4, 64, 32), "no shift"),
        (subtraction(4, num_channels=5), "num_channels is 5"),
        (subtraction(4, smoothing_bits=-1), "no shift"),
        (subtraction(4, spectral_subtraction_bits=64), "no shift"),
        (pcan(4, FLAT_GAINS[:124]), "124 gains"),
        (pcan(4, FLAT_GAINS, 64), "no shift"),
    ],
)
def test_refuses_what_would_leave_its_operands(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(case)


@pytest.mark.parametrize("case", [root(4), log(4, 64), pcan(4, FLAT_GAINS)])
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
        log(64, 64),
        log(64, 64, 3),
        log(64, 1600),
        log(64, 2**20),
        log(64, -1, 31),
        pcan(64, FLAT_GAINS),
        pcan(64, np.arange(-5000, 7500, 100).astype(np.int16)),
        pcan(64, np.arange(-32000, 30500, 500).astype(np.int16), 0),
    ],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_is_like_tflm(case: SingleOp, seed: int) -> None:
    assert_like_tflm(case, seed)


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("bits", [0, 5, 31])
def test_roots_and_logarithms_of_every_magnitude_are_like_tflms(bits: int) -> None:
    squares = some(np.uint32, 500).astype(np.uint64) ** 2
    near_halves = squares + np.sqrt(squares).astype(np.uint64)
    for values in (some(np.uint64, 500), near_halves, near_halves + np.uint64(1)):
        feeds = [values, np.array(bits, np.int32)]
        model = root(500).model()
        assert_same(run_ours(model, feeds), run_tflm(model, feeds))
    model = log(500, 64).model()
    assert_same(run_ours(model, [some(np.uint32, 500)]), run_tflm(model, [some(np.uint32, 500)]))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"clamping": True},
        {"smoothing_bits": 0, "min_signal_remaining": 0},
        {"smoothing": 2**31 - 1, "one_minus_smoothing": -1, "min_signal_remaining": -5},
        {"smoothing_bits": 31, "spectral_subtraction_bits": 0, "clamping": True},
    ],
)
def test_noise_is_like_tflms(changes: dict[str, int]) -> None:
    case = subtraction(33, **changes)
    samples = [some(np.uint32, 33, seed) for seed in range(6)]
    theirs = run_tflm_in_turn(case.model(), samples)
    for ours, other in zip(run_in_turn(prepared(case), samples), theirs, strict=True):
        assert_same(ours, other)
