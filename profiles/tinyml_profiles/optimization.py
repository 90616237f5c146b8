"""Kernels that the compiler optimises for size: what they execute beside those of -O2.

Tables of loops are of -O2. Where a core's loops were counted at -Os too, those stand. Else a node
executes as many times more instructions as on the core where they were; and where its loops were
not counted at -Os anywhere, something between the least and the most of all that were.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import sqrt

from tinyml_profiles.instructions import (
    Instructions,
    LoopTable,
    count_instructions,
    load_loops,
)
from tinyml_profiles.target import Core
from tinyml_runtime.workload import LoopWork

USUAL = "O2"
FOR_SIZE = "Os"
LEVELS = (USUAL, FOR_SIZE)
# The core on which loops were counted at both levels.
COUNTED_ON = "rv32imc"
EXACT = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class SizedCount:
    """Instructions at -Os. `bounds` are the fewest and the most there may be, as factors.

    `is_assumed` says that they are those of -O2, scaled.
    """

    instructions: Instructions
    is_assumed: bool
    bounds: tuple[float, float] = EXACT


@dataclass(frozen=True, slots=True)
class SizedLoops:
    """A library's loops at -Os: those of the core itself, if any, and of where they were counted.

    `there` and `there_usual` are the tables of the same core at -Os and at -O2.
    """

    own: LoopTable | None
    there: LoopTable
    there_usual: LoopTable

    def count(self, loops: Iterable[LoopWork], usual: Instructions) -> SizedCount:
        """The instructions of a node at -Os, of which there are `usual` at -O2."""
        loops = tuple(loops)
        if self.own is not None:
            counted = count_instructions(loops, self.own)
            if not counted.unpriced:
                return SizedCount(counted, False)
        least, most = self.there.beside_usual
        ratio = self._ratio(loops) or sqrt(least * most)
        mix = tuple(count * ratio for count in usual.mix)
        return SizedCount(replace(usual, mix=mix), True, (least / ratio, most / ratio))

    def _ratio(self, loops: Iterable[LoopWork]) -> float | None:
        """Instructions for each at -O2 where both were counted; None where they were not."""
        small = count_instructions(loops, self.there)
        usual = count_instructions(loops, self.there_usual)
        if small.unpriced or usual.unpriced or not usual.total:
            return None
        least, most = self.there.beside_usual
        return min(most, max(least, small.total / usual.total))


def find_sized_loops(core: Core, library: str) -> SizedLoops | None:
    """The loops of `library` at -Os for `core`; None where nobody has counted any."""
    there = load_loops(library, COUNTED_ON, FOR_SIZE)
    usual = load_loops(library, COUNTED_ON)
    if there is None or usual is None:
        return None
    return SizedLoops(load_loops(library, core.loops_core, FOR_SIZE), there, usual)
