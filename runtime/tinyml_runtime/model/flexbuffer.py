"""Bounds-checked reader of a FlexBuffers map, the form of a custom operator's options.

No offset, width or length of the buffer is trusted. Keys may share their bytes, so reading them is
charged: together they may cost `SHARING` times the buffer's size plus `ALLOWANCE`, and a reader
stops with a `Defect` beyond that.
"""

from __future__ import annotations

import struct

from tinyml_runtime.model.flatbuffer import ALLOWANCE, SHARING, Defect

_NULL, _INT, _UINT, _FLOAT = 0, 1, 2, 3
_KEY, _STRING = 4, 5
_INDIRECT_INT, _INDIRECT_UINT, _INDIRECT_FLOAT = 6, 7, 8
_MAP, _BOOL = 9, 26
_DIRECT = {_INDIRECT_INT: _INT, _INDIRECT_UINT: _UINT, _INDIRECT_FLOAT: _FLOAT}

_WIDTHS = (1, 2, 4, 8)
_FLOAT_CODES = {4: "<f", 8: "<d"}


class FlexMap:
    """A map from keys, in ascending order, to values: numbers, truth values, text or null."""

    __slots__ = ("_at", "_data", "_width", "keys")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        """Find the map that is the root of `data`, and read its keys."""
        self._data = bytes(data)
        if len(self._data) < 3:
            raise Defect(f"a FlexBuffer of {len(self._data)} bytes is too short")
        kind, root_width = self._data[-2], self._data[-1]
        if kind >> 2 != _MAP:
            raise Defect(f"the FlexBuffer holds a value of type {kind >> 2}, not a map")
        if root_width not in _WIDTHS:
            raise Defect(f"the FlexBuffer's root is {root_width} bytes wide")
        self._width = 1 << (kind & 3)
        self._at = self._follow(len(self._data) - 2 - root_width, root_width)
        self.keys = self._read_keys()

    def __len__(self) -> int:
        """How many keys there are."""
        return len(self.keys)

    def stored_integer(self, index: int) -> int:
        """The bytes of the value at `index` as a signed integer, whatever their type says.

        So TFLM's kernels read most of their options: by the alphabetical place of the key.
        """
        return self._integer(self._at + index * self._width, self._width, signed=True)

    def value(self, key: str) -> int | float | bool | str | None:
        """The value under `key`; None where it is null or absent, a defect for nested values."""
        if key not in self.keys:
            return None
        index = self.keys.index(key)
        packed = self._data[self._at + len(self) * self._width + index]
        kind, width = packed >> 2, 1 << (packed & 3)
        position, own_width = self._at + index * self._width, self._width
        if kind in _DIRECT:
            position, own_width = self._follow(position, own_width), width
        kind = _DIRECT.get(kind, kind)
        if kind == _NULL:
            return None
        if kind in (_INT, _UINT):
            return self._integer(position, own_width, signed=kind == _INT)
        if kind == _BOOL:
            return self._integer(position, own_width) != 0
        if kind == _FLOAT:
            return self._float(position, own_width)
        if kind in (_KEY, _STRING):
            return self._text(self._follow(position, own_width), width if kind == _STRING else 0)
        raise Defect(f"the value of '{key}' has type {kind}, which is no number or text")

    def _read_keys(self) -> tuple[str, ...]:
        """Check that all values and their types are inside; give the keys."""
        count = self._integer(self._at - self._width, self._width)
        if self._at + count * (self._width + 1) > len(self._data):
            raise Defect(f"a map of {count} values ends outside the FlexBuffer")
        width = self._integer(self._at - 2 * self._width, self._width)
        if width not in _WIDTHS:
            raise Defect(f"the offsets of the map's keys are {width} bytes wide")
        vector = self._follow(self._at - 3 * self._width, self._width)
        listed = self._integer(vector - width, width)
        if listed != count:
            raise Defect(f"the map has {listed} keys for {count} values")
        left = SHARING * len(self._data) + ALLOWANCE
        keys: list[str] = []
        for index in range(count):
            keys.append(self._text(self._follow(vector + index * width, width)))
            left -= len(keys[-1]) + width
            if left < 0:
                raise Defect(f"the map's keys share their bytes and exceed {SHARING} FlexBuffers")
            if index and keys[-2] >= keys[-1]:
                raise Defect(f"the map's keys are out of order at '{keys[-1]}'")
        return tuple(keys)

    def _follow(self, position: int, width: int) -> int:
        """Where the offset at `position` points: backwards, and not before the start."""
        offset = self._integer(position, width)
        if offset > position:
            raise Defect(f"the offset at byte {position} points before the FlexBuffer")
        return position - offset

    def _integer(self, position: int, width: int, *, signed: bool = False) -> int:
        self._check_inside(position, width)
        return int.from_bytes(self._data[position : position + width], "little", signed=signed)

    def _float(self, position: int, width: int) -> float:
        if width not in _FLOAT_CODES:
            raise Defect(f"a number with a fraction cannot be {width} bytes wide")
        self._check_inside(position, width)
        return struct.unpack_from(_FLOAT_CODES[width], self._data, position)[0]

    def _text(self, position: int, size_width: int = 0) -> str:
        """Text that ends at a zero byte, or that has its length in front, `size_width` wide."""
        if size_width:
            end = position + self._integer(position - size_width, size_width)
            self._check_inside(position, end - position)
        else:
            end = self._data.find(0, position)
            if end < 0:
                raise Defect(f"the key at byte {position} does not end")
        try:
            return str(self._data[position:end], "utf-8")
        except UnicodeDecodeError:
            raise Defect(f"the text at byte {position} is not UTF-8") from None

    def _check_inside(self, position: int, length: int) -> None:
        if position < 0 or position + length > len(self._data):
            raise Defect(f"byte {position} lies outside the FlexBuffer of {len(self._data)} bytes")
