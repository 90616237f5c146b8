"""Colours and letters by which buffers are told apart; black is readable on all of the colours."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_letters

from tinyml_runtime.planning.sequence import PlannedBuffer

COLOURS = (
    "#8fb8de",
    "#f6b26b",
    "#93c47d",
    "#e58a8a",
    "#b9a3e3",
    "#d8b48a",
    "#f2a7d0",
    "#7fd1c7",
    "#d6d65c",
    "#b7b7b7",
    "#9ad1f5",
    "#c5e08b",
)
LETTERS = ascii_letters[26:] + ascii_letters[:26]
NO_LETTER = "#"


def colours(buffers: Sequence[PlannedBuffer]) -> list[str]:
    """A colour for each buffer: those that come after one another have different ones."""
    chosen = [""] * len(buffers)
    for place, number in enumerate(in_order(buffers)):
        chosen[number] = COLOURS[place % len(COLOURS)]
    return chosen


def letters(buffers: Sequence[PlannedBuffer]) -> list[str]:
    """A letter for each of the largest buffers, in the order of their first use; # for others."""
    largest = sorted(range(len(buffers)), key=lambda number: -buffers[number].bytes)
    named = set(largest[: len(LETTERS)])
    chosen = [NO_LETTER] * len(buffers)
    free = iter(LETTERS)
    for number in in_order(buffers):
        if number in named:
            chosen[number] = next(free)
    return chosen


def in_order(buffers: Sequence[PlannedBuffer]) -> list[int]:
    """The numbers of the buffers in the order of their first use."""
    return sorted(range(len(buffers)), key=lambda number: buffers[number].request.first_use)
