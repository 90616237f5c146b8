"""Whether the wire format is read right, and whether nothing that a file says is trusted."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.mutants import replace_word
from tinyml_runtime.model.builder import ABSENT, TableBuilder, outside, part, scalar
from tinyml_runtime.model.flatbuffer import ALLOWANCE, SHARING, Defect, FlatBuffer, Table


def built(*fields: Callable[[TableBuilder], tuple[Any, ...]]) -> bytes:
    """A file whose root has the given fields."""
    to = TableBuilder()
    return to.finish(to.table(*[field(to) for field in fields]), b"TEST")


def root(data: bytes) -> Table:
    return FlatBuffer(data).root()


def by_hand(vtable: tuple[int, ...], table: bytes, rest: bytes = b"") -> bytes:
    """Root offset, vtable of 16-bit words, table with its link to the vtable, and what follows."""
    words = struct.pack(f"<{len(vtable)}H", *vtable)
    start = 4 + len(words)
    return struct.pack("<I", start) + words + struct.pack("<i", len(words)) + table + rest


def with_text(data: bytes) -> bytes:
    """A file with one field that refers to `data`, which follows the table."""
    return by_hand((6, 8, 4), struct.pack("<I", 4), data)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("b", -7),
        ("B", 200),
        ("?", True),
        ("i", -(2**31)),
        ("I", 2**32 - 1),
        ("q", -5),
        ("Q", 2**63),
    ],
)
def test_reads_numbers_of_every_width(code: str, value: int) -> None:
    table = root(built(lambda _: ABSENT, lambda _: scalar(code, value)))
    assert table.scalar(code, 1) == value


def test_reads_a_float() -> None:
    assert root(built(lambda _: scalar("f", 0.5))).scalar("f", 0) == 0.5


@pytest.mark.parametrize("slot", [0, 1, 2, 99])
def test_an_absent_field_has_its_default(slot: int) -> None:
    file = built(lambda _: ABSENT, lambda _: scalar("i", 4, 4), lambda _: ABSENT)
    assert root(file).scalar("i", slot, default=4) == 4


def test_absent_parts_are_empty() -> None:
    table = root(built(lambda _: scalar("i", 1)))
    assert (table.string(1), table.vector("i", 1), table.blob(1), table.table(1)) == (
        "",
        (),
        None,
        None,
    )
    assert table.each(1, "part", lambda part: part) == ()


def test_reads_a_vector() -> None:
    table = root(built(lambda to: part(to.vector("q", (1, -2, 2**40)))))
    assert table.vector("q", 0) == (1, -2, 2**40)


def test_reads_text_beyond_ascii() -> None:
    assert root(built(lambda to: part(to.string("é中\U0001f600")))).string(0) == "é中\U0001f600"


def test_a_blob_is_a_view_of_the_file() -> None:
    file = FlatBuffer(built(lambda to: part(to.blob(b"abc"))))
    blob = file.root().blob(0)
    assert blob is not None
    assert (bytes(blob), blob.obj, blob.readonly) == (b"abc", file.data.obj, True)


def test_reads_a_table_in_a_table() -> None:
    inner = root(built(lambda to: part(to.table(scalar("i", 9))))).table(0)
    assert inner is not None
    assert inner.scalar("i", 0) == 9


def test_reads_each_table_of_a_vector_in_order() -> None:
    file = built(lambda to: part(to.tables([to.table(scalar("i", n)) for n in (1, 2, 3)])))
    assert root(file).each(0, "part", lambda table: table.scalar("i", 0)) == (1, 2, 3)


def test_reads_bytes_outside_by_offset_and_size() -> None:
    table = root(built(lambda _: outside(b"behind"), lambda _: scalar("Q", 6)))
    assert bytes(table.file.span(table.scalar("Q", 0), table.scalar("Q", 1))) == b"behind"


@pytest.mark.parametrize("data", [b"", b"\x08", b"\x08\0\0\0\0\0\0"])
def test_a_file_shorter_than_its_head_is_a_defect(data: bytes) -> None:
    with pytest.raises(Defect, match="too short"):
        root(data)


@pytest.mark.parametrize("offset", [0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 22, 26])
def test_a_root_outside_the_file_is_a_defect(offset: int) -> None:
    data = replace_word(by_hand((6, 8, 4), b"\0\0\0\0", b"\0\0\0\0"), 0, offset)
    with pytest.raises(Defect, match="outside"):
        root(data)


@pytest.mark.parametrize("link", [11, 12, -1000, -0x80000000, 0x7FFFFFFF, -20])
def test_a_vtable_outside_the_file_is_a_defect(link: int) -> None:
    data = replace_word(by_hand((6, 8, 4), b"\0\0\0\0"), 10, link)
    with pytest.raises(Defect, match="vtable"):
        root(data)


@pytest.mark.parametrize("size", [0, 2, 3, 5, 7, 200, 0xFFFF])
def test_an_impossible_vtable_size_is_a_defect(size: int) -> None:
    with pytest.raises(Defect, match="impossible size"):
        root(by_hand((size, 8, 4), b"\0\0\0\0"))


@pytest.mark.parametrize("field", [8, 9, 0xFFFF])
def test_a_field_outside_its_table_is_a_defect(field: int) -> None:
    with pytest.raises(Defect, match="outside its table"):
        root(by_hand((6, 8, field), b"\0\0\0\0"))


@pytest.mark.parametrize("size", [0, 3])
def test_a_table_smaller_than_its_link_is_a_defect(size: int) -> None:
    with pytest.raises(Defect, match="outside its table"):
        root(by_hand((4, size), b"\0\0\0\0"))


def test_a_table_that_ends_outside_the_file_is_a_defect() -> None:
    with pytest.raises(Defect, match="ends outside the file"):
        root(by_hand((6, 9, 4), b"\0\0\0\0"))


def test_a_wide_number_at_the_end_of_the_file_is_a_defect() -> None:
    table = root(by_hand((6, 8, 7), b"\0\0\0\0"))
    with pytest.raises(Defect, match="outside the file"):
        table.scalar("Q", 0)


@pytest.mark.parametrize("offset", [0, 1, 4, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_an_offset_to_nowhere_is_a_defect(offset: int) -> None:
    table = root(by_hand((6, 8, 4), struct.pack("<I", offset)))
    for read in (table.string, table.blob, table.table):
        with pytest.raises(Defect, match="outside"):
            read(0)


@pytest.mark.parametrize("count", [2, 0x40000000, 0x80000000, 0xFFFFFFFF])
@pytest.mark.parametrize("code", ["?", "i", "q"])
def test_a_vector_longer_than_the_file_is_a_defect(code: str, count: int) -> None:
    table = root(with_text(struct.pack("<I", count) + b"\0"))
    with pytest.raises(Defect, match="ends outside the file"):
        table.vector(code, 0)


def test_a_string_longer_than_the_file_is_a_defect() -> None:
    with pytest.raises(Defect, match="ends outside the file"):
        root(with_text(struct.pack("<I", 3) + b"ab")).string(0)


def test_a_string_that_is_not_utf8_is_a_defect() -> None:
    with pytest.raises(Defect, match="not UTF-8"):
        root(with_text(struct.pack("<I", 2) + b"\xff\xfe")).string(0)


def test_bytes_outside_the_file_are_a_defect() -> None:
    file = FlatBuffer(bytes(32))
    for offset, length in ((32, 1), (0, 33), (2**63, 2**63), (2**64 - 1, 0)):
        with pytest.raises(Defect, match="outside the file"):
            file.span(offset, length)


def test_a_defect_in_an_element_names_the_element() -> None:
    def read(table: Table) -> int:
        raise Defect("broken", "inside")

    table = root(built(lambda to: part(to.tables([to.table()]))))
    with pytest.raises(Defect) as caught:
        table.each(0, "part", read)
    assert (caught.value.place, caught.value.reason) == ("part 0, inside", "broken")


def test_one_table_may_be_shared() -> None:
    table = root(built(lambda to: part(to.tables([to.table(scalar("i", 7))] * 50))))
    assert table.each(0, "part", lambda each: each.scalar("i", 0)) == (7,) * 50


def many_visits(levels: int, width: int) -> bytes:
    """Tables that refer `width` times to the next one: width ** levels visits in a small file."""
    to = TableBuilder()
    table = to.table()
    for _ in range(levels):
        table = to.table(part(to.tables([table] * width)))
    return to.finish(table, b"TEST")


def test_a_tree_of_shared_tables_is_a_defect_before_it_costs_much() -> None:
    data = many_visits(levels=20, width=100)
    visits = 0

    def read(table: Table) -> int:
        nonlocal visits
        visits += 1
        return len(table.each(0, "part", read))

    with pytest.raises(Defect, match="refer to each other so often"):
        read(root(data))
    # A table takes at least 4 bytes, and so does the offset that leads to it.
    assert visits <= (SHARING * len(data) + ALLOWANCE) / 8


def test_one_vector_shared_by_many_tables_is_a_defect() -> None:
    to = TableBuilder()
    shared = part(to.vector("i", range(10_000)))
    data = to.finish(to.table(part(to.tables([to.table(shared) for _ in range(100)]))), b"TEST")
    with pytest.raises(Defect, match="refer to each other so often"):
        root(data).each(0, "part", lambda table: table.vector("i", 0))


def test_one_blob_may_be_shared_by_many_tables() -> None:
    to = TableBuilder()
    shared = part(to.blob(bytes(100_000)))
    data = to.finish(to.table(part(to.tables([to.table(shared) for _ in range(100)]))), b"TEST")
    assert len(root(data).each(0, "part", lambda table: table.blob(0))) == 100


def test_one_blob_copied_by_many_tables_is_a_defect() -> None:
    to = TableBuilder()
    shared = part(to.blob(bytes(100_000)))
    data = to.finish(to.table(part(to.tables([to.table(shared) for _ in range(100)]))), b"TEST")
    with pytest.raises(Defect, match="refer to each other so often"):
        root(data).each(0, "part", lambda table: table.copy(0))
