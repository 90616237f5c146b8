"""Huffman codes in the form of Xtensa's decoder: tables of tables.

Source: tflite-micro `micro/kernels/decode_state_huffman.cc`, `decode_state_huffman.h`.

An entry of 16 or 32 bits has, from the top: whether it is a symbol; four bits, a number of bits;
the rest, a value. Of a symbol the number is how many of the bits last read its code has. Of another
entry it is one less than how many bits to read next, and the value with these bits is the distance
to the next entry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_runtime.model.flatbuffer import Defect

COUNT_BITS = 4
_SPARE_BYTES = 8


@dataclass(frozen=True, slots=True)
class HuffmanTable:
    """Entries, their width (16 or 32), and the number of bits to read first."""

    entries: Sequence[int]
    entry_bits: int
    first_bits: int

    @property
    def value_bits(self) -> int:
        """The width of an entry's value."""
        return self.entry_bits - 1 - COUNT_BITS

    def decode(self, data: bytes, count: int) -> list[int]:
        """The values of the next `count` symbols; raises `Defect` where table or data end early."""
        if count > 8 * len(data):
            raise Defect(f"{len(data)} bytes cannot hold {count} codes")
        padded = data + bytes(_SPARE_BYTES)
        symbols: list[int] = []
        place = 0
        for _ in range(count):
            entry, place = self._next(padded, place)
            symbols.append(entry & ((1 << self.value_bits) - 1))
        if place > 8 * len(data):
            raise Defect("the codes end early")
        return symbols

    def _next(self, data: bytes, place: int) -> tuple[int, int]:
        """The entry of the symbol whose code is at bit `place`, and where the code ends."""
        value_bits = self.value_bits
        found = 1 << (value_bits + COUNT_BITS)
        bits, offset = self.first_bits, 0
        while True:
            offset += _bits(data, place, bits)
            if offset >= len(self.entries):
                raise Defect(f"a code leads to entry {offset}, there are {len(self.entries)}")
            entry = self.entries[offset]
            stated = (entry & (found - 1)) >> value_bits
            if entry & found:
                return entry, place + min(bits, stated)
            place += bits
            bits = stated + 1
            offset += entry & ((1 << value_bits) - 1)


def _bits(data: bytes, place: int, count: int) -> int:
    start = place >> 3
    window = data[start : start + 4]
    if len(window) < 4:
        raise Defect("the codes end early")
    return (int.from_bytes(window, "big") >> (32 - (place & 7) - count)) & ((1 << count) - 1)
