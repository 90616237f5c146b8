"""The two-ended arena: what TFLM asks of it, call by call, and how small it may be.

What stays is taken from the end (the tail grows down); scratch requests, temporary memory and at
last the planned buffers begin at the start (the head grows up). Only the tail depends on the size
of the arena, and since no alignment is above 16, only on its remainder by 16.

Source: tflite-micro `micro/arena_allocator/single_arena_buffer_allocator.cc`, `micro_allocator.cc`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from tinyml_runtime.memory.planner import ALIGNMENT_BYTES, align_down, align_up


class Action(Enum):
    """What a call does to the arena."""

    PERSISTENT = "take from the tail"
    HEAD = "set the size of the head"
    TEMPORARY = "take above the head"
    RELEASE = "give back all that is temporary"
    PLAN = "lend all that is free to the memory planner"


class Section(Enum):
    """Which part of the arena a call belongs to."""

    PERSISTENT = "persistent"
    NONPERSISTENT = "nonpersistent"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Owner:
    """For whom a call is made; with neither node nor tensor, for the framework."""

    subgraph: int | None = None
    node: int | None = None
    tensor: int | None = None


FRAMEWORK = Owner()


@dataclass(frozen=True, slots=True)
class ArenaCall:
    """One call to the arena's allocator. For `PLAN`, `bytes` is what the planner needs at least.

    `unread_bytes` are those at the end of temporary memory that nothing reads once they are filled.
    """

    action: Action
    bytes: int = 0
    alignment: int = 1
    kind: str = ""
    owner: Owner = FRAMEWORK
    unread_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Shortage:
    """The first call that finds too little room in an arena.

    TFLM does not notice it (`is_silent`) where only temporary memory is in the way: it overwrites
    that.
    """

    call: ArenaCall
    available_bytes: int
    is_silent: bool = False

    @property
    def missing_bytes(self) -> int:
        """How much more that call needs."""
        return self.call.bytes - self.available_bytes


@dataclass(frozen=True, slots=True)
class ArenaState:
    """An arena after some calls: positions from its start, which is aligned to 16."""

    size: int
    head: int
    tail: int
    shortage: Shortage | None = None

    @property
    def persistent_bytes(self) -> int:
        """What was taken from the tail, with what alignment lost."""
        return self.size - self.tail


class Arena:
    """An arena of a given size at work.

    TFLM lets what stays run into temporary memory that is still in use. Up to `held` that memory is
    read later, so that TFLM fails in one way or another; what it overwrites above does not matter.
    """

    def __init__(self, size: int) -> None:
        """Begin with an empty arena of `size` bytes."""
        self.size = size
        self.head = self.temporary = self.held = 0
        self.tail = size

    def take(self, call: ArenaCall) -> Shortage | None:
        """Carry out one call; gives what is missing if there is too little room."""
        match call.action:
            case Action.PERSISTENT:
                return self._take_persistent(call)
            case Action.TEMPORARY:
                return self._take_temporary(call)
            case Action.HEAD:
                if self.tail < call.bytes:
                    return Shortage(call, self.tail)
                self.head = self.temporary = self.held = call.bytes
            case Action.RELEASE:
                self.temporary = self.held = self.head
            case Action.PLAN:
                free = align_down(self.tail) - align_up(self.temporary)
                if free < call.bytes:
                    return Shortage(call, free)
        return None

    def _take_persistent(self, call: ArenaCall) -> Shortage | None:
        start = align_down(self.tail - call.bytes, call.alignment)
        if start < self.held:
            is_silent = start >= self.head
            in_the_way = self.held if is_silent else self.head
            return Shortage(call, call.bytes - (in_the_way - start), is_silent)
        self.tail = start
        return None

    def _take_temporary(self, call: ArenaCall) -> Shortage | None:
        start = align_up(self.temporary, call.alignment)
        if self.tail - start < call.bytes:
            # What is below zero counts as very much, without a sign.
            return Shortage(call, self.tail - start, is_silent=self.tail < start)
        self.temporary = start + call.bytes
        if call.bytes > call.unread_bytes:
            self.held = self.temporary - call.unread_bytes
        return None


def carry_out(calls: Sequence[ArenaCall], size: int) -> ArenaState:
    """What becomes of an arena of `size` bytes, up to the first call that fails."""
    arena = Arena(size)
    for call in calls:
        shortage = arena.take(call)
        if shortage is not None:
            return ArenaState(size, arena.head, arena.tail, shortage)
    return ArenaState(size, arena.head, arena.tail)


def smallest_arena(calls: Sequence[ArenaCall]) -> int:
    """The fewest bytes of an arena, aligned to 16 at its start, in which all calls succeed.

    A larger arena never has a lower tail after the same calls, so no larger one fails.
    """
    taken, needs = tail_and_needs(calls)
    least = _smallest_with_remainder(taken, needs, 0)
    # The other remainders need up to 15 bytes less or some bytes more.
    below, enough = least - ALIGNMENT_BYTES, least
    while enough - below > 1:
        middle = (below + enough) // 2
        if _smallest_with_remainder(taken, needs, middle % ALIGNMENT_BYTES) <= middle:
            enough = middle
        else:
            below = middle
    return enough


def tail_and_needs(
    calls: Sequence[ArenaCall],
) -> tuple[list[tuple[int, int]], list[int]]:
    """Sizes and alignments of what the tail gives, and how far the rest reaches in between.

    `needs[k]` is the highest position that is in use below the tail after k of the former: all of
    that is the same for every size of the arena.
    """
    taken: list[tuple[int, int]] = []
    head = temporary = held = 0
    needs = [0]
    for call in calls:
        match call.action:
            case Action.PERSISTENT:
                taken.append((call.bytes, call.alignment))
                needs.append(held)
                continue
            case Action.TEMPORARY:
                temporary = reach = align_up(temporary, call.alignment) + call.bytes
                if call.bytes > call.unread_bytes:
                    held = temporary - call.unread_bytes
            case Action.HEAD:
                head = temporary = held = reach = call.bytes
            case Action.RELEASE:
                temporary = held = reach = head
            case Action.PLAN:
                reach = align_up(align_up(temporary) + call.bytes)
        if reach > needs[-1]:
            needs[-1] = reach
    return taken, needs


def _smallest_with_remainder(
    taken: Sequence[tuple[int, int]], needs: Sequence[int], remainder: int
) -> int:
    """The smallest size that works among those that leave `remainder` when divided by 16."""
    # Positions relative to a multiple of 16 below the end.
    tail = remainder
    most = needs[0] - tail
    for (size, alignment), need in zip(taken, needs[1:], strict=True):
        tail = (tail - size) // alignment * alignment
        if need - tail > most:
            most = need - tail
    return remainder + align_up(most)
