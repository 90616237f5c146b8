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
    assert outcome.code == 4
    assert str(path) in outcome.err
    assert outcome.err.count("\n") == 1
