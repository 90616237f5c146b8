"""Constants of `fast_fft`: matrices of butterflies, and the offsets that round for nothing.

A double of [2**36, 2**37) has 16 bits of fraction: right above them, its bits 16 to 31 are the
lowest 16 bits of its integer part, rounded down. So where an offset of that size, a multiple of
2**16 and a half, is part of a sum, the rounded int16 number stands in memory, without another call.
"""

from __future__ import annotations

import functools
import sys
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.signal.fft import Transform
from tinyml_runtime.kernels.signal.fft_plan import FftPlan
from tinyml_runtime.tensor import Array

ONE = 2**15
LARGEST = ONE - 1
# The middle of [2**36, 2**37): what is within 2**35 of it has its integer part in the second word.
OFFSET = 1.5 * 2**36
# Twice a number that is to be halved, in the third word.
WIDE_OFFSET = 1.5 * 2**21
WORDS = 4
SECOND_WORD, THIRD_WORD = (1, 2) if sys.byteorder == "little" else (2, 1)
# See `fast_fft`: what parts of the inputs of one stage must not reach.
SURELY_FITS = 5700
# Products with twiddles are multiples of 2**-15: this does not carry any of them over an integer.
SMALL = 2.0**-16

_PERIOD = 2**31

# From parts of a frequency (two rows) and its mirror image (two), ones, and real_offsets (two):
# twice the sum, twice the sum to take from, and the difference, of the frequency and the conjugate.
# Taking away a product that is rounded up by less than 1 must not borrow: hence what is added.
COMBINATION = np.array(
    [
        [1, 0, 1, 0, 1, 0],
        [0, 1, 0, 1, 0, 1],
        [1, 0, 1, 0, -1, 0],
        [0, -1, 0, -1, 0, 1],
        [WIDE_OFFSET, 0, WIDE_OFFSET + 1 - SMALL / 2, 0, 0, 0],
        [0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 1],
    ]
)


@dataclass(frozen=True, slots=True)
class FastTables:
    """The constants of a transform: of each stage but the first, and of the real transform.

    Stages have complex twiddles, and the offsets that go with them, of shape [radix, columns]. The
    offsets of the stage that is checked add SURELY_FITS to its inputs.
    Real twiddles go from frequency 0, which has to be -i, to the middle one.
    """

    fft: Transform
    twiddles: tuple[Array, ...]
    offsets: tuple[Array, ...]
    real_twiddles: Array


def fast_tables(fft: Transform) -> FastTables | None:
    """The constants of `fft`, unless radices other than 2 and 4, or a single stage, forbid."""
    stages = fft.plan.stages
    if len(stages) < 2 or any(stage.radix not in (2, 4) for stage in stages):
        return None
    twiddles = tuple(_stage_twiddles(fft, index) for index in range(1, len(stages)))
    real, imaginary = fft.real_twiddles / ONE
    return FastTables(
        fft=fft,
        twiddles=twiddles,
        offsets=tuple(
            rounding_offsets(factors, SURELY_FITS if index == checked_stage(fft.plan) else 0)
            for index, factors in enumerate(twiddles, start=1)
        ),
        real_twiddles=np.concatenate([[-1j], real + 1j * imaginary]),
    )


def checked_stage(plan: FftPlan) -> int:
    """The index of the stage whose inputs tell of overflows."""
    return min(2, len(plan.stages) - 1)


@functools.cache
def quotients(radix: int) -> Array:
    """KISS FFT's x / radix, rounded, for each int16 x; by the bits of x, as float64."""
    values = np.arange(2**16, dtype=np.uint16).view(np.int16).astype(np.int64)
    return ((values * (LARGEST // radix) + ONE // 2) // ONE).astype(np.float64)


def butterfly(radix: int, divisor: int) -> Array:
    """A matrix [parts * inputs, outputs * parts] of a butterfly and KISS FFT's 1 / divisor."""
    turns = np.array([1, -1j, -1, 1j])[:: 4 // radix]
    numbers = np.arange(radix)
    matrix = turns[np.outer(numbers, numbers) % radix] * (LARGEST // divisor / ONE)
    parts = np.array([matrix, 1j * matrix]).reshape(2 * radix, radix)
    return parts.view(np.float64)


def last_butterfly(radix: int, bias: int) -> Array:
    """The butterfly whose outputs are halved, as a matrix [outputs, parts * inputs + 1].

    Outputs are all real parts, then all imaginary ones. The last input is 1, to round, and to take
    away what `bias` in the others makes. The upper half of the frequencies will be conjugated,
    which turns ties of the imaginary part around; the first of them is there without that once
    more, as the last output.
    """
    by_part = butterfly(radix, 2).reshape(-1, radix, 2).transpose(2, 1, 0).reshape(2 * radix, -1)
    rounding = np.full((2, radix), OFFSET + 0.5) - bias * by_part.sum(axis=1).reshape(2, radix)
    rounding[1, radix // 2 :] -= SMALL
    matrix = np.hstack([by_part, rounding.reshape(-1, 1)])
    middle = matrix[radix + radix // 2].copy()
    middle[-1] = rounding[1, radix // 2] + SMALL
    return np.vstack([matrix, middle])


def rounding_offsets(twiddles: Array, bias: int = 0) -> Array:
    """Complex integers K: K * twiddle is near OFFSET, a multiple of 2**16, `bias` and a half.

    With W = 2**15 * twiddle, K * W has to be (2**14 + 2**15 * bias) * (1 + i) modulo 2**31; modulo
    that, K is as much / W, which is conj(W) / |W|**2 times as much. Where W is 2**15 nothing needs
    rounding, and K is (OFFSET + bias) * (1 + i).
    """
    target = (OFFSET + bias) * (1 + 1j)
    real, imaginary = (np.rint(part * ONE).astype(np.int64) for part in _parts(twiddles))
    norm = real * real + imaginary * imaginary
    power = norm & -norm
    inverse = _inverse(norm // power)
    least = [
        (sum_ * (ONE // 2) * (1 + 2 * bias) // power) % _PERIOD * inverse
        for sum_ in (real + imaginary, real - imaginary)
    ]
    wanted = _parts(target / twiddles)
    offsets = [
        low + _PERIOD * np.rint((want - low) / _PERIOD)
        for low, want in zip((value % _PERIOD for value in least), wanted, strict=True)
    ]
    return np.where(twiddles == 1, target, offsets[0] + 1j * offsets[1])


def real_offsets(twiddles: Array) -> Array:
    """Parts [2, frequencies] of what turns into a half, and i * WIDE_OFFSET, by the twiddles.

    They need not be integers: what they are added to is not rounded before the product.
    """
    offsets = (WIDE_OFFSET * 1j + (0.5 + SMALL) * (1 + 1j)) / twiddles
    return np.stack(_parts(offsets))


def words(numbers: Array) -> Array:
    """The 16-bit words that float64 or complex numbers consist of."""
    return numbers.reshape(-1).view(np.int16)


def second_words(numbers: Array) -> Array:
    """The integers beside OFFSET, of each part of all numbers."""
    return words(numbers)[SECOND_WORD::WORDS]


def third_words(numbers: Array) -> Array:
    """Half the integers beside WIDE_OFFSET, rounded down; of each part of all numbers."""
    return words(numbers)[THIRD_WORD::WORDS]


def _stage_twiddles(fft: Transform, index: int) -> Array:
    """The complex twiddles [radix, columns] of a stage, as KISS FFT rounds them."""
    roots = fft.roots[0] + 1j * fft.roots[1]
    twiddles = roots[fft.plan.stages[index].twiddles]
    twiddles[0] = ONE  # KISS FFT leaves the first row as it is
    return twiddles / ONE


def _inverse(odd: Array) -> Array:
    """1 / odd modulo 2**31, by Newton's iteration, which doubles the bits that are right."""
    inverse = odd % _PERIOD
    for _ in range(5):
        inverse = inverse * ((2 - odd % _PERIOD * inverse) % _PERIOD) % _PERIOD
    return inverse


def _parts(values: Array) -> tuple[Array, Array]:
    return np.real(values), np.imag(values)
