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
Where that is below `_SURELY_FITS`, all is below 32768; else each number has to be looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.kernels.signal import fast_fft_tables as tables
from tinyml_runtime.kernels.signal.fast_fft_tables import FastTables
from tinyml_runtime.kernels.signal.fft_plan import FftPlan
from tinyml_runtime.tensor import Array

_SURELY_FITS = 5700


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
        self._places = np.zeros((2, plan.points, transforms), np.intp)
        numbers = transforms * plan.points
        # Real and imaginary parts of each input of a stage, then its constant rows.
        self._columns = [np.zeros((4 * radix, numbers // radix)) for radix in self._radices]
        self._steps = [self._step(index) for index in range(len(self._radices) - 1)]
        self._ending = _Ending(constants, transforms, self._columns[-1])

    def bind(self, signals: Array, spectra: Array) -> Callable[[], bool]:
        """What makes `spectra` [transforms, 2 * points + 2] of `signals` [transforms, length].

        It says whether they are exact: False where sums have overflowed.
        """
        samples = signals.view(np.uint16)
        even, odd = samples[:, 0::2].T.squeeze(), samples[:, 1::2].T.squeeze()
        even_places = self._places[0, : (signals.shape[1] + 1) // 2].squeeze()
        odd_places = self._places[1, : signals.shape[1] // 2].squeeze()
        output, words = spectra.reshape(-1), self._ending.words
        transform, finish, fits = self._transform(), self._ending.bind(), self._fits()

        def run() -> bool:
            even_places[...] = even
            odd_places[...] = odd
            transform()
            finish()
            output[...] = words
            return fits() or self._fits_exactly()

        return run

    def _transform(self) -> Callable[[], None]:
        """The way from places in the table of quotients to the last stage's columns."""
        floor, multiply = np.floor, np.multiply
        look_up, places = tables.quotients(self._radices[0]).take, self._places.reshape(-1)
        first = self._inputs(0)
        steps = [
            (s.product, s.butterfly, s.sums, s.parts, s.numbers, s.twiddles, s.columns, s.words)
            for s in self._steps
        ]

        def run() -> None:
            look_up(places, None, first, "clip")
            for product, butterfly, sums, parts, numbers, twiddles, columns, words in steps:
                product(butterfly, sums)
                floor(parts, parts)
                multiply(numbers, twiddles, numbers)
                columns[...] = words

        return run

    def _fits(self) -> Callable[[], bool]:
        """Whether numbers are so small that surely nothing has overflowed."""
        checked = self._inputs(min(2, len(self._radices) - 1))
        largest, smallest, item = checked.argmax, checked.argmin, checked.item
        return lambda: item(largest()) < _SURELY_FITS and item(smallest()) > -_SURELY_FITS

    def _fits_exactly(self) -> bool:
        """The same by all numbers; the stages' have been overwritten, and are made again."""
        for step in self._steps:
            step.product(step.butterfly, step.sums)
            np.floor(step.parts, step.parts)
            quotients = (step.numbers - step.offsets).view(np.float64)
            if np.abs(quotients).max() >= step.limit:
                return False
        return self._ending.fits()

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
        columns[2 * radix :] = (offsets + (0.5 + 0.5j)).view(np.float64).reshape(-1, 2 * radix).T
        sums = np.empty((len(twiddles) // radix, 2 * radix))
        return _Step(
            product=columns.T.dot,
            butterfly=np.vstack([tables.butterfly(radix, following), np.eye(2 * radix)]),
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

    def __init__(self, constants: FastTables, transforms: int, columns: Array) -> None:
        """Make the spectra of what is in `columns`, which gets the constants."""
        plan = constants.fft.plan
        points, radix = plan.points, plan.stages[-1].radix
        self._columns = columns[: 2 * radix + 1]
        self._columns[-1] = 1.0
        self._butterfly = tables.last_butterfly(radix)
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
