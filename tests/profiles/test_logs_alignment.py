"""Logs beside models: invocations one by one, wrong ticks, and where another model parts."""

from __future__ import annotations

import random

import pytest

from tests.profiles.logs import LINES, TAGS, branch, chain, loop, measured, took
from tests.profiles.test_logs_formats import BENCHMARK, CSV, LAPS, MCUFIT, TABLE
from tests.profiles.test_logs_formats import TAGS as SUMS
from tinyml_profiles.logs.measure import Measurement
from tinyml_profiles.logs.units import Timing
from tinyml_runtime.errors import InputError

ONCE = took([("ADD", 1200), ("MUL", 34000), ("ADD", 1000)])


def outcome(text: str) -> Measurement | str:
    """What a log gives, or the error that it gives."""
    try:
        return measured(text)
    except InputError as error:
        return str(error)


def test_several_invocations_give_the_median_of_each_node() -> None:
    text = ONCE + ONCE.replace("34000", "36000") + ONCE.replace("34000", "35000")
    found = measured(text)
    assert found.invocations == 3
    assert found.nodes[0, 1] == 35.0


def test_a_log_that_ends_within_an_invocation_gives_those_before() -> None:
    found = measured(ONCE * 2 + took([("ADD", 1200)]))
    assert found.invocations == 2
    assert any("not whole" in note and "line 7" in note for note in found.notes)


def test_a_log_that_starts_within_an_invocation_gives_those_after() -> None:
    found = measured(took([("MUL", 34000), ("ADD", 1000)]) + ONCE)
    assert found.invocations == 1


def test_a_lost_line_among_many_costs_one_invocation() -> None:
    lines = (ONCE * 12).splitlines(keepends=True)
    del lines[13]
    assert measured("".join(lines)).invocations == 11


def test_a_log_of_another_model_is_told_where_first() -> None:
    text = "\n\n" + took([("ADD", 1), ("MUL", 2), ("CONV_2D", 3)])
    with pytest.raises(
        InputError, match=r"run\.log: line 5: the log has CONV_2D where node 2 of the model is ADD"
    ):
        measured(text)


def test_a_longer_model_that_starts_the_same_is_another_model() -> None:
    text = took([("ADD", 1), ("MUL", 2), ("ADD", 3), ("MUL", 4)] * 3)
    with pytest.raises(InputError, match="line 4: the log has MUL where node 0 of the model is"):
        measured(text)


def test_a_log_without_a_whole_invocation_is_told_where_it_ends() -> None:
    with pytest.raises(InputError, match="line 2: the log ends before node 2 of the model, ADD"):
        measured(took([("ADD", 1), ("MUL", 2)]))


def test_sums_of_another_model_are_told() -> None:
    text = SUMS.replace("MUL", "SOFTMAX")
    with pytest.raises(InputError, match="line 3: the log has SOFTMAX, the model has none"):
        measured(text)
    with pytest.raises(InputError, match="ends without MUL, node 1 of the model"):
        measured(SUMS.replace("MUL, 34000\n", ""))
    with pytest.raises(InputError, match="line 2: the log has 3 of ADD, the model 2"):
        measured(MCUFIT.replace('"calls_per_inference":2', '"calls_per_inference":3'))


def test_turns_of_a_loop_are_the_times_of_one_and_the_loop_keeps_its_own() -> None:
    turn = [("SUB", 20), ("GREATER_EQUAL", 12)]
    text = took([("MUL", 5), ("WHILE", 100), ("GREATER_EQUAL", 10), *turn, *turn])
    found = measured(text, loop())
    # WHILE: 100 - 10 - 2 * (20 + 12)
    assert found.nodes == {
        (0, 0): 0.005,
        (0, 1): pytest.approx(0.026),
        (1, 0): pytest.approx(0.012),
        (2, 0): 0.02,
    }
    assert found.operators_ms == pytest.approx(0.105)


def test_invocations_with_different_turns_are_told_apart() -> None:
    turn = [("SUB", 20), ("GREATER_EQUAL", 12)]
    start = [("MUL", 5), ("WHILE", 100), ("GREATER_EQUAL", 10)]
    assert measured(took([*start, *start, *turn, *start, *turn, *turn]), loop()).invocations == 3


@pytest.mark.parametrize("taken", ["ADD", "SUB"])
def test_either_branch_of_if_is_found(taken: str) -> None:
    found = measured(took([("IF", 30), (taken, 20), ("MUL", 5)]), branch())
    assert found.nodes[(1 if taken == "ADD" else 2), 0] == 0.02
    assert found.nodes[0, 0] == 0.01


def test_ticks_printed_with_a_sign_are_mended() -> None:
    # 3,000,000,000 in 32 bits with a sign
    found = measured(took([("ADD", 12000000), ("MUL", -1294967296), ("ADD", 10000000)]))
    assert found.nodes[0, 1] == pytest.approx(3e6)
    assert any("line 2" in note and "mended" in note for note in found.notes)


def test_a_counter_of_fewer_bits_is_mended_by_other_invocations() -> None:
    # A counter of 24 bits went around: 34,000 - 2**24, as TFLM prints it without a sign.
    text = ONCE + ONCE.replace("34000", str(2**32 - 2**24 + 34000)) + ONCE
    found = measured(text)
    assert found.nodes[0, 1] == 34.0
    assert any("line 5" in note for note in found.notes)


def test_an_event_that_never_ended_is_left_out() -> None:
    found = measured(ONCE.replace("34000", str(2**32 - 1)))
    assert set(found.nodes) == {(0, 0), (0, 2)}
    assert any("left out" in note and "line 2" in note for note in found.notes)


@pytest.mark.parametrize("text", [ONCE, CSV, SUMS, MCUFIT, TABLE])
def test_a_timer_that_does_not_run_is_explained(text: str) -> None:
    for number in ("34000", "37000", "1200", "1000", "2200"):
        text = text.replace(number, "0")
    with pytest.raises(InputError, match=r"timer is not implemented.*micro_time"):
        measured(text)


def test_operators_below_a_tick_are_told() -> None:
    found = measured(took([("ADD", 0), ("MUL", 34), ("ADD", 1)]), timing=Timing(unit="ms"))
    assert any("1 of 3 operators take less than a tick" in note for note in found.notes)


@pytest.mark.parametrize("text", [LINES, CSV, SUMS, BENCHMARK, MCUFIT, LAPS, TABLE])
def test_damaged_logs_give_a_measurement_or_an_error(text: str) -> None:
    chance = random.Random(text)
    for _ in range(200):
        start = chance.randrange(len(text))
        stop = start + chance.choice((1, 3, 40))
        patch = chance.choice(("", "-", "\n", "9" * 30, "\x00\ufffd", "{", '"', ",", "ADD"))
        found = outcome(text[:start] + patch + text[stop:])
        assert "\n" not in found if isinstance(found, str) else found.total_ms >= 0


def test_each_prefix_gives_a_measurement_or_an_error() -> None:
    for length in range(0, len(BENCHMARK), 3):
        found = outcome(BENCHMARK[:length])
        assert not isinstance(found, str) or found.startswith("run.log: ")


def test_tags_of_the_model_are_those_of_the_chain() -> None:
    model = chain()
    names = tuple(model.code(operator).name for operator in model.subgraphs[0].operators)
    assert names == TAGS
