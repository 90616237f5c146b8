"""memcpy and memset of the C library, in runs of one length whose places in memory are known.

Where both ends lie on words, or one can be brought there, the copy goes by blocks of 64, 16 and 4
bytes; what is short and off words goes byte by byte. With MVE, CMSIS-NN has loops of its own.

Source    newlib `newlib/libc/machine/arm/memcpy-armv7m.S`, `memset.S`; CMSIS-NN
          `Include/arm_nnsupportfunctions.h`
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from tinyml_runtime.workload import LoopWork
from tinyml_runtime.workloads.cmsis_nn.counting import in_blocks, once, turns

_WORD = 4
_LANES = 16
# Shorter copies off words are not brought onto them.
_ALIGN_FROM = 8


@dataclass(frozen=True, slots=True)
class Places:
    """How many of a set of copies start where: both ends on words, the source only, or neither."""

    on_words: float
    source_only: float
    neither: float

    @property
    def all(self) -> float:
        """All copies."""
        return self.on_words + self.source_only + self.neither


def copies(kernel: str, length: int, places: Places, times: float = 1) -> Iterator[LoopWork]:
    """Copies of `length` bytes by memcpy."""
    yield once(f"{kernel}.call", times * places.all)
    astray = times * (places.source_only + places.neither)
    by_words = times * places.all
    if length >= _ALIGN_FROM:
        yield once(f"{kernel}.astray", astray)
        # Up to three bytes go before the first word.
        yield once(f"{kernel}.align", times * places.neither)
    else:
        yield once(f"{kernel}.astray_short", astray)
        if length >= _WORD:
            by_words = times * places.on_words
            yield turns(f"{kernel}.byte", astray * (length - _WORD + 1))
    yield from in_blocks(f"{kernel}.bytes", by_words, length, (64, 16, 4))
    if length % _WORD:
        yield once(f"{kernel}.tail_{length % _WORD}", by_words)


def fills(kernel: str, runs: float, length: int) -> Iterator[LoopWork]:
    """`runs` times memset over `length` bytes."""
    yield once(f"{kernel}.call", runs)
    yield from in_blocks(f"{kernel}.bytes", runs, length, (16, 4, 1))


def vector_trips(length: int, lanes: int = _LANES) -> int:
    """Turns of a loop over vectors, the last of which may be partly masked out."""
    return -(-length // lanes)


def usual_places(runs: float, length: int) -> Places:
    """Where runs of `length` bytes start that follow each other on both sides, on average."""
    step = _WORD // gcd(length, _WORD)
    on_words = runs / step**2
    return Places(on_words, 2 * on_words * (step - 1), on_words * (step - 1) ** 2)
