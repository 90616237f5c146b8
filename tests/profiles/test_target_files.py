"""Target files of the user's own: what they may say, and what is told when they say it wrongly."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyml_profiles import load_target
from tinyml_runtime.errors import TargetError

BOARD = """
name = "mine"
title = "My board"
core = "cortex-m4"
library = "cmsis-nn"
from = "datasheet"
ref = "RM 1"

[clock]
core_hz = 80_000_000

[memory.flash]
bytes = 1_048_576
wait_cycles = { value = 4, from = "assumed", ref = "guess" }
line_bytes = 8

[memory.sram]
bytes = 98_304

[cache.code]
bytes = 1024
of = ["flash"]
holds = "code"

[placed]
code = "flash"
weights = "flash"
arena = "sram"
"""
CALIBRATED = """
name = "mine"
based_on = "nucleo-l4r5zi"
from = "measured"
ref = "run.log"

[calibration]
core = 1.25
"""


def write(folder: Path, text: str) -> str:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_of_the_users_own_is_a_target(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, BOARD))
    assert target.board is not None
    assert (target.name, target.core.name) == ("mine", "cortex-m4")
    flash = target.board.memories["flash"]
    # A number has the source of its table unless it has its own.
    assert (flash.bytes.evidence, flash.bytes.ref) == ("datasheet", "RM 1")
    assert (flash.wait_cycles.evidence, flash.wait_cycles.ref) == ("assumed", "guess")


def test_a_file_may_be_like_a_known_board_with_a_calibration(tmp_path: Path) -> None:
    target = load_target(write(tmp_path, CALIBRATED))
    known = load_target("nucleo-l4r5zi")
    assert target.board is not None
    assert known.board is not None
    assert target.core is known.core
    assert target.board.memories == known.board.memories
    assert (target.board.calibration.core.value, target.board.calibration.core.ref) == (
        1.25,
        "run.log",
    )


def test_a_file_may_be_a_core(tmp_path: Path) -> None:
    core = (Path(load_target.__code__.co_filename).parent / "data/cores/cortex-m4.toml").read_text(
        encoding="utf-8"
    )
    target = load_target(write(tmp_path, core.replace('name = "cortex-m4"', 'name = "my-m4"')))
    assert target.board is None
    assert (target.name, target.core.loops_core) == ("my-m4", "cortex-m4")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("line_bytes = 8", "lines_bytes = 8", r"is not known \(near: line_bytes; allowed: bytes"),
        ("[clock]", "[clok]", r"'clock' is missing \(there is 'clok'\)"),
        ("core_hz = 80_000_000", "core_hz = 0", r"'clock.core_hz' is 0, outside 100000 to 1e\+10"),
        ("core_hz = 80_000_000", 'core_hz = "80 MHz"', r"'clock.core_hz' must be a number"),
        ("core_hz = 80_000_000", "core_hz = true", r"'clock.core_hz' must be a number"),
        ("core_hz = 80_000_000", "core_hz = nan", r"'clock.core_hz' must be a number"),
        ('core = "cortex-m4"', 'core = "cortex-m5"', r"'core' is 'cortex-m5' \(near: cortex-m"),
        ('arena = "sram"', 'arena = "ram"', r"is 'ram' \(near: sram; allowed: flash, sram\)"),
        ('of = ["flash"]', 'of = ["psram"]', r"names the memory 'psram' \(there are: flash, sram"),
        ('of = ["flash"]', 'of = "flash"', r"'cache.code.of' must be a list of texts"),
        ('holds = "code"', 'holds = "all"', r"holds' is 'all' \(allowed: both, code, data\)"),
        ('ref = "RM 1"', "", r"'ref' is missing"),
        ('from = "datasheet"', 'from = "data sheet"', r"'from' is 'data sheet' \(near: datasheet"),
        ('from = "assumed"', 'form = "assumed"', r"wait_cycles.form' is not known \(near: from"),
        ("[placed]", "[[placed]]", r"'placed' must be a table: \[placed\]"),
        ("title =", "titel =", r"'title' is missing \(there is 'titel'\)"),
        ("name =", "name", r"not a TOML file"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_file_is_one_line(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    assert before in BOARD
    path = write(tmp_path, BOARD.replace(before, after, 1))
    with pytest.raises(TargetError, match=message) as caught:
        load_target(path)
    assert str(caught.value).startswith(path)
    assert "\n" not in str(caught.value)


def test_a_factor_out_of_range_is_told(tmp_path: Path) -> None:
    path = write(tmp_path, CALIBRATED.replace("1.25", "0"))
    with pytest.raises(TargetError, match=r"'calibration.core' is 0, outside 0.1 to 10"):
        load_target(path)


def test_a_calibration_of_an_unknown_board_gets_the_near_ones(tmp_path: Path) -> None:
    path = write(tmp_path, CALIBRATED.replace("nucleo-l4r5zi", "nucleo-l4r5"))
    with pytest.raises(TargetError, match=r"'based_on' is 'nucleo-l4r5' \(near: nucleo-l4r5zi"):
        load_target(path)


def test_a_file_that_is_not_there_is_told() -> None:
    with pytest.raises(TargetError, match=r"nowhere.toml: No such file"):
        load_target("nowhere.toml")
