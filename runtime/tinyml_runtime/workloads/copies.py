"""Copying of bytes by the C library: which of its loops run, by length and alignment.

Libraries copy words where both addresses allow it, in blocks of 64 or 16 bytes first; short copies
and others go another way. Which of these ways are one and the same depends on the library: the
tables say what each costs. Bytes are known by their number, blocks by how many there are.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from tinyml_runtime.workload import LoopWork, Workload

WORD = 4
_SHORT = 16
_BLOCK = 64


def count_copies(copies: Mapping[tuple[int, bool], float]) -> Workload:
    """The loops of copies: from (bytes, whether both ends lie on words) to how many there are."""
    works: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (length, aligned), times in copies.items():
        way = ("short_" if length < _SHORT else "") + ("aligned" if aligned else "unaligned")
        works[way, "call"] += times
        works[way, "block64"] += times * (length // _BLOCK)
        works[way, "block16"] += times * (length % _BLOCK // _SHORT)
        works[way, "word"] += times * (length % _SHORT // WORD)
        works[way, "byte"] += times * (length % WORD)
    return tuple(
        LoopWork(f"copy_{way}.{piece}", trips=times)
        for (way, piece), times in works.items()
        if times
    )


def one_copy(length: int) -> Workload:
    """The loops of a copy of `length` bytes between tensors, which lie on words."""
    return count_copies({(length, True): 1})


def aligned_by_offset(length: int, offsets: Iterable[tuple[int, int]]) -> Counter[tuple[int, bool]]:
    """Copies of one length from and to offsets in bytes, by whether both lie on words."""
    return Counter((length, (first | second) % WORD == 0) for first, second in offsets)
