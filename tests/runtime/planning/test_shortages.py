"""From a line about too little memory back to the arena that printed it."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tinyml_profiles import plan_model
from tinyml_runtime import load_model
from tinyml_runtime.memory.arena import Action, ArenaCall
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.shortages import ShortageLine, find_arenas

EXAMPLES = Path(__file__).parents[3] / "examples"
PLANS = [
    plan_model(load_model(EXAMPLES / name), abi=abi, library=library)
    for name, abi, library in [
        ("digits.tflite", "arm-eabi", "cmsis-nn"),
        ("sine.tflite", "ilp32", "reference"),
        ("digits_float.tflite", "lp64", "reference"),
    ]
]
ACTIONS = {"tail": Action.PERSISTENT, "temp": Action.TEMPORARY, "buffer": Action.HEAD}


def read(message: str) -> ShortageLine:
    numbers = [int(digits) for digits in re.findall(r"\d+", message)]
    if message.startswith("Too many"):
        return ShortageLine(Action.PLAN, most_buffers=numbers[0])
    (action,) = (action for word, action in ACTIONS.items() if f" {word}" in message)
    return ShortageLine(action, numbers[0], numbers[1])


@given(st.data(), st.sampled_from(PLANS))
def test_the_arena_that_printed_a_line_is_found(data: st.DataObject, plan: ArenaPlan) -> None:
    size = data.draw(st.integers(600, plan.arena.min_bytes - 1))
    shortage = plan.in_arena(size).shortage
    assert shortage is not None
    message = plan.message(shortage)
    if not message.startswith(("Failed", "Too many")):
        return  # TFLM does not notice that one
    matches = find_arenas(plan.calls, read(message), len(plan.buffers))
    assert any(match.has_size(size) and match.call == shortage.call for match in matches), message


def test_a_line_of_another_model_is_not_found() -> None:
    line = ShortageLine(Action.HEAD, 123456, 16)
    assert find_arenas(PLANS[0].calls, line, len(PLANS[0].buffers)) == []


def test_a_call_that_is_never_reached_does_not_count() -> None:
    # In an arena of 32 bytes the second call would find 16 - but the first needs 48.
    calls = [
        ArenaCall(Action.HEAD, 48),
        ArenaCall(Action.HEAD, 0),
        ArenaCall(Action.PERSISTENT, 16, 16),
        ArenaCall(Action.HEAD, 40),
    ]
    assert find_arenas(calls, ShortageLine(Action.HEAD, 40, 16), 0) == []
    (match,) = find_arenas(calls, ShortageLine(Action.HEAD, 40, 32), 0)
    assert (match.number, match.sizes) == (3, [(48, 63)])  # the tail is at 32


def test_room_below_zero_is_printed_without_a_sign() -> None:
    calls = [ArenaCall(Action.HEAD, 64), ArenaCall(Action.PERSISTENT, 8, 16)]
    # With 64 bytes: the start would be 48, 16 below the head, and 8 - 16 is 2 ** 32 - 8.
    (match,) = find_arenas(calls, ShortageLine(Action.PERSISTENT, 8, 2**32 - 8), 0)
    assert match.has_size(64)
    assert match.lacking_bytes(96) == 96 - match.sizes[-1][1]


def test_a_number_of_buffers_stands_for_the_room_that_they_need() -> None:
    calls = [ArenaCall(Action.PLAN, 3 * 40, 16)]
    (match,) = find_arenas(calls, ShortageLine(Action.PLAN, most_buffers=1), 3)
    # Room is counted in steps of 16: 48 and 64 bytes are enough for one buffer and not for two.
    assert match.sizes == [(48, 79)]
