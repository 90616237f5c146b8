"""Whether maps of custom options are read right, and whether nothing that they say is trusted."""

from __future__ import annotations

import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import flatbuffers.flexbuffers as flexbuffers  # pyright: ignore[reportMissingTypeStubs]
import pytest

from tests.support.mutants import with_bytes_flipped
from tests.support.signal_op import flexbuffer
from tinyml_runtime.model.flatbuffer import Defect
from tinyml_runtime.model.flexbuffer import FlexMap

MAP_BYTE, MAP_WORD = 9 << 2, (9 << 2) | 1
INT, KEY, STRING = 1 << 2, 4 << 2, 5 << 2


def built(add: Callable[[Any], None]) -> FlexMap:
    """A map with what `add` adds to it through FlexBuffers' own builder."""
    builder: Any = getattr(flexbuffers, "Builder")()  # noqa: B009 - the library has no types
    with builder.Map():
        add(builder)
    return FlexMap(bytes(builder.Finish()))


def one_entry(value: int = 7, kind: int = INT, *, count: int = 1, key: bytes = b"a\0") -> bytes:
    """A map of one entry, byte by byte: key, keys' vector, offset and width of it, size, values."""
    keys = key + bytes([1, len(key) + 1])
    return keys + bytes([1, 1, count, value, kind, 2, MAP_BYTE, 1])


@pytest.mark.parametrize(
    "value", [0, 1, -1, 127, -128, 128, 2**15, -(2**15) - 1, 2**31 - 1, -(2**63), 2**63 - 1]
)
def test_reads_integers_of_every_width(value: int) -> None:
    assert FlexMap(flexbuffer(a=value, b=1)).value("a") == value


@pytest.mark.parametrize("value", [0.5, -2.0, 0.1, 1e30])
def test_reads_numbers_with_a_fraction(value: float) -> None:
    assert FlexMap(flexbuffer(a=value)).value("a") == value


@pytest.mark.parametrize("value", [True, False, "text", "\u00e9\u4e2d", "", None])
def test_reads_truth_values_text_and_null(value: bool | str | None) -> None:
    assert FlexMap(flexbuffer(a=value, b=2**40)).value("a") == value


def test_reads_numbers_that_are_kept_elsewhere() -> None:
    def add(builder: Any) -> None:
        builder.Key("a")
        builder.IndirectInt(-70000)
        builder.Key("b")
        builder.IndirectUInt(2**63)
        builder.Key("c")
        builder.IndirectFloat(0.25)

    options = built(add)
    assert [options.value(key) for key in options.keys] == [-70000, 2**63, 0.25]


def test_keys_come_in_ascending_order() -> None:
    options = FlexMap(flexbuffer(fft_length=512, T=7, another=0))
    assert options.keys == ("T", "another", "fft_length")
    assert len(options) == 3


def test_an_absent_key_has_no_value() -> None:
    assert FlexMap(flexbuffer(a=1)).value("b") is None


def test_an_empty_map_has_no_keys() -> None:
    assert FlexMap(flexbuffer()).keys == ()


def test_a_stored_integer_has_a_sign_whatever_its_type() -> None:
    def add(builder: Any) -> None:
        builder.Key("a")
        builder.UInt(200)

    options = built(add)
    assert options.value("a") == 200
    assert options.stored_integer(0) == -56


def test_what_is_nested_is_a_defect_only_where_it_is_asked_for() -> None:
    options = FlexMap(flexbuffer(a=[1, 2], b=3, c={"d": 4}))
    assert options.value("b") == 3
    for key in ("a", "c"):
        with pytest.raises(Defect, match="no number or text"):
            options.value(key)


def test_the_entry_by_hand_is_read() -> None:
    options = FlexMap(one_entry())
    assert options.keys == ("a",)
    assert options.value("a") == 7


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too short"),
        (b"\x24\x01", "too short"),
        (bytes([5, INT, 1]), "not a map"),
        (one_entry()[:-1] + b"\x03", "3 bytes wide"),
        (one_entry()[:-3] + bytes([200, MAP_BYTE, 1]), "before the FlexBuffer"),
        (one_entry()[:-3] + bytes([7, MAP_BYTE, 1]), "lies outside|before|wide|keys"),
        (one_entry(count=200), "ends outside"),
        (one_entry(count=2), "1 keys for 2 values|ends outside"),
        (one_entry(key=b"\xff\0"), "not UTF-8"),
        (bytes([1, 1, 3, 1, 0, 1, MAP_BYTE, 1]), "keys|wide|outside|before"),
        (b"b\0a\0" + bytes([2, 5, 4, 2, 1, 2, 1, 2, INT, INT, 4, MAP_BYTE, 1]), "out of order"),
        (b"a\0" + bytes([2, 3, 4, 2, 1, 2, 1, 2, INT, INT, 4, MAP_BYTE, 1]), "out of order"),
    ],
)
def test_refuses_what_is_no_map(data: bytes, reason: str) -> None:
    with pytest.raises(Defect, match=reason):
        FlexMap(data)


@pytest.mark.parametrize("kind", [STRING, KEY, 6 << 2, 8 << 2, 3 << 2])
def test_a_value_outside_the_buffer_is_a_defect(kind: int) -> None:
    options = FlexMap(one_entry(value=100, kind=kind))
    with pytest.raises(Defect, match=r"before the FlexBuffer|1 bytes wide"):
        options.value("a")


def test_keys_that_share_their_bytes_cannot_make_reading_long() -> None:
    """Every key is the end of one long text: half a million letters in a few kilobytes."""
    count = 1000
    text = b"a" * count + b"\0"
    start = len(text) + 2
    offsets = [start + 2 * index - (count - 1 - index) for index in range(count)]
    keys = text.ljust(start - 2, b"\0") + struct.pack(f"<{count + 1}H", count, *offsets)
    # Width of offsets, number of values, values; then their types, the root and its description.
    values_at = len(keys) + 6
    values = struct.pack("<3H", len(keys) - start, 2, count) + bytes(2 * count)
    root = values_at + 3 * count
    data = keys + values + bytes([INT]) * count + struct.pack("<H", root - values_at)
    with pytest.raises(Defect, match="share their bytes"):
        FlexMap(data + bytes([MAP_WORD, 2]))


@pytest.mark.parametrize(
    "data",
    [
        flexbuffer(T=7, fft_length=512),
        flexbuffer(a=1, b=2.5, c=True, d="text", e=None, f=2**40, g=[1, "x"]),
        flexbuffer(**{f"key_{index}": index for index in range(50)}),
    ],
)
def test_a_damaged_map_is_read_or_refused_as_a_defect(data: bytes) -> None:
    for mutant in [*with_bytes_flipped(data, 2000), *(data[:end] for end in range(len(data)))]:
        with suppress(Defect):
            options = FlexMap(mutant)
            for index, key in enumerate(options.keys):
                options.stored_integer(index)
                options.value(key)
