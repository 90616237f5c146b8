"""In which arenas TFLM prints a given line about too little memory.

After the same calls, what lies in an arena depends on its size by a constant, for all sizes that
leave the same remainder by 16. So for each call there is one size at which it finds as much room as
the line says; whether the calls before it succeed there is compared, not tried.

Source: tflite-micro `micro/arena_allocator/single_arena_buffer_allocator.cc`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tinyml_runtime.memory.arena import Action, ArenaCall
from tinyml_runtime.memory.planner import ALIGNMENT_BYTES, align_down, align_up

_WORD = 2**32


@dataclass(frozen=True, slots=True)
class ShortageLine:
    """What a line says: which call found how much room.

    For `PLAN`, which is told as a number of buffers, that is `most_buffers`.
    """

    action: Action
    requested: int = 0
    available: int = 0
    most_buffers: int = 0


@dataclass(frozen=True, slots=True)
class ShortageMatch:
    """A call that fails with that line, by its number, in arenas of these sizes (from, to)."""

    number: int
    call: ArenaCall
    sizes: Sequence[tuple[int, int]]

    def has_size(self, size: int) -> bool:
        """Whether an arena of `size` bytes is among them."""
        return any(low <= size <= high for low, high in self.sizes)

    def lacking_bytes(self, enough: int) -> int:
        """What the largest of these arenas lacks to an arena of `enough` bytes."""
        return enough - self.sizes[-1][1]


def find_arenas(
    calls: Sequence[ArenaCall], line: ShortageLine, buffers: int
) -> list[ShortageMatch]:
    """Every call of a model that can have printed the line; `buffers` are those of the plan."""
    found: dict[int, list[int]] = {}
    for remainder in range(ALIGNMENT_BYTES):
        for number, size in _with_remainder(calls, line, buffers, remainder):
            found.setdefault(number, []).append(size)
    return [
        ShortageMatch(number, calls[number], _stretches(sorted(found[number])))
        for number in sorted(found)
    ]


def _with_remainder(
    calls: Sequence[ArenaCall], line: ShortageLine, buffers: int, remainder: int
) -> Iterator[tuple[int, int]]:
    """Numbers of calls and sizes, among the sizes that leave `remainder` when divided by 16."""
    head = temporary = enough = 0
    tail = remainder  # a size that is a multiple of 16 below what is looked for
    for number, call in enumerate(calls):
        needed = 0
        room: range = range(0)  # sizes, relative to `remainder`, that have as much as the line says
        match call.action:
            case Action.PERSISTENT:
                start = align_down(tail - call.bytes, call.alignment)
                needed = head - start
                room = _one(_signed(line.available) - call.bytes + needed)
                tail = start
            case Action.TEMPORARY:
                start = align_up(temporary, call.alignment)
                temporary = start + call.bytes
                needed = temporary - tail
                room = _one(line.available + start - tail)
            case Action.HEAD:
                needed = call.bytes - tail
                room = _one(line.available - tail)
                head = temporary = call.bytes
            case Action.RELEASE:
                temporary = head
            case Action.PLAN:
                lost = align_up(temporary) - align_down(tail)
                needed = lost + call.bytes
                each = max(call.bytes // max(buffers, 1), 1)
                least = lost + line.most_buffers * each
                room = range(least, least + each)
        if call.action is line.action and line.requested in (0, call.bytes):
            for size in room:
                is_first = enough <= size < needed
                if is_first and size % ALIGNMENT_BYTES == 0:
                    yield number, size + remainder
        enough = max(enough, needed)


def _one(size: int) -> range:
    return range(size, size + 1)


def _signed(value: int) -> int:
    """What a difference was, before it was printed as a number of 32 bits without a sign."""
    return value - _WORD if value >= _WORD // 2 else value


def _stretches(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Sorted numbers as (from, to) of those without gaps."""
    stretches: list[tuple[int, int]] = []
    for size in sizes:
        if stretches and size == stretches[-1][1] + 1:
            stretches[-1] = stretches[-1][0], size
        else:
            stretches.append((size, size))
    return stretches
