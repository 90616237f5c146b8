"""Writes the FlatBuffers wire format through the `flatbuffers` library; knows no TFLite.

The library writes a file from its end to its start, parts before the tables that refer to them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from importlib import import_module
from typing import Any

_ALIGNMENT = 16
_PLACEHOLDER = 2


class TableBuilder:
    """Builds tables from lists of fields; bytes that belong behind the FlatBuffer follow it."""

    def __init__(self) -> None:
        """Start with nothing written."""
        # Only writing needs the library, and it has no types.
        library: Any = import_module("flatbuffers")
        number_types: Any = import_module("flatbuffers.number_types")
        self._builder: Any = library.Builder(4096)
        self._flags: dict[str, Any] = {
            "b": number_types.Int8Flags,
            "B": number_types.Uint8Flags,
            "?": number_types.BoolFlags,
            "i": number_types.Int32Flags,
            "I": number_types.Uint32Flags,
            "q": number_types.Int64Flags,
            "Q": number_types.Uint64Flags,
            "f": number_types.Float32Flags,
        }
        self._outside: list[tuple[int, bytes | memoryview]] = []

    def string(self, text: str) -> int:
        """Write a string; gives its offset."""
        return self._builder.CreateString(text)

    def vector(self, code: str, values: Sequence[Any]) -> int:
        """Write a vector of numbers; gives its offset."""
        return self._raw(struct.pack(f"<{len(values)}{code}", *values), struct.calcsize(code))

    def blob(self, data: bytes | memoryview, alignment: int = _ALIGNMENT) -> int:
        """Write bytes, aligned for whoever maps the file; gives their offset."""
        return self._raw(data, 1, alignment)

    def tables(self, offsets: Sequence[int]) -> int:
        """Write a vector of the tables at `offsets`; gives its offset."""
        builder = self._builder
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return builder.EndVector()

    def table(self, *fields: tuple[Any, ...]) -> int:
        """Write a table of fields as `scalar`, `part` and `outside` give them; gives its offset.

        The place of a field among `fields` is its slot. A field that holds its default stays out.
        """
        builder = self._builder
        builder.StartObject(len(fields))
        for slot, (code, value, default) in enumerate(fields):
            if code == "part":
                builder.PrependUOffsetTRelativeSlot(slot, value, 0)
            elif code == "outside":
                self._prepend_outside(slot, value)
            elif code:
                builder.PrependSlot(self._flags[code], slot, value, default)
        return builder.EndObject()

    def finish(self, root: int, identifier: bytes) -> bytes:
        """The file: the FlatBuffer, then the bytes that belong behind it."""
        self._builder.Finish(root, file_identifier=identifier)
        file = bytearray(self._builder.Output())
        size = len(file)
        for at, data in self._outside:
            file += bytes(-len(file) % _ALIGNMENT)
            struct.pack_into("<Q", file, size - at, len(file))
            file += data
        return bytes(file)

    def _raw(self, data: bytes | memoryview, width: int, alignment: int = 0) -> int:
        builder = self._builder
        builder.StartVector(width, len(data) // width, alignment or width)
        builder.head = builder.head - len(data)
        builder.Bytes[builder.head : builder.head + len(data)] = data
        return builder.EndVector()

    def _prepend_outside(self, slot: int, data: bytes | memoryview) -> None:
        """Write an offset that `finish` fills in; the library counts places from the file's end."""
        self._builder.PrependUint64Slot(slot, _PLACEHOLDER, 0)
        self._outside.append((self._builder.Offset(), data))


ABSENT: tuple[Any, ...] = ("", 0, 0)


def scalar(code: str, value: Any, default: Any = 0) -> tuple[Any, ...]:
    """A number or truth value for `TableBuilder.table`."""
    return (code, value, default)


def part(offset: int) -> tuple[Any, ...]:
    """A string, vector or table written before; absent where `offset` is 0."""
    return ("part", offset, 0)


def outside(data: bytes | memoryview) -> tuple[Any, ...]:
    """The offset, counted from the start of the file, of bytes behind the FlatBuffer."""
    return ("outside", data, 0)
