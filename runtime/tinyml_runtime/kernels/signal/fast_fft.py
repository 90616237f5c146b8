"""Spectra of int16 signals in few NumPy calls, for signals on which KISS FFT does not overflow.

float64 carries every integer of the transform exactly: products of two 16-bit fractions, and their
sums, have less than 40 bits. So a stage of radix 2 or 4 is one matrix product (the butterfly times
the division of the next stage, plus the half that rounds it), a floor, a complex product with the
twiddles, and the rounding of that. It is KISS FFT bit for bit as long as nothing leaves 16 bits.
Whatever could is compared with the limit that it reaches if it does; then there is no result, and
`fft.to_frequencies`, which wraps as KISS FFT does, has to be asked instead.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tinyml_runtime.kernels.signal.fft import Transform
from tinyml_runtime.tensor import Array

_ONE = 2.0**15
_LARGEST = 2**15 - 1
_HALF = np.array(0.5)
_ONE_PLACE = np.array(1, np.int32)


@dataclass(frozen=True, slots=True)
class _Tables:
    """The constants of a transform: of each stage, and of what makes the real spectrum."""

    points: int
    radices: tuple[int, ...]
    first_factor: Array
    butterflies: tuple[Array, ...]
    twiddles: tuple[Array, ...]
    positions: Array
    real_twiddles: Array


@dataclass(frozen=True, slots=True)
class _Step:
    """A stage up to the twiddles of the next one, over fixed arrays; `parts` are float views."""

    columns: Array
    butterfly: Array
    sums: Array
    sum_parts: Array
    divided: Array
    divided_parts: Array
    twiddles: Array
    turned: Array
    turned_parts: Array

    def run(self) -> None:
        np.dot(self.columns, self.butterfly, out=self.sums)
        np.floor(self.sum_parts, out=self.divided_parts)
        np.multiply(self.divided, self.twiddles, out=self.turned)
        np.add(self.turned_parts, _HALF, out=self.turned_parts)
        np.floor(self.turned_parts, out=self.turned_parts)


class FastSpectra:
    """Spectra of real signals, padded with zeros to the transform's length."""

    def __init__(self, fft: Transform) -> None:
        """Lay out the constants of `fft`, whose stages have radix 2 and 4 only."""
        self._tables = _tables(fft)

    def of(self, transforms: int, length: int) -> Callable[[Array, Array], bool]:
        """What makes the spectra of signals [transforms, length].

        It writes them to [transforms, 2 * points + 2], and says whether they are exact: False where
        sums may have overflowed.
        """
        return _Area(self._tables, transforms, length).run


def has_fast_radices(fft: Transform) -> bool:
    """Whether `FastSpectra` can take this transform."""
    return all(stage.radix in (2, 4) for stage in fft.plan.stages)


class _Area:
    """Arrays for so many transforms at once, and every view of them that a run needs."""

    def __init__(self, tables: _Tables, transforms: int, length: int) -> None:
        self._tables = tables
        points, middle = tables.points, tables.points // 2
        self._samples = np.zeros((transforms, 2 * points))
        self._given = self._samples[:, :length]
        self._divided = np.empty_like(self._samples)
        self._prepare_checks(transforms)
        self._prepare_steps(transforms)
        self._near, self._mirrored = self._pairs[:, 0], self._pairs[:, 1]
        self._even = np.empty((transforms, middle + 1), complex)
        self._apart = np.empty_like(self._even)
        self._spectra = np.zeros((transforms, points + 1), complex)
        self._spectrum_parts = self._spectra.view(np.float64)
        self._words = np.zeros(self._spectrum_parts.shape, np.int32)
        self._end_words = self._words[:, 1 :: 2 * points]
        first_parts = self._pairs.view(np.float64)[:, 0]
        self._first_parts = first_parts[:, 0], first_parts[:, 1]
        self._rising = self._spectra[:, : middle + 1]
        self._falling = self._spectra[:, points - middle :][:, ::-1]

    def run(self, signals: Array, spectra: Array) -> bool:
        """Transform the signals; whether the spectra are exact."""
        np.copyto(self._given, signals)
        np.multiply(self._samples, self._tables.first_factor, out=self._divided)
        np.add(self._divided, _HALF, out=self._divided)
        np.floor(self._divided_rows, out=self._first_rows)
        for step in self._steps:
            step.run()
        np.dot(*self._last_factors, out=self._last_sums)
        self._part_halves()
        spectra[...] = self._words
        np.abs(self._checked, out=self._excess)
        np.subtract(self._excess, self._limits, out=self._excess)
        return bool(np.maximum.reduce(self._excess) < 0)

    def _part_halves(self) -> None:
        """From the spectrum of even samples + i * odd samples to the spectrum of all."""
        near, mirrored, even, apart = self._near, self._mirrored, self._even, self._apart
        np.take(self._last_rows, self._tables.positions, 1, self._pairs, "clip")
        np.conjugate(mirrored, out=mirrored)
        _round(self._pair_parts)
        np.add(near, mirrored, out=even)
        np.subtract(near, mirrored, out=apart)
        np.multiply(apart, self._tables.real_twiddles, out=self._odd)
        _round(self._odd_parts)
        np.add(even, self._odd, out=self._rising)
        np.subtract(even, self._odd, out=apart)
        # Where both meet in the middle, the mirror image stays.
        np.conjugate(apart, out=self._falling)
        words = self._words
        words[...] = self._spectrum_parts
        np.right_shift(words, _ONE_PLACE, out=words)
        real, imaginary = self._first_parts
        words[:, 0] = real + imaginary
        words[:, -2] = real - imaginary
        self._end_words.fill(0)

    def _prepare_checks(self, transforms: int) -> None:
        """One array for all numbers that show an overflow, so that one comparison sees them all."""
        tables, middle = self._tables, self._tables.points // 2
        stages = len(tables.radices) - 1
        pair = 2 * transforms * (middle + 1)
        lengths = [*[2 * transforms * tables.points] * stages, 2 * pair, pair]
        limits = [*[_LARGEST // radix for radix in tables.radices[1:]], _LARGEST // 2, _LARGEST + 1]
        self._limits = np.repeat(np.array(limits, np.float64), lengths)
        self._checked = np.zeros_like(self._limits)
        self._excess = np.empty_like(self._limits)
        *between, self._pair_parts, self._odd_parts = np.split(
            self._checked, np.cumsum(lengths)[:-1]
        )
        self._between = [part.view(complex) for part in between]
        self._pairs = self._pair_parts.view(complex).reshape(transforms, 2, middle + 1)
        self._odd = self._odd_parts.view(complex).reshape(transforms, middle + 1)

    def _prepare_steps(self, transforms: int) -> None:
        tables = self._tables
        numbers = transforms * tables.points
        # The last row of the columns meets the row of the butterfly that rounds.
        columns = [np.ones((radix + 1, numbers // radix), complex) for radix in tables.radices]
        sums = [np.empty((numbers // radix, radix), complex) for radix in tables.radices]
        first = tables.radices[0]
        self._divided_rows = _rows_first(self._divided, transforms, first)
        self._first_rows = columns[0][:first].view(np.float64).reshape(first, transforms, -1)
        self._last_factors = columns[-1].T, tables.butterflies[-1]
        self._last_sums = sums[-1]
        self._last_rows = sums[-1].reshape(transforms, -1)
        self._steps: list[_Step] = []
        for index, radix in enumerate(tables.radices[1:]):
            divided = self._between[index].reshape(radix, transforms, -1)
            turned = columns[index + 1][:radix]
            step = _Step(
                columns=columns[index].T,
                butterfly=tables.butterflies[index],
                sums=sums[index],
                sum_parts=_rows_first(sums[index].view(np.float64), transforms, radix),
                divided=divided,
                divided_parts=divided.view(np.float64),
                twiddles=tables.twiddles[index + 1][:, None],
                turned=turned.reshape(divided.shape),
                turned_parts=turned.view(np.float64),
            )
            self._steps.append(step)


def _round(parts: Array) -> None:
    np.add(parts, _HALF, out=parts)
    np.floor(parts, out=parts)


def _rows_first(parts: Array, transforms: int, radix: int) -> Array:
    """A view [radix, transforms, parts of a row] of parts that lie one transform after another."""
    return parts.reshape(transforms, radix, -1).transpose(1, 0, 2)


def _tables(fft: Transform) -> _Tables:
    plan = fft.plan
    radices = tuple(stage.radix for stage in plan.stages)
    roots = (fft.roots[0] + 1j * fft.roots[1]) / _ONE
    twiddles = [roots[stage.twiddles] for stage in plan.stages]
    for factors in twiddles:
        factors[0] = 1.0  # KISS FFT leaves the first row as it is
    frequencies = np.arange(plan.half + 1)
    real_twiddles = np.zeros(plan.half + 1, complex)
    real_twiddles[1:] = (fft.real_twiddles[0] + 1j * fft.real_twiddles[1]) / _ONE
    return _Tables(
        points=plan.points,
        radices=radices,
        first_factor=np.array(_LARGEST // radices[0] / _ONE),
        # After the last stage mirror images change their sign before they are rounded.
        butterflies=(
            *(_butterfly(*pair, 0.5 + 0.5j) for pair in pairwise(radices)),
            _butterfly(radices[-1], 2, 0.0),
        ),
        twiddles=tuple(twiddles),
        positions=np.stack([plan.order[frequencies], plan.order[-frequencies]]),
        real_twiddles=real_twiddles,
    )


def _butterfly(radix: int, divisor: int, rounding: complex) -> Array:
    """The butterfly times KISS FFT's form of 1 / divisor, and a row that adds `rounding`."""
    turns = np.array([1, -1j, -1, 1j])[:: 4 // radix]
    exponents = np.outer(np.arange(radix), np.arange(radix)) % radix
    factor = _LARGEST // divisor / _ONE
    return np.concatenate([turns[exponents] * factor, np.full((1, radix), rounding)])
