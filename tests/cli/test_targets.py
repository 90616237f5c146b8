"""`tinyml targets`: all of them, and every number of one with its source."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Tinyml
from tinyml_profiles.load import target_names


def test_all_are_listed(tinyml: Tinyml) -> None:
    outcome = tinyml("targets")
    assert outcome.code == 0
    for name in target_names():
        assert name in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


def test_the_listing_as_json(tinyml: Tinyml) -> None:
    report = tinyml("targets", "--json").report
    assert {one["name"] for one in report["targets"]} == set(target_names())


def test_every_number_of_a_board_has_a_source(tinyml: Tinyml) -> None:
    report = tinyml("targets", "nucleo-l4r5zi", "--json").report
    assert report["core"] == "cortex-m4"
    assert report["clock_hz"] == 120_000_000
    assert len(report["figures"]) > 20
    for figure in report["figures"]:
        assert figure["from"] in ("measured", "derived", "datasheet", "assumed")
        assert figure["ref"]
        assert figure["unit"]
    outcome = tinyml("targets", "nucleo-l4r5zi")
    assert all(len(line) <= 80 for line in outcome.out.splitlines())
    assert "[1] " in outcome.out


def test_an_unknown_one_gets_near_names(tinyml: Tinyml) -> None:
    outcome = tinyml("targets", "nucleo-l4r5")
    assert outcome.code == 4
    assert "near: nucleo-l4r5zi" in outcome.err


def test_a_file_of_ones_own_with_a_misspelt_key(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\nisaa = "x"\n')
    outcome = tinyml("targets", path)
    assert outcome.code == 2
    assert str(path) in outcome.err
    assert outcome.err.count("\n") == 1


FILLED_IN = {
    'title = ""': 'title = "My board, at 80 MHz"',
    'core = ""': 'core = "cortex-m4"',
    'library = ""': 'library = "cmsis-nn"',
    'ref = ""': 'ref = "DS 1234"',
    "core_hz = 0": "core_hz = 80_000_000",
    "[memory.flash]\nbytes = 0": "[memory.flash]\nbytes = 1_048_576",
    "wait_cycles = 0": "wait_cycles = 4",
    "[memory.sram]\nbytes = 0": "[memory.sram]\nbytes = 131_072",
}


def test_a_new_file_for_a_board_says_what_is_missing_until_it_is_filled_in(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    path = tmp_path / "my own.toml"
    outcome = tinyml("targets", "--new", path)
    assert outcome.code == 0
    assert outcome.out == ""
    assert "fill it in" in outcome.err
    text = path.read_text()
    for empty, full in FILLED_IN.items():
        if empty != "wait_cycles = 0":
            wrong = tinyml("targets", path)
            assert wrong.code == 2
            assert wrong.err.count("\n") == 1
        assert text.count(empty) == 1
        text = text.replace(empty, full)
        path.write_text(text)
    assert text.count("fill in") == text.count("# fill in") + 1
    report = tinyml("targets", path, "--json").report
    assert report["name"] == "my own"
    assert report["memories"] == {"flash": 1_048_576, "sram": 131_072}


def test_what_stands_in_comments_of_a_new_file_loads_too(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    tinyml("targets", "--new", path)
    text = path.read_text()
    for empty, full in FILLED_IN.items():
        text = text.replace(empty, full)
    head, rest = text.split("[clock]")
    lines = [line.removeprefix("# ") if _is_toml(line) else line for line in rest.splitlines()]
    path.write_text(head + "[clock]" + "\n".join(lines))
    report = tinyml("targets", path, "--json").report
    assert set(report["memories"]) == {"flash", "sram", "psram"}
    assert {"reserved RAM", "reserved flash", "power, active"} <= {
        figure["name"] for figure in report["figures"]
    }


def _is_toml(line: str) -> bool:
    return line.startswith("# [") or (line.startswith("# ") and " = " in line)


def test_a_new_file_replaces_none(tinyml: Tinyml, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("mine")
    outcome = tinyml("targets", "--new", path)
    assert outcome.code == 2
    assert "there already" in outcome.err
    assert path.read_text() == "mine"
    assert tinyml("targets", "--new", tmp_path / "mine.txt").code == 2
    assert tinyml("targets", "nano33ble", "--new", tmp_path / "other.toml").code == 2
    assert not (tmp_path / "other.toml").exists()
