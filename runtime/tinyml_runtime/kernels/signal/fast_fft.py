"""Spectra of int16 signals in few NumPy calls, for signals on which KISS FFT does not overflow.

On small transforms the number of calls is what takes the time. float64 carries every integer of the
transform exactly, below 2**53 steps of 2**-15; so a stage is four calls, and KISS FFT bit for bit:
1. A matrix product: the butterfly times the division by the next stage's radix. Its constant rows
   add the half that rounds, and the integer offset K of each number.
2. A floor: the quotients, and K.
3. A complex product with the next stage's twiddles. It turns K into an offset of one size, a half
   included; with that, the int16 numbers that are wanted stand in memory (`fast_fft_tables`).
4. A copy of them, as the columns of the next matrix product.

Two more products part the spectrum of even samples + i * odd samples into that of all. With f1 and
f2 as in KISS FFT, frequency f is (f1 + f2 * twiddle) / 2, and its mirror image the conjugate of
(f1 - f2 * twiddle) / 2; f2 and f1 get offsets that round the product and the halves likewise.

What overflows: quotients of the first stage's sums do not. Behind it, no number is larger in
modulus than the sums of the second stage, but for 6 per stage of rounding. Those are less than
sqrt(32) times the largest part of a number that enters the third stage, or the second and last one.
Where that is below `SURELY_FITS`, all is below 32768; else each number has to be looked at. These
numbers have it added; so one call finds both ends, as bits of negative doubles are large integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.signal import fast_fft_tables as tables
from tinyml_runtime.kernels.signal.fast_fft_tables import SURELY_FITS, FastTables
from tinyml_runtime.kernels.signal.fft_plan import FftPlan
from tinyml_runtime.tensor import Array


@dataclass(frozen=True, slots=True)
class _Step:
    """A stage that another one follows: arrays and views of them.

    `numbers` and `parts` are `sums`, complex and not; `words` are where the rounded numbers stand
    in it, and `columns` where they go. Quotients reach `limit` where sums have left 16 bits.
    """

    product: Callable[[Array, Array], Array]
    butterfly: Array
    sums: Array
    parts: Array
    numbers: Array
    twiddles: Array
    columns: Array
    words: Array
    offsets: Array
    limit: int


class FastSpectra:
    """Spectra of several real signals at a time, padded with zeros to the transform's length."""

    def __init__(self, constants: FastTables, transforms: int) -> None:
        """Lay out the arrays of `transforms` transforms."""
        self._constants, self._transforms = constants, transforms
        plan = constants.fft.plan
        self._radices = [stage.radix for stage in plan.stages]
        self._checked = tables.checked_stage(plan)
        self._places = np.zeros((2, plan.points, transforms), np.intp)
        numbers = transforms * plan.points
        # Real and imaginary parts of each input of a stage, then its constant rows.
        self._columns = [np.zeros((4 * radix, numbers // radix)) for radix in self._radices]
        self._steps = [self._step(index) for index in range(len(self._radices) - 1)]
        bias = self._bias(len(self._radices) - 1)
        self._ending = _Ending(constants, transforms, self._columns[-1], bias)

    def bind(self, signals: Array, spectra: Array) -> Callable[[], bool]:
        """What makes `spectra` [transforms, 2 * points + 2] of `signals` [transforms, length].

        It says whether they are exact: False where sums have overflowed.
        """
        output, words = spectra.reshape(-1), self._ending.words
        look_up, places = tables.quotients(self._radices[0]).take, self._places.reshape(-1)
        placing, first = self._placing(signals.view(np.uint16)), self._inputs(0)
        floor, multiply, finish = np.floor, np.multiply, self._ending.bind()
        steps = [
            (s.product, s.butterfly, s.sums, s.parts, s.numbers, s.twiddles, s.columns, s.words)
            for s in self._steps
        ]
        checked = self._inputs(self._checked).view(np.uint64)
        small = int(np.array(2.0 * SURELY_FITS).view(np.uint64))
        largest, item = checked.argmax, checked.item

        def run() -> bool:
            for some, samples in placing:
                some[...] = samples
            look_up(places, None, first, "clip")
            for product, butterfly, sums, parts, numbers, twiddles, columns, rounded in steps:
                product(butterfly, sums)
                floor(parts, parts)
                multiply(numbers, twiddles, numbers)
                columns[...] = rounded
            finish()
            output[...] = words
            return item(largest()) < small or self._fits_exactly()

        return run

    def _placing(self, samples: Array) -> list[tuple[Array, Array]]:
        """Even samples and odd ones beside where they go; at once where there are as many."""
        length = samples.shape[1]
        if length % 2 == 0:
            pairs = samples.reshape(len(samples), -1, 2).transpose(2, 1, 0)
            return [(self._places[:, : length // 2].squeeze(), pairs.squeeze())]
        return [
            (self._places[part, : len(own)].squeeze(), own.squeeze())
            for part, own in enumerate((samples[:, 0::2].T, samples[:, 1::2].T))
        ]

    def _fits_exactly(self) -> bool:
        """Whether all numbers fit; the stages' have been overwritten, and are made again."""
        for step in self._steps:
            step.product(step.butterfly, step.sums)
            np.floor(step.parts, step.parts)
            quotients = (step.numbers - step.offsets).view(np.float64)
            if np.abs(quotients).max() >= step.limit:
                return False
        return self._ending.fits()

    def _bias(self, index: int) -> int:
        """What has been added to the inputs of the stage at `index`."""
        return SURELY_FITS if index == self._checked else 0

    def _inputs(self, index: int) -> Array:
        return self._columns[index][: 2 * self._radices[index]].reshape(-1)

    def _step(self, index: int) -> _Step:
        """The stage at `index` and the twiddles of the next one, for all transforms."""
        radix, following = self._radices[index : index + 2]
        columns = self._columns[index]
        twiddles, offsets = (
            self._for_all(factors[index], index)
            for factors in (self._constants.twiddles, self._constants.offsets)
        )
        butterfly = tables.butterfly(radix, following)
        rounding = (offsets + (0.5 + 0.5j)).view(np.float64).reshape(-1, 2 * radix)
        columns[2 * radix :] = (rounding - self._bias(index) * butterfly.sum(axis=0)).T
        sums = np.empty((len(twiddles) // radix, 2 * radix))
        return _Step(
            product=columns.T.dot,
            butterfly=np.vstack([butterfly, np.eye(2 * radix)]),
            sums=sums,
            parts=sums.reshape(-1),
            numbers=sums.reshape(-1).view(complex),
            twiddles=twiddles,
            columns=self._inputs(index + 1).reshape(2, -1),
            words=tables.second_words(sums).reshape(-1, 2).T,
            offsets=offsets,
            limit=tables.LARGEST // following,
        )

    def _for_all(self, factors: Array, index: int) -> Array:
        """Factors [radix, columns] behind the stage at `index`, for each transform.

        Transforms come between what has still to be transformed and what has been.
        """
        done = math.prod(self._radices[: index + 1])
        apart = factors.reshape(len(factors), -1, 1, done)
        return apart.repeat(self._transforms, 2).reshape(-1)


class _Ending:
    """The last stage, and from its spectra of complex signals those of the real ones.

    `words` are the latter, as they stand in memory: [transforms * (2 * points + 2)].
    """

    def __init__(self, constants: FastTables, transforms: int, columns: Array, bias: int) -> None:
        """Make the spectra of what is in `columns`, with `bias` added; they get the constants."""
        plan = constants.fft.plan
        points, radix = plan.points, plan.stages[-1].radix
        self._columns = columns[: 2 * radix + 1]
        self._columns[-1] = 1.0
        self._butterfly = tables.last_butterfly(radix, bias)
        self._sums = np.empty((2 * radix + 1, columns.shape[1]))
        self._chosen = _pairs(plan, transforms)
        self._halves = np.empty(self._chosen.shape, np.int16)
        frequencies = points // 2 + 1
        self._twiddles = np.tile(constants.real_twiddles, (transforms, 1))
        self._rows = np.ones((7, transforms * frequencies))
        self._rows[5:] = np.tile(tables.real_offsets(constants.real_twiddles), transforms)
        self._combined = np.empty((transforms * frequencies, 6))
        self._turned = np.empty((transforms, frequencies), complex)
        self._spectra = np.empty((transforms, points + 1), complex)
        self.words = tables.third_words(self._spectra)

    def bind(self) -> Callable[[], None]:
        """What makes the spectra."""
        multiply, add, subtract = np.multiply, np.add, np.subtract
        last_stage, columns, sums = self._butterfly.dot, self._columns, self._sums
        choose, chosen, halves = tables.words(sums).take, self._chosen, self._halves
        rows, combine, combined = self._rows[:4].reshape(-1), self._rows.T.dot, self._combined
        matrix = tables.COMBINATION
        last = self._turned.shape[1] - 1
        numbers = combined.view(complex).reshape(len(self._turned), last + 1, 3)
        rising, falling, apart = (numbers[:, :, index].squeeze() for index in range(3))
        near, far = self._spectra[:, : last + 1].squeeze(), self._spectra[:, last:].squeeze()
        twiddles, turned = self._twiddles.squeeze(), self._turned.squeeze()
        falling, turned_back = falling[..., ::-1], turned[..., ::-1]

        def run() -> None:
            last_stage(columns, sums)
            choose(chosen, None, halves, "clip")
            rows[...] = halves
            combine(matrix, combined)
            multiply(apart, twiddles, turned)
            add(rising, turned, near)
            # Where both meet in the middle, the mirror image stays.
            subtract(falling, turned_back, far)

        return run

    def fits(self) -> bool:
        """Whether the numbers of the last run have stayed in 16 bits."""
        parts = (self._turned - tables.WIDE_OFFSET * 1j).view(np.float64)
        return bool(
            np.abs(self._halves).max() < tables.LARGEST // 2 and np.abs(parts).max() < tables.ONE
        )


def _pairs(plan: FftPlan, transforms: int) -> Array:
    """Where words of the last stage have each frequency and its mirror image.

    For both parts of either, [4 * transforms * (points // 2 + 1)].
    """
    points, radix = plan.points, plan.stages[-1].radix
    blocks = points // radix
    frequencies = np.arange(points // 2 + 1)
    columns, outputs = np.divmod(plan.order, radix)
    columns = columns + blocks * np.arange(transforms)[:, None]
    near, mirrored = frequencies, -frequencies
    rows = [outputs[near], outputs[near] + radix, outputs[mirrored], outputs[mirrored] + radix]
    # In the middle, the conjugate and the number itself come from one output, rounded apart.
    rows[1][-1] = 2 * radix
    width = transforms * blocks
    sums = [
        row * width + columns[:, f]
        for row, f in zip(rows, [near, near, mirrored, mirrored], strict=True)
    ]
    return (np.stack(sums) * tables.WORDS + tables.SECOND_WORD).reshape(-1)
