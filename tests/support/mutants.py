"""Damaged versions of a file, to see how its reader takes them."""

from __future__ import annotations

import itertools
import random
import struct
from collections.abc import Iterator, Sequence

WORD = 4


def attack_values(file_size: int) -> tuple[int, ...]:
    """Words at which arithmetic on offsets, lengths and counts goes wrong."""
    small = (0, 1, 3, 0xFF, 0xFFFF)
    near_the_end = (file_size - 4, file_size, file_size + 1)
    extreme = (0x7FFFFFFF, 0x80000000, 0xFFFFFFFC, 0xFFFFFFFF)
    return small + near_the_end + extreme


def replace_word(data: bytes, offset: int, value: int) -> bytes:
    """`data` with the 32-bit word at `offset` set to `value`."""
    return data[:offset] + struct.pack("<I", value & 0xFFFFFFFF) + data[offset + WORD :]


def with_words_replaced(data: bytes, offsets: Sequence[int] = (), step: int = 1) -> Iterator[bytes]:
    """Every aligned word (or those at `offsets`) replaced by every attack value.

    With `step`, one of so many.
    """
    words = offsets or range(0, len(data) - WORD + 1, WORD)
    attacks = itertools.product(words, attack_values(len(data)))
    for offset, value in itertools.islice(attacks, 0, None, step):
        yield replace_word(data, offset, value)


def with_bytes_flipped(
    data: bytes, count: int, offsets: Sequence[int] = (), seed: int = 0
) -> Iterator[bytes]:
    """`count` versions, each with one to eight random bytes (or some at `offsets`) changed."""
    generator = random.Random(seed)
    places = offsets or range(len(data))
    for _ in range(count):
        damaged = bytearray(data)
        for _ in range(generator.choice((1, 1, 1, 2, 4, 8))):
            damaged[generator.choice(places)] ^= generator.randrange(1, 256)
        yield bytes(damaged)


def truncated(data: bytes, count: int) -> Iterator[bytes]:
    """`count` beginnings of the file, evenly spread over its length."""
    for index in range(count):
        yield data[: len(data) * index // count]


def with_parts_moved(data: bytes, count: int, seed: int = 0) -> Iterator[bytes]:
    """`count` versions in which a stretch of the file is copied over another, or cut out."""
    generator = random.Random(seed)
    for _ in range(count):
        start, target = (generator.randrange(len(data)) for _ in range(2))
        stretch = data[start : start + generator.randrange(1, 64)]
        if generator.random() < 0.5:
            yield data[:target] + stretch + data[target + len(stretch) :]
        else:
            yield data[:start] + data[start + len(stretch) :]
