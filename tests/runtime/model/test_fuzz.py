"""Whether damaged files give our errors, in bounded time and memory, and never anything else."""

from __future__ import annotations

import itertools
import time
import tracemalloc
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.mutants import (
    replace_word,
    truncated,
    with_bytes_flipped,
    with_parts_moved,
    with_words_replaced,
)
from tests.support.sample_models import model_with_every_part, tiny_model
from tinyml_runtime.errors import ModelError
from tinyml_runtime.model.builder import TableBuilder, part, scalar
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.write import write_model

TINY = write_model(tiny_model())
EVERYTHING = write_model(model_with_every_part())
MOST_SECONDS = 1.0
# What `benchmarks/fuzz_reader.py` states, too.
MEMORY_PER_BYTE, MEMORY_BESIDES = 40, 2**21


def reads(data: bytes) -> bool:
    """Whether `data` is a model; anything but our own error passes through."""
    try:
        load_model(data)
    except ModelError:
        return False
    return True


def refused(mutants: Iterable[bytes]) -> int:
    """How many are no models any more; each must be read within the time."""
    count = 0
    for data in mutants:
        start = time.perf_counter()
        count += not reads(data)
        assert time.perf_counter() - start < MOST_SECONDS
    return count


@given(st.binary(max_size=400))
def test_random_bytes_raise_nothing_but_a_model_error(data: bytes) -> None:
    assert not reads(data)


@given(st.binary(max_size=400))
def test_random_bytes_behind_a_right_head_raise_nothing_but_a_model_error(data: bytes) -> None:
    reads(b"\x10\0\0\0TFL3" + data)


@given(st.integers(0, len(EVERYTHING) - 1))
def test_a_file_cut_anywhere_raises_nothing_but_a_model_error(length: int) -> None:
    reads(EVERYTHING[:length])


@given(
    st.sampled_from([TINY, EVERYTHING]),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 2**32 - 1)), min_size=1, max_size=6),
)
@settings(max_examples=300)
def test_random_edits_raise_nothing_but_a_model_error(
    data: bytes, edits: list[tuple[int, int]]
) -> None:
    for position, value in edits:
        data = replace_word(data, position % (len(data) - 4), value)
    reads(data)


@pytest.mark.parametrize("data", [TINY, EVERYTHING], ids=["tiny", "everything"])
def test_flipped_and_moved_bytes_raise_nothing_but_a_model_error(data: bytes) -> None:
    mutants = itertools.chain(with_bytes_flipped(data, 300), with_parts_moved(data, 300))
    assert refused(mutants) > 0


def test_a_file_cut_to_half_its_length_is_never_a_model() -> None:
    mutants = list(truncated(EVERYTHING[: len(EVERYTHING) // 2], 50))
    assert refused(mutants) == len(mutants)


@pytest.mark.slow
@pytest.mark.parametrize("data", [TINY, EVERYTHING], ids=["tiny", "everything"])
def test_attacked_words_raise_nothing_but_a_model_error(data: bytes) -> None:
    assert refused(with_words_replaced(data)) > 0


@pytest.mark.slow
def test_every_flipped_byte_raises_nothing_but_a_model_error() -> None:
    flips = (
        EVERYTHING[:index] + bytes([EVERYTHING[index] ^ mask]) + EVERYTHING[index + 1 :]
        for index in range(len(EVERYTHING))
        for mask in (0x01, 0x80, 0xFF)
    )
    assert refused(flips) > 0


def shared_tensors(count: int) -> bytes:
    """A model file whose one tensor stands `count` times in the list of tensors."""
    to = TableBuilder()
    tensor = to.table(part(to.vector("i", (1,) * 50)), scalar("b", 9))
    empty = part(to.vector("i", ()))
    subgraph = to.table(part(to.tables([tensor] * count)), empty, empty, part(to.tables([])))
    buffers = part(to.tables([to.table()]))
    root = to.table(scalar("I", 3), empty, part(to.tables([subgraph])), ("", 0, 0), buffers)
    return to.finish(root, b"TFL3")


def test_some_sharing_of_tensors_is_no_defect() -> None:
    assert len(load_model(shared_tensors(20)).subgraphs[0].tensors) == 20


def test_a_small_file_that_unfolds_to_a_huge_model_is_refused_within_its_memory() -> None:
    data = shared_tensors(30_000)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="refer to each other so often"):
            load_model(data)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY_PER_BYTE * len(data) + MEMORY_BESIDES
