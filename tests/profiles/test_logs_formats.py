"""Every format of logs: what is read of it, and who says what a tick is."""

from __future__ import annotations

import pytest

from tests.profiles.logs import LINES, measured
from tinyml_profiles.logs.read import read_log
from tinyml_profiles.logs.units import Timing, find_scale
from tinyml_runtime.errors import InputError

CSV = '"Event","Tag","Ticks"\n0,ADD,1200\n1,MUL,34000\n2,ADD,1000\n'
OLD_CSV = '"Event","Tag","Ms","Ticks"\n0,ADD,1,1200\n1,MUL,34,34000\n2,ADD,1,1000\n'
NEWER_CSV = '"Event","Tag","Ticks","ms"\n0,ADD,1200,1\n1,MUL,34000,34\n2,ADD,1000,1\n'
TAGS = (
    '"Unique Tag","Total ticks across all events with that tag."\n'
    'ADD, 2200\nMUL, 34000\n"total number of ticks", 36200\n'
)
BENCHMARK = f"""\
Configured arena size = 1000

--------------------
Compiled on:
--------------------
"Unique Tag","Total ticks across all events with that tag."
tflite::GetModel, 4
tflite::MicroInterpreter instantiation, 59
"total number of ticks", 63

Input CRC32: 0x14F6A510

{LINES}
{TAGS}
Output CRC32: 0x14F6A510
"""
MCUFIT = (
    'MCUFIT_RESULT {"model":"chain.tflite","cpu_mhz":240,"kernels":"esp-nn","p50_us":37000}\n'
    'MCUFIT_LAYER {"model":"chain.tflite","op":"ADD","calls_per_inference":2,'
    '"us_per_inference":2200}\n'
    'MCUFIT_LAYER {"model":"chain.tflite","op":"MUL","calls_per_inference":1,'
    '"us_per_inference":34000}\n'
)
LAPS = (
    "m-timestamp-mode-performance\nm-lap-us-77\nm-init-done\nm-ready\n"
    "m-warmup-start-1\nm-warmup-done\nm-infer-start-10\nm-lap-us-1000000\nm-lap-us-1370000\n"
    "m-infer-done\nm-results-[0.1,0.9]\nm-ready\n"
)
TABLE = "operator,us\nADD,1200\nMUL,34000\nADD,1000\n"


@pytest.mark.parametrize("text", [LINES, CSV, OLD_CSV, NEWER_CSV, BENCHMARK, TABLE])
def test_each_node_has_its_time(text: str) -> None:
    found = measured(text)
    assert found.nodes == {(0, 0): 1.2, (0, 1): 34.0, (0, 2): 1.0}
    assert found.operators == {"ADD": pytest.approx(2.2), "MUL": 34.0}
    assert found.operators_ms == pytest.approx(36.2)
    assert found.invocations == 1


@pytest.mark.parametrize("text", [TAGS, MCUFIT, "op;us\nADD;2200\nMUL;34000\n"])
def test_sums_of_operators_tell_a_node_where_there_is_one(text: str) -> None:
    found = measured(text)
    assert found.operators == {"ADD": pytest.approx(2.2), "MUL": 34.0}
    assert found.nodes == {(0, 1): 34.0}


def test_sums_of_several_invocations_are_divided() -> None:
    found = measured(TAGS, timing=Timing(unit="us", invocations=2))
    assert found.operators == {"ADD": pytest.approx(1.1), "MUL": 17.0}


def test_a_lap_is_divided_by_its_invocations() -> None:
    found = measured(LAPS, timing=Timing())
    # (1,370,000 - 1,000,000) us / 10
    assert found.whole_ms == pytest.approx(37.0)
    assert found.invocations == 10
    assert not found.nodes


def test_a_lap_may_go_around() -> None:
    text = "m-lap-us-4294967000\nm-lap-us-704\n"
    assert measured(text, timing=Timing()).whole_ms == pytest.approx(1.0)


def test_mcufit_says_the_whole_and_the_conditions() -> None:
    log = read_log(MCUFIT, "run.log", "chain.tflite")
    assert (log.facts.clock_mhz, log.facts.library) == (240, "esp-nn")
    assert measured(MCUFIT, timing=Timing()).total_ms == pytest.approx(37.0)


def test_mcufit_says_how_its_kernels_were_compiled() -> None:
    text = MCUFIT.replace('"kernels"', '"opt_level":"-Os","kernels"')
    log = read_log(text, "run.log", "chain.tflite")
    assert log.facts.opt == "Os"
    assert measured(text, timing=Timing()).notes == ["it ran kernels compiled with -Os"]
    assert not measured(MCUFIT, timing=Timing()).notes


def test_mcufit_of_several_models_gives_the_one_that_is_asked_for() -> None:
    other = MCUFIT.replace("chain.tflite", "other.tflite").replace("34000", "99")
    assert measured(other + MCUFIT, timing=Timing()).operators["MUL"] == 34.0
    with pytest.raises(InputError, match=r"it has the models a.tflite, b.tflite, not chain"):
        measured(
            MCUFIT.replace("chain.tflite", "a.tflite") + MCUFIT.replace("chain.tflite", "b.tflite")
        )


def test_mcufit_of_a_file_with_another_checksum_is_refused() -> None:
    text = MCUFIT.replace('"model":"chain.tflite"', '"model":"x","model_sha256":"abc"')
    with pytest.raises(InputError, match=r"ran another file than chain\.tflite"):
        read_log(text, "run.log", "chain.tflite", "def")


def test_what_terminals_put_around_a_line_is_taken_away() -> None:
    text = (
        "17:03:12.123 -> ADD took 1200 ticks (1 ms).\r\n"
        "\x1b[0;32mI (1234) tflm: MUL took 34000 ticks (34 ms).\x1b[0m\n"
        "ADD took 1000 ticks (1 ms)<br />\n"
    )
    assert measured(text).operators_ms == pytest.approx(36.2)


def test_what_is_no_operator_is_left_aside() -> None:
    text = "InitializeBenchmarkRunner took 192 ticks (0 ms).\n" + LINES
    assert measured(text).operators_ms == pytest.approx(36.2)


@pytest.mark.parametrize(("word", "total"), [("us", 36.2), ("ms", 36200)])
def test_lines_with_a_unit_say_it(word: str, total: float) -> None:
    found = measured(LINES.replace("ticks", word), timing=Timing())
    assert found.operators_ms == pytest.approx(total)


def test_names_of_operators_may_be_written_otherwise() -> None:
    assert measured("op,us\nAdd,1200\nmul,34000\nadd,1000\n").operators_ms == pytest.approx(36.2)


def test_a_table_without_a_heading_is_in_microseconds_and_says_so() -> None:
    found = measured("ADD,1200\nMUL,34000\nADD,1000\n", timing=Timing())
    assert found.operators_ms == pytest.approx(36.2)
    assert any("microseconds" in note for note in found.notes)


def test_the_logs_own_milliseconds_say_what_a_tick_is() -> None:
    scale = find_scale(read_log(LINES, "run.log"), Timing())
    assert scale is not None
    assert scale.ms_per_tick == 1e-3
    # 6,425,608 ticks in 128 to 129 ms and 6,451,595 in 129 to 130: 50 MHz comes nearest.
    lines = "ADD took 6425608 ticks (128 ms).\nMUL took 6451595 ticks (129 ms).\n"
    scale = find_scale(read_log(lines, "run.log"), Timing())
    assert scale is not None
    assert scale.ms_per_tick == pytest.approx(1e3 / 50e6)


def test_another_clock_than_the_boards_is_told() -> None:
    lines = "ADD took 6425608 ticks (128 ms).\nMUL took 6451595 ticks (129 ms).\nADD took 9 ticks\n"
    found = measured(lines, timing=Timing(clock_hz=1e8))
    assert any("the clock was 50 MHz, not 100" in note for note in found.notes)


def test_milliseconds_that_leave_a_choice_say_nothing() -> None:
    assert find_scale(read_log("ADD took 700 ticks (1 ms).\n", "run.log"), Timing()) is None


@pytest.mark.parametrize(
    ("timing", "total"),
    [
        (Timing(unit="us"), 36.2),
        (Timing(unit="cycles", clock_hz=1e8), 0.362),
        (Timing(unit="cycles/1024", clock_hz=1e8), 0.362 * 1024),
        (Timing(ticks_per_second=36200.0), 1000.0),
    ],
)
def test_the_user_says_what_a_tick_is(timing: Timing, total: float) -> None:
    assert measured(CSV, timing=timing).operators_ms == pytest.approx(total)


def test_ticks_without_a_unit_are_told_with_what_each_would_be() -> None:
    with pytest.raises(InputError, match=r"--unit us: 36\.2 ms; --unit cycles: 0\.362 ms"):
        measured(CSV, timing=Timing(clock_hz=1e8))


def test_cycles_need_a_clock() -> None:
    with pytest.raises(InputError, match="--clock-mhz"):
        measured(CSV, timing=Timing(unit="cycles"))


@pytest.mark.parametrize("text", ["", "\n \n", "\x00\n"])
def test_an_empty_log_is_told(text: str) -> None:
    with pytest.raises(InputError, match=r"run\.log: the log is empty"):
        measured(text)


def test_text_that_is_no_log_is_told_with_what_is_read() -> None:
    with pytest.raises(InputError, match="no line with a measured time"):
        measured("Hello\nworld\n")


def test_a_cut_line_of_json_is_told() -> None:
    with pytest.raises(InputError, match="line 1: no JSON after MCUFIT_RESULT"):
        measured(MCUFIT[:40])


def test_laps_without_an_end_are_told_with_the_boards_error() -> None:
    text = "m-infer-start-10\nm-lap-us-100\ne-[out of memory]\n"
    with pytest.raises(InputError, match=r"ends before the lap does .*out of memory"):
        measured(text)
