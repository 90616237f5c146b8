"""Bounds-checked reader of the FlatBuffers wire format; knows the format, not what a file means.

No offset of a file is trusted. Values are little-endian. Blobs are views of the file, not copies.

FlatBuffers may refer to one table or vector from many places, so a small file can describe a
huge tree. Reading is therefore charged: every visit to a table, vector, string or blob costs the
bytes that it takes in the file (a blob only its length field, unless it is copied). A file in which
nothing is shared costs at most its own size; reading stops with a `Defect` beyond `SHARING` times
the file's size plus `ALLOWANCE`. Python objects take up to 18 times what they cost here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

SHARING = 2
ALLOWANCE = 65536

T = TypeVar("T")

_UNPACK: dict[str, Callable[[memoryview, int], tuple[Any, ...]]] = {
    code: struct.Struct(f"<{code}").unpack_from for code in "bB?hHiIqQf"
}
_WIDTH = {code: struct.calcsize(f"<{code}") for code in _UNPACK}
_UINT32 = struct.Struct("<I").unpack_from
_INT32 = struct.Struct("<i").unpack_from
_UINT16 = struct.Struct("<H").unpack_from


class Defect(Exception):  # noqa: N818 - it describes the file; the reader's caller makes the error
    """What is wrong with a file, and where, told from the outside in."""

    def __init__(self, reason: str, place: str = "") -> None:
        """State the reason; the place may be added on the way out."""
        super().__init__(reason)
        self.reason = reason
        self.place = place

    def within(self, place: str) -> Defect:
        """The same defect, seen from one level further out."""
        return Defect(self.reason, f"{place}, {self.place}" if self.place else place)


class FlatBuffer:
    """A file in FlatBuffers format, and what may still be spent on reading it."""

    __slots__ = ("_left", "_vtables", "data", "size")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        """Look at `data`; nothing is read yet."""
        self.data = memoryview(data).cast("B").toreadonly()
        self.size = len(self.data)
        self._left = SHARING * self.size + ALLOWANCE
        self._vtables: dict[int, tuple[int, tuple[int, ...]]] = {}

    def root(self) -> Table:
        """The table that the file's first word points at."""
        if self.size < 8:
            raise Defect(f"a file of {self.size} bytes is too short")
        return Table(self, _UINT32(self.data, 0)[0])

    def span(self, offset: int, length: int) -> memoryview:
        """The bytes from `offset` on, counted from the start of the file."""
        if offset + length > self.size:
            raise Defect(
                f"bytes {offset} to {offset + length} lie outside the file of {self.size} bytes"
            )
        return self.data[offset : offset + length]

    def spend(self, cost: int) -> None:
        """Charge for `cost` visited bytes."""
        self._left -= cost
        if self._left < 0:
            raise Defect(
                "its parts refer to each other so often that reading them costs more than "
                f"{SHARING} times the file"
            )

    def follow(self, position: int) -> int:
        """Where the offset stored at `position` points."""
        if position + 4 > self.size:
            raise Defect(f"byte {position} lies outside the file of {self.size} bytes")
        target = position + _UINT32(self.data, position)[0]
        if target + 4 > self.size or target == position:
            raise Defect(f"the offset at byte {position} points to byte {target}, outside the file")
        return target

    def vtable(self, position: int) -> tuple[int, tuple[int, ...]]:
        """Size of the tables that use the vtable at `position`, and their fields' offsets."""
        known = self._vtables.get(position)
        if known is None:
            known = self._vtables[position] = self._read_vtable(position)
        return known

    def _read_vtable(self, position: int) -> tuple[int, tuple[int, ...]]:
        if not 0 <= position <= self.size - 4:
            raise Defect(f"a vtable at byte {position} lies outside the file")
        size: int = _UINT16(self.data, position)[0]
        if size < 4 or size % 2 or position + size > self.size:
            raise Defect(f"the vtable at byte {position} has an impossible size of {size} bytes")
        self.spend(size)
        table_size, *fields = struct.unpack_from(f"<{size // 2 - 1}H", self.data, position + 2)
        if table_size < 4 or max(fields, default=0) >= table_size:
            raise Defect(f"the vtable at byte {position} places a field outside its table")
        return table_size, tuple(fields)


class Table:
    """One table: fields by slot number, each with a default for when the file leaves it out."""

    __slots__ = ("_at", "_fields", "file")

    def __init__(self, file: FlatBuffer, position: int) -> None:
        """Find the table's fields; the table starts at byte `position`."""
        if position + 4 > file.size:
            raise Defect(f"a table at byte {position} lies outside the file of {file.size} bytes")
        size, self._fields = file.vtable(position - _INT32(file.data, position)[0])
        if position + size > file.size:
            raise Defect(f"the table at byte {position} ends outside the file")
        file.spend(size)
        self.file = file
        self._at = position

    def scalar(self, code: str, slot: int, default: Any = 0) -> Any:
        """A number or truth value; `code` is its type as in the module `struct`."""
        fields = self._fields
        if slot >= len(fields) or not fields[slot]:
            return default
        position = self._at + fields[slot]
        if position + _WIDTH[code] > self.file.size:
            raise Defect(f"byte {position} lies outside the file of {self.file.size} bytes")
        return _UNPACK[code](self.file.data, position)[0]

    def vector(self, code: str, slot: int) -> tuple[Any, ...]:
        """A vector of numbers; empty where it is absent."""
        target = self._target(slot)
        if not target:
            return ()
        count, length = self._extent(target, _WIDTH[code])
        self.file.spend(4 + length)
        return struct.unpack_from(f"<{count}{code}", self.file.data, target + 4)

    def blob(self, slot: int) -> memoryview | None:
        """A vector of bytes as a view of the file; None where it is absent."""
        target = self._target(slot)
        if not target:
            return None
        length = self._extent(target, 1)[1]
        self.file.spend(4)
        return self.file.data[target + 4 : target + 4 + length]

    def copy(self, slot: int) -> bytes:
        """A vector of bytes as a copy; empty where it is absent."""
        blob = self.blob(slot)
        if blob is None:
            return b""
        self.file.spend(len(blob))
        return bytes(blob)

    def string(self, slot: int) -> str:
        """A string; empty where it is absent."""
        target = self._target(slot)
        if not target:
            return ""
        length = self._extent(target, 1)[1]
        self.file.spend(4 + length)
        try:
            return str(self.file.data[target + 4 : target + 4 + length], "utf-8")
        except UnicodeDecodeError:
            raise Defect(f"the string at byte {target} is not UTF-8") from None

    def table(self, slot: int) -> Table | None:
        """A table; None where it is absent."""
        target = self._target(slot)
        return Table(self.file, target) if target else None

    def each(self, slot: int, name: str, read: Callable[[Table], T]) -> tuple[T, ...]:
        """What `read` makes of each table in a vector; `name` is what defects call an element."""
        target = self._target(slot)
        if not target:
            return ()
        count, length = self._extent(target, 4)
        self.file.spend(4 + length)
        result: list[T] = []
        for index in range(count):
            try:
                result.append(read(Table(self.file, self.file.follow(target + 4 + 4 * index))))
            except Defect as defect:
                raise defect.within(f"{name} {index}") from None
        return tuple(result)

    def _target(self, slot: int) -> int:
        """Where the offset in `slot` points; 0 where the field is absent."""
        fields = self._fields
        if slot >= len(fields) or not fields[slot]:
            return 0
        return self.file.follow(self._at + fields[slot])

    def _extent(self, target: int, width: int) -> tuple[int, int]:
        """Elements and bytes of the vector at `target`."""
        count: int = _UINT32(self.file.data, target)[0]
        length = count * width
        if target + 4 + length > self.file.size:
            raise Defect(f"the vector at byte {target}, {length} bytes long, ends outside the file")
        return count, length
