"""SignalRfft and SignalIrfft: by hand, beside a plain DFT, and beside TFLM."""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np
import pytest

from tests.support.signal_op import prepared, signal_op
from tests.support.single_op import (
    SingleOp,
    assert_like_tflm,
    assert_same,
    fed,
    needs_tflm,
    run_ours,
    run_tflm,
)
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.kernels.signal.fast_fft import FastSpectra
from tinyml_runtime.kernels.signal.fast_fft_tables import fast_tables
from tinyml_runtime.kernels.signal.fft import to_frequencies, transform
from tinyml_runtime.kernels.signal.fft_plan import fft_plan
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

NUMBERS = {"int16": 7, "int32": 2, "float32": 0}


def rfft(kind: str, fft_length: int, length: int = 0, outer: tuple[int, ...] = ()) -> SingleOp:
    inputs = [fed((*outer, length or fft_length), kind)]
    outputs = [fed((*outer, fft_length + 2), kind)]
    return signal_op("SignalRfft", inputs, outputs, T=NUMBERS[kind], fft_length=fft_length)


def irfft(kind: str, fft_length: int, outer: tuple[int, ...] = ()) -> SingleOp:
    inputs, outputs = [fed((*outer, fft_length + 2), kind)], [fed((*outer, fft_length), kind)]
    return signal_op("SignalIrfft", inputs, outputs, T=NUMBERS[kind], fft_length=fft_length)


def dft(signal: Array, fft_length: int) -> list[complex]:
    """The spectrum from frequency 0 to half the sampling rate, by its definition."""
    return [
        sum(
            float(value) * cmath.exp(-2j * math.pi * index * frequency / fft_length)
            for index, value in enumerate(signal.tolist())
        )
        for frequency in range(fft_length // 2 + 1)
    ]


def as_complex(parts: Array) -> Array:
    return parts.astype(float).view(complex)


def quadrature(fft_length: int) -> Array:
    """Even and odd samples at full scale, a quarter turn apart: no 16 bits hold their spectrum."""
    phases = 2 * np.pi * np.arange(fft_length // 2) * 5 / (fft_length // 2) + 0.01
    waves = np.stack([np.cos(phases), np.sin(phases)], axis=-1)
    return np.where(waves < 0, -32767, 32767).astype(np.int16).reshape(1, -1)


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize("fft_length", [4, 6, 16, 64])
def test_the_spectrum_of_a_constant_is_at_frequency_0(kind: str, fft_length: int) -> None:
    (spectrum,) = run_ours(rfft(kind, fft_length).model(), [np.full(fft_length, 1000, kind)])
    # Integers are divided by the length on the way; each stage may lose a little.
    expected = 1000 * fft_length if kind == "float32" else 1000
    assert spectrum[0] == pytest.approx(expected, abs=2)
    assert np.abs(spectrum[1:]).max() <= (0.01 if kind == "float32" else 1)


def test_the_spectrum_of_a_pulse_is_flat() -> None:
    pulse = np.zeros(8, np.int16)
    pulse[0] = 8000
    # 8000 / 8 at every frequency, without an imaginary part
    (spectrum,) = run_ours(rfft("int16", 8).model(), [pulse])
    assert spectrum.tolist() == [1000, 0] * 5


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(("fft_length", "length"), [(16, 16), (30, 30), (48, 40), (64, 33)])
def test_the_spectrum_is_the_one_of_the_definition(kind: str, fft_length: int, length: int) -> None:
    generator = np.random.default_rng(length)
    signal = generator.integers(-20000, 20000, length).astype(kind)
    (spectrum,) = run_ours(rfft(kind, fft_length, length).model(), [signal])
    scale = 1 if kind == "float32" else fft_length
    expected = np.array(dft(signal, fft_length)) / scale
    tolerance = 0.1 if kind == "float32" else 6  # a step or so at each stage
    assert np.abs(as_complex(spectrum) - expected).max() < tolerance


@pytest.mark.parametrize("fft_length", [4, 10, 24, 64, 480])
def test_the_inverse_gives_the_signal_back(fft_length: int) -> None:
    signal = np.random.default_rng(1).standard_normal((2, fft_length)).astype(np.float32)
    (spectrum,) = run_ours(rfft("float32", fft_length, outer=(2,)).model(), [signal])
    (again,) = run_ours(irfft("float32", fft_length, (2,)).model(), [spectrum])
    np.testing.assert_allclose(again, signal, atol=2e-6)


def test_the_inverse_of_integers_divides_again() -> None:
    spectrum = np.zeros(10, np.int16)
    spectrum[0::2] = 8000
    # A flat spectrum of 8000 is a pulse of 8 * 8000, which the inverse divides by 8 too.
    (signal,) = run_ours(irfft("int16", 8).model(), [spectrum])
    assert signal[0] == pytest.approx(8000, abs=2)
    assert np.abs(signal[1:]).max() <= 1


def step_by_step(signals: Array, fft_length: int) -> Array:
    """The spectra of int16 signals [transforms, up to fft_length], by the way that may overflow."""
    padded = np.zeros((len(signals), fft_length), np.int16)
    padded[:, : signals.shape[1]] = signals
    fft = transform(fft_plan(fft_length // 2, inverse=False), TensorType.INT16)
    return np.moveaxis(to_frequencies(fft, padded), 0, -1).reshape(len(signals), -1)


def fast_spectra(signals: Array, fft_length: int) -> Array | None:
    """The same by the fast way; None where that says that there is an overflow."""
    constants = fast_tables(transform(fft_plan(fft_length // 2, inverse=False), TensorType.INT16))
    assert constants is not None
    spectra = np.empty((len(signals), fft_length + 2), np.int16)
    is_exact = FastSpectra(constants, len(signals)).bind(signals, spectra)()
    return spectra if is_exact else None


@pytest.mark.parametrize("fft_length", [2**power for power in range(4, 14)])
@pytest.mark.parametrize("transforms", [1, 3])
def test_the_fast_way_gives_the_bits_of_the_slow_one(fft_length: int, transforms: int) -> None:
    generator = np.random.default_rng(fft_length)
    for amplitude, cut in ((3, 0), (300, 1), (10000, 2), (15000, fft_length // 3)):
        shape = transforms, fft_length - cut
        signals = generator.integers(-amplitude, amplitude + 1, shape).astype(np.int16)
        spectra = fast_spectra(signals, fft_length)
        assert spectra is not None
        np.testing.assert_array_equal(spectra, step_by_step(signals, fft_length))


@pytest.mark.parametrize("fft_length", [16, 32, 64, 512, 1024])
def test_the_fast_way_is_exact_or_says_that_it_is_not(fft_length: int) -> None:
    # Quarters and halves of the range are where quotients lie between two integers.
    extremes = np.array([-32768, -32767, -16384, -8192, 0, 8192, 16384, 32767], np.int16)
    generator = np.random.default_rng(fft_length)
    phases = np.pi * np.arange(fft_length) / fft_length
    waves = [np.cos(phases * generator.integers(fft_length)) * 32767 for _ in range(60)]
    signals = [
        *generator.choice(extremes, (60, fft_length)),
        *generator.integers(-32768, 32768, (60, fft_length)),
        *np.rint(waves),
        *(np.full(fft_length, level) for level in extremes),
    ]
    exact = 0
    for signal in signals:
        rows = np.array([signal], np.int16)
        spectra = fast_spectra(rows, fft_length)
        if spectra is not None:
            exact += 1
            np.testing.assert_array_equal(spectra, step_by_step(rows, fft_length))
    assert exact > len(signals) / 2


def test_a_tie_in_the_middle_frequency_is_rounded_for_the_number_and_its_conjugate() -> None:
    # Odd samples are a, b, a, b: halved, quartered and added, some make 16384 or -16384, whose
    # halves as KISS FFT takes them are 8191.5 and -8191.5.
    levels = np.arange(16376, 16396)
    signals = np.zeros((2, len(levels), len(levels), 16), np.int16)
    signals[0, ..., 1::4], signals[0, ..., 3::4] = levels[:, None, None], -levels[:, None]
    signals[1] = -signals[0]
    rows = signals.reshape(-1, 16)
    np.testing.assert_array_equal(fast_spectra(rows, 16), step_by_step(rows, 16))


def test_more_signals_than_are_transformed_at_once_have_the_spectra_of_each() -> None:
    signals = np.random.default_rng(0).integers(-30000, 30000, (3000, 16)).astype(np.int16)
    signals[2000] = quadrature(16)  # one that overflows
    (spectra,) = run_ours(rfft("int16", 16, outer=(3000,)).model(), [signals])
    np.testing.assert_array_equal(spectra, step_by_step(signals, 16))


def test_the_fast_way_refuses_sums_that_overflow() -> None:
    signal = quadrature(256)
    assert fast_spectra(signal, 256) is None
    # 4 / pi * 32767 is too much for 16 bits, and so comes back with the other sign.
    largest = np.abs(np.array(dft(signal[0], 256))).max() / 256
    (wrapped,) = run_ours(rfft("int16", 256, outer=(1,)).model(), [signal])
    assert np.abs(as_complex(wrapped)).max() < largest - 2000


def test_a_batch_of_spectra_gives_what_single_ones_give() -> None:
    samples = np.random.default_rng(2).integers(-32768, 32768, (70, 480)).astype(np.int16)
    samples[40, :] = quadrature(480)
    interpreter = prepared(rfft("int16", 512, 480))
    (spectra,) = interpreter.invoke_batch([samples])
    for sample, spectrum in zip(samples, spectra, strict=True):
        interpreter.set_input(sample)
        interpreter.invoke()
        np.testing.assert_array_equal(interpreter.output(), spectrum)


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (rfft("int16", 14), "factors 2, 3 and 5"),
        (rfft("int16", 2), "not between 4"),
        (rfft("int16", 2**19), "not between 4"),
        (rfft("int16", 15), "not even"),
        (rfft("int16", 16, 17), "signals of 17 samples"),
        (rfft("int16", 16, outer=(0,)), "shape"),
        (irfft("float32", 16, (0,)), "shape"),
        (signal_op("SignalRfft", [fed((16,), "int16")], [fed((16,), "int16")], T=7, fft_length=16),
         "has shape"),
        (signal_op("SignalIrfft", [fed((16,), "int16")], [fed((16,), "int16")], T=7, fft_length=16),
         "has shape"),
        (signal_op("SignalRfft", [fed((16,), "int16")], [fed((18,), "int16")], T=2, fft_length=16),
         "is INT16"),
        (signal_op("SignalRfft", [fed((16,), "int8")], [fed((18,), "int8")], T=9, fft_length=16),
         "option T is 9"),
        (signal_op("SignalRfft", [fed((16,), "int16")], [fed((18,), "int16")], fft_length=16),
         "custom options begin with"),
        (signal_op("SignalRfft", [fed((16,), "int16")], [fed((18,), "int16")]), "cannot be read"),
    ],
)  # fmt: skip
def test_refuses_what_kiss_fft_cannot_transform(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(case)


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(
    "fft_length", [4, 6, 8, 10, 12, 16, 18, 20, 30, 32, 50, 60, 64, 128, 256, 450, 480, 512, 1024]
)
def test_spectra_are_those_of_tflm(kind: str, fft_length: int) -> None:
    assert_like_tflm(rfft(kind, fft_length, length=fft_length - 1, outer=(2,)))
    assert_like_tflm(rfft(kind, fft_length))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(
    "fft_length", [4, 6, 8, 10, 12, 16, 18, 20, 30, 32, 50, 60, 64, 128, 256, 450, 480, 512, 1024]
)
def test_signals_of_spectra_are_those_of_tflm(kind: str, fft_length: int) -> None:
    assert_like_tflm(irfft(kind, fft_length, (1, 3)))


@pytest.mark.oracle
@needs_tflm
@pytest.mark.parametrize("fft_length", [16, 60, 64, 128, 256, 512])
def test_overflows_as_tflm_does(fft_length: int) -> None:
    generator = np.random.default_rng(fft_length)
    extremes: Any = np.array([-32768, -32767, -16384, 16384, 32767], np.int16)
    model = rfft("int16", fft_length, outer=(1,)).model()
    back = irfft("int16", fft_length, (1,)).model()
    for _ in range(10):
        signal = generator.choice(extremes, (1, fft_length))
        assert_same(run_ours(model, [signal]), run_tflm(model, [signal]))
        spectrum = generator.choice(extremes, (1, fft_length + 2))
        assert_same(run_ours(back, [spectrum]), run_tflm(back, [spectrum]))
    loud = [quadrature(fft_length)]
    assert_same(run_ours(model, loud), run_tflm(model, loud))
