"""How KISS FFT splits a transform into stages, and where its numbers lie in between.

A complex transform of n points, n the product of radices 4, 2, 3 and 5, runs in one stage a radix,
the last radix first. A stage sees n numbers as `radix` rows of n / radix columns, multiplies row q,
column c by a twiddle, and makes `radix` outputs of every column. Outputs are written side by side,
which leaves the rows of the next stage contiguous (Stockham's order, with reversed digits: `order`
puts the numbers right after the last stage).

Source    KISS FFT 130 `kiss_fft.c` (`kf_factor`, `kf_work`), `tools/kiss_fftr.c`
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tinyml_runtime.tensor import Array

_RADICES = (4, 2, 3, 5)


@dataclass(frozen=True, slots=True)
class Stage:
    """One pass over all numbers; `twiddles` are exponents of shape [radix, columns]."""

    radix: int
    twiddles: Array


@dataclass(frozen=True, slots=True)
class FftPlan:
    """A complex transform of `points` points, and what a real one of twice as many adds.

    `order[f]` is where the last stage leaves frequency f. Phases are in radians: of all twiddles,
    and of the twiddles that part a real transform's two halves.
    """

    points: int
    inverse: bool
    stages: tuple[Stage, ...]
    order: Array
    phases: tuple[float, ...]
    real_phases: tuple[float, ...]

    @property
    def half(self) -> int:
        """Frequencies of a real transform that are made together with their mirror images."""
        return self.points // 2


def radices(points: int) -> list[int] | None:
    """The radices of a transform, in KISS FFT's order; None where 4, 2, 3 and 5 do not do."""
    found: list[int] = []
    for radix in _RADICES:
        while points % radix == 0:
            found.append(radix)
            points //= radix
    return found if points == 1 and found else None


def fft_plan(points: int, inverse: bool) -> FftPlan:
    """The plan for `points`, which must have radices."""
    stages: list[Stage] = []
    order = np.zeros(1, np.intp)
    remaining = points
    for radix in reversed(radices(points) or []):
        blocks = remaining // radix
        exponents = blocks * np.outer(np.arange(radix), order)
        stages.append(Stage(radix, np.tile(exponents, (1, blocks))))
        order = (order[:, None] + len(order) * np.arange(radix)).reshape(-1)
        remaining = blocks
    sign = 1 if inverse else -1
    return FftPlan(
        points=points,
        inverse=inverse,
        stages=tuple(stages),
        order=np.argsort(order),
        phases=tuple(sign * 2 * math.pi * index / points for index in range(points)),
        real_phases=tuple(
            sign * math.pi * ((index + 1) / points + 0.5) for index in range(points // 2)
        ),
    )
