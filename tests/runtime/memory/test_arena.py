"""The arena at work: positions by hand, the smallest size by trying every size."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyml_runtime.memory.arena import (
    Action,
    ArenaCall,
    carry_out,
    smallest_arena,
)


def persistent(size: int, alignment: int = 4) -> ArenaCall:
    return ArenaCall(Action.PERSISTENT, size, alignment)


def temporary(size: int, alignment: int = 4) -> ArenaCall:
    return ArenaCall(Action.TEMPORARY, size, alignment)


def head(size: int) -> ArenaCall:
    return ArenaCall(Action.HEAD, size)


def lend(size: int) -> ArenaCall:
    return ArenaCall(Action.PLAN, size, 16)


RELEASE = ArenaCall(Action.RELEASE)


def test_the_tail_grows_down_and_alignment_takes_its_part() -> None:
    # 100 - 36 = 64; 64 - 5 = 59; 59 - 44 = 15, down to a multiple of 16: 0.
    state = carry_out([persistent(36), persistent(5, 1), persistent(44, 16)], 100)
    assert state.tail == 0
    assert state.persistent_bytes == 100


def test_what_stays_fails_where_it_would_reach_the_head() -> None:
    # The head ends at 48; 100 - 60 = 40 is 8 bytes below it.
    state = carry_out([head(48), persistent(60)], 100)
    assert state.shortage is not None
    assert state.shortage.missing_bytes == 8
    assert state.shortage.available_bytes == 52


def test_temporary_memory_begins_above_the_head_and_is_given_back() -> None:
    calls = [head(10), temporary(20), RELEASE, temporary(40)]
    # 10 is aligned to 12; after the release the next 40 begin there again and end at 52.
    assert carry_out(calls, 52).shortage is None
    shortage = carry_out(calls, 51).shortage
    assert shortage is not None
    assert shortage.call is calls[3]
    assert shortage.missing_bytes == 1


def test_the_planner_needs_whole_16_bytes_between_temporary_memory_and_the_tail() -> None:
    calls = [temporary(4), lend(40), persistent(1, 1)]
    # From 16 to 56; the end is aligned down to 16, so it must be at 64 or beyond.
    assert smallest_arena(calls) == 64
    assert carry_out(calls, 64).shortage is None
    shortage = carry_out(calls, 63).shortage
    assert shortage is not None
    assert shortage.available_bytes == 32


def test_an_arena_without_calls_needs_nothing() -> None:
    assert smallest_arena([]) == 0


ALIGNMENTS = st.sampled_from([1, 4, 8, 16])
SIZES = st.integers(0, 100)
CALLS = st.lists(
    st.one_of(
        st.builds(persistent, SIZES, ALIGNMENTS),
        st.builds(temporary, SIZES, ALIGNMENTS),
        st.builds(head, SIZES),
        st.just(RELEASE),
        st.builds(lend, SIZES),
    ),
    max_size=12,
)


@given(CALLS)
@settings(max_examples=300, deadline=None)
def test_the_smallest_arena_is_where_trying_every_size_first_succeeds(
    calls: list[ArenaCall],
) -> None:
    least = smallest_arena(calls)
    works = [carry_out(calls, size).shortage is None for size in range(least + 20)]
    assert not any(works[:least])
    assert all(works[least:])


@pytest.mark.parametrize("size", [0, 1, 15])
def test_too_small_for_anything(size: int) -> None:
    assert carry_out([persistent(16, 16)], size).shortage is not None
