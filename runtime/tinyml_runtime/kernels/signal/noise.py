"""SignalFilterBankSpectralSubtraction and SignalPCAN: what is left of channels above their noise.

Shapes    SpectralSubtraction  input [channels] -> output [channels], noise estimate [channels]
          PCAN                 input [channels], noise estimate [channels], gains [125 or more]
                               -> output [channels]
Types     uint32; gains int16
Units     SpectralSubtraction: coefficients are fractions of 2**spectral_subtraction_bits, the noise
          is in steps of 2**-smoothing_bits; PCAN: a signal-to-noise ratio, after a shift right by
          snr_shift, has 12 bits of fraction, the output 6
State     SpectralSubtraction keeps the noise estimate
Source    tflite-micro `signal/micro/kernels/{filter_bank_spectral_subtraction,pcan}.cc`,
          `signal/src/{filter_bank_spectral_subtraction,pcan_argc_fixed}.cc`
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.operands import check_counts
from tinyml_runtime.kernels.signal.options import check_shift, check_tensor, read_integers
from tinyml_runtime.registration import (
    BindingEvaluate,
    EvalContext,
    Node,
    PrepareContext,
    Registration,
    check,
    check_shape,
)
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import TensorType

INPUT, NOISE, GAINS = 0, 1, 2
OUTPUT, NOISE_ESTIMATE = 0, 1

_SUBTRACTION_OPTIONS = (
    "alternate_one_minus_smoothing",
    "alternate_smoothing",
    "clamping",
    "min_signal_remaining",
    "num_channels",
    "one_minus_smoothing",
    "smoothing",
    "smoothing_bits",
    "spectral_subtraction_bits",
)

# Two single gains, then for each number of bits of the noise three coefficients of a parabola and a
# filler, but for the last.
_NOISE_BITS = 33
_GAIN_COUNT = 4 * 32 - 3
_GAIN_FRACTION_BITS = 10
# A double has 52 bits of fraction below its exponent, which is 1023 too large.
_FLOAT_BITS, _FLOAT_BIAS = 52, 1023

# Arrays without dimensions spare NumPy the conversion of numbers.
_UINT32_MAX = np.array(2**32 - 1, np.uint64)
_TO_GAIN_SHIFT = np.array(_FLOAT_BITS - _GAIN_FRACTION_BITS, np.int64)
_FIRST_GAIN = np.array((_FLOAT_BIAS - 1) << _GAIN_FRACTION_BITS, np.int64)
# A ratio of 2, with 12 bits of fraction.
_STRAIGHT = np.array(2 << 12, np.uint64)
_STRAIGHT_SHIFT = np.array(12 - 6, np.uint64)
_CURVED_SHIFT = np.array(2 + 2 * 12 - 6, np.uint64)


@dataclass(frozen=True, slots=True)
class SubtractionData:
    """The coefficients, for even and odd channels in turn, and the noise so far."""

    smoothing: Array
    one_minus_smoothing: Array
    min_signal_remaining: Array
    smoothing_bits: Array
    wide_smoothing_bits: Array
    subtraction_bits: Array
    wraps: bool
    clamps: bool
    stackable: bool
    noise: Array


def prepare_subtraction(context: PrepareContext, node: Node) -> SubtractionData:
    """Check the operands; spread the coefficients over the channels; start without noise."""
    check_counts(node, (1,), 2)
    options = read_integers(node, *_SUBTRACTION_OPTIONS)
    other_keep, other, clamps, remaining, channels, keep, smoothing, bits, total_bits = options
    check_shift(bits, "smoothing_bits", 32)
    check_shift(total_bits, "spectral_subtraction_bits", 64)
    source = context.input(node, INPUT)
    check_tensor(source, "the input", TensorType.UINT32, 1)
    check(
        source.shape == (channels,), f"{source.size} channels come in, num_channels is {channels}"
    )
    for position, role in ((OUTPUT, "the output"), (NOISE_ESTIMATE, "the noise estimate")):
        tensor = context.output(node, position)
        check_tensor(tensor, role, TensorType.UINT32, 1)
        check_shape(tensor, role, source.shape)
    pairs = ((smoothing, keep), (other, other_keep), (remaining, 0))
    return SubtractionData(
        smoothing=_in_turn(smoothing, other, channels),
        one_minus_smoothing=_in_turn(keep, other_keep, channels),
        min_signal_remaining=np.array(remaining % 2**32, np.uint64),
        smoothing_bits=np.array(bits, np.uint32),
        wide_smoothing_bits=np.array(bits, np.uint64),
        subtraction_bits=np.array(total_bits, np.uint64),
        # Coefficients that are fractions, and 1 in all, keep every result in 32 bits.
        wraps=any(one % 2**32 + two % 2**32 > 2**total_bits for one, two in pairs),
        clamps=clamps != 0,
        stackable=not source.is_constant and channels > 0,
        noise=np.zeros(channels, np.uint64),
    )


def bind_subtraction(context: EvalContext, node: Node, data: SubtractionData) -> Callable[[], None]:
    """Let the noise follow the signal, and take it away; but leave a share of the signal."""
    if not data.noise.size:
        return lambda: None
    source = context.input(node, INPUT).values
    # One row is best without a second axis.
    shape = (-1, data.noise.size) if source.size > data.noise.size else (-1,)
    source = source.reshape(shape)
    output = context.output(node, OUTPUT).values.reshape(shape)
    estimate = context.output(node, NOISE_ESTIMATE).values.reshape(shape)
    shifted = np.empty_like(source)
    scaled, noise, least = (np.empty(source.shape, np.uint64) for _ in range(3))
    follow = _following(np.atleast_2d(noise), np.atleast_2d(scaled), data)
    multiply, right_shift = np.multiply, np.right_shift

    def run() -> None:
        np.left_shift(source, data.smoothing_bits, shifted)
        scaled[...] = shifted
        follow()
        estimate[...] = noise
        np.minimum(noise, scaled, out=noise)
        np.subtract(scaled, noise, scaled)
        right_shift(scaled, data.wide_smoothing_bits, scaled)
        least[...] = source
        multiply(least, data.min_signal_remaining, least)
        right_shift(least, data.subtraction_bits, least)
        if data.wraps:
            np.bitwise_and(least, _UINT32_MAX, least)
        np.maximum(least, scaled, out=least)
        output[...] = least

    return run


def _following(noise: Array, signals: Array, data: SubtractionData) -> Callable[[], None]:
    """What fills in the rows of `noise`: each follows the one before, and a signal."""
    rows = list(zip(noise, signals, strict=True))
    kept = np.empty_like(data.noise)
    latest, multiply, right_shift = data.noise, np.multiply, np.right_shift

    def run() -> None:
        for row, signal in rows:
            multiply(latest, data.one_minus_smoothing, kept)
            multiply(signal, data.smoothing, row)
            np.add(row, kept, row)
            right_shift(row, data.subtraction_bits, row)
            if data.wraps:
                np.bitwise_and(row, _UINT32_MAX, row)
            if data.clamps:
                np.minimum(row, signal, out=row)
            latest[...] = row

    return run


def _reset_subtraction(data: SubtractionData) -> None:
    data.noise.fill(0)


def _in_turn(even: int, odd: int, channels: int) -> Array:
    return np.resize(np.array([even % 2**32, odd % 2**32], np.uint64), channels)


@dataclass(frozen=True, slots=True)
class PcanData:
    """`curve` has the gain for each length and each leading 10 bits of the noise behind its first.

    It is None where the run gives the gains.
    """

    snr_shift: Array
    curve: Array | None
    stackable: bool


def prepare_pcan(context: PrepareContext, node: Node) -> PcanData:
    """Check the operands; draw the curve of constant gains."""
    check_counts(node, (3,))
    (snr_shift,) = read_integers(node, "snr_shift")
    check_shift(snr_shift, "snr_shift", 64)
    source, noise = context.input(node, INPUT), context.input(node, NOISE)
    gains, output = context.input(node, GAINS), context.output(node, OUTPUT)
    check_tensor(source, "the input", TensorType.UINT32, 1)
    check_tensor(noise, "the noise estimate", TensorType.UINT32, 1)
    check_tensor(gains, "the gains", TensorType.INT16, 1)
    check_tensor(output, "the output", TensorType.UINT32, 1)
    check_shape(noise, "the noise estimate", source.shape)
    check_shape(output, "the output", source.shape)
    check(gains.size >= _GAIN_COUNT, f"there are {gains.size} gains; {_GAIN_COUNT} are needed")
    return PcanData(
        snr_shift=np.array(snr_shift, np.uint64),
        curve=_curve(gains.values) if gains.is_constant else None,
        stackable=not source.is_constant and gains.is_constant and source.size > 0,
    )


def bind_pcan(context: EvalContext, node: Node, data: PcanData) -> Callable[[], None]:
    """Multiply each channel by the gain for its noise, and shrink the ratio."""
    source, output = context.input(node, INPUT).values, context.output(node, OUTPUT).values
    noise, gains = context.input(node, NOISE).values, context.input(node, GAINS).values
    exact, wide = np.empty(source.shape), np.empty(source.shape, np.uint64)
    places = exact.view(np.int64)
    ratios, curved = np.empty_like(wide), np.empty_like(wide)
    multiply, right_shift, subtract = np.multiply, np.right_shift, np.subtract

    def run() -> None:
        curve = _curve(gains) if data.curve is None else data.curve
        # A constant stands beside several samples.
        exact[...] = noise if noise.size == source.size else np.resize(noise, source.shape)
        right_shift(places, _TO_GAIN_SHIFT, places)
        subtract(places, _FIRST_GAIN, places)
        curve.take(places, None, ratios, "clip")  # the place of 0 is far below the first
        wide[...] = source
        multiply(ratios, wide, ratios)
        right_shift(ratios, data.snr_shift, ratios)
        np.bitwise_and(ratios, _UINT32_MAX, ratios)
        # Below 2 a ratio becomes its square over 4, above that itself less 1.
        np.minimum(ratios, _STRAIGHT, out=curved)
        subtract(ratios, curved, ratios)
        right_shift(ratios, _STRAIGHT_SHIFT, ratios)
        multiply(curved, curved, curved)
        right_shift(curved, _CURVED_SHIFT, curved)
        np.add(ratios, curved, ratios)
        output[...] = ratios

    return run


def _curve(gains: Array) -> Array:
    """The gains by length and fraction of the noise, as 32-bit numbers without a sign, in uint64.

    0 and 1 have gains of their own; then every length of the noise has a parabola.
    """
    starts = 4 * np.arange(2, _NOISE_BITS)[:, None] - 6
    height, slope, curvature = (gains[starts + index].astype(np.int64) for index in range(3))
    fractions = np.arange(1 << _GAIN_FRACTION_BITS)
    parabolas = (((curvature * fractions >> 5) + (slope << 5)) * fractions + (1 << 14)) >> 15
    single = np.repeat(gains[:2, None], len(fractions), axis=1)
    curve = np.concatenate([single, (parabolas + height).astype(np.int16)])
    return curve.astype(np.uint32).astype(np.uint64).reshape(-1)


def _stacks(data: SubtractionData | PcanData) -> bool:
    return data.stackable


SIGNAL_FILTER_BANK_SPECTRAL_SUBTRACTION = Registration(
    "SignalFilterBankSpectralSubtraction",
    prepare_subtraction,
    BindingEvaluate(bind_subtraction),
    _stacks,
    _reset_subtraction,
)
SIGNAL_PCAN = Registration("SignalPCAN", prepare_pcan, BindingEvaluate(bind_pcan), _stacks)
