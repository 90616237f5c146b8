"""`tinyml fit`: verdicts, budgets, all boards, what scripts read, bad input in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.cli.models import unsupported
from tests.profiles.test_target_files import BOARD as OWN_BOARD
from tinyml_profiles.load import board_names

DIGITS, FLOAT = EXAMPLES / "digits.tflite", EXAMPLES / "digits_float.tflite"
KEYWORDS = EXAMPLES / "shapes/kws_ds_cnn.tflite"
VISION = EXAMPLES / "shapes/vww_mobilenet_v1.tflite"
BOARD, SMALL = "nucleo-l4r5zi", "bluepill-f103c8"


def test_the_report_has_what_scripts_rely_on(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", DIGITS, "--board", BOARD, "--json")
    report = outcome.report
    assert outcome.code == 0
    assert report["schema"] == 1
    assert report["model"]["bytes"] == DIGITS.stat().st_size
    (result,) = report["results"]
    assert result["board"] == BOARD
    assert result["fits"] is True
    assert result["verdict"] == "fits"
    assert result["problems"] == []
    ram, flash = result["ram"], result["flash"]
    assert ram["needed_bytes"] == sum(part["bytes"] for part in ram["parts"])
    assert ram["needed_bytes"] < ram["available_bytes"]
    assert flash["needed_bytes"] == flash["model_bytes"] + flash["code_bytes"]
    assert flash["needed_bytes"] < flash["available_bytes"]
    assert result["latency_low_ms"] < result["latency_ms"] < result["latency_high_ms"]
    assert result["energy_uj"] > 0
    assert {op["op"] for op in flash["ops"]} >= {"CONV_2D", "FULLY_CONNECTED", "SOFTMAX"}


def test_figures_are_those_of_plan_and_profile(tinyml: Tinyml) -> None:
    (result,) = tinyml("fit", DIGITS, "--board", BOARD, "--json").report["results"]
    options = ("--target", BOARD, "--kernels", "cmsis-nn", "--json")
    arena = tinyml("plan", DIGITS, *options).report["arena"]["recommended_bytes"]
    total = tinyml("profile", DIGITS, *options).report["total"]
    (part,) = [one for one in result["ram"]["parts"] if one["name"] == "tensor arena"]
    assert part["bytes"] == arena
    assert result["latency_ms"] == total["latency_ms"]
    assert result["energy_uj"] == total["energy_uj"]


def test_a_core_alone_has_needs_and_no_verdict(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", DIGITS, "--board", "cortex-m4", "--kernels", "cmsis-nn", "--json")
    (result,) = outcome.report["results"]
    assert outcome.code == 1
    assert (result["fits"], result["verdict"]) == (False, "unknown")
    assert result["flash"]["needed_bytes"] > 0
    assert result["flash"]["available_bytes"] is None
    assert result["latency_ms"] is None
    limits = ("--max-ram", "64k", "--max-flash", "256KiB")
    assert tinyml("fit", DIGITS, "--board", "cortex-m4", *limits).code == 0


def test_the_verdict_comes_first_in_80_columns(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", DIGITS, "--board", BOARD, "--by", "op")
    assert outcome.code == 0
    assert "fits; flash is the tightest" in outcome.out
    assert "DEPTHWISE_CONV_2D" in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


def test_how_the_image_is_built_changes_its_flash(tinyml: Tinyml) -> None:
    def flash(*options: str) -> dict[str, int]:
        report = tinyml("fit", DIGITS, "--board", BOARD, "--json", *options).report
        return report["results"][0]["flash"]

    usual, logging, small = flash(), flash("--logging"), flash("--int8-kernels")
    assert usual["logging_bytes"] == 0
    assert logging["needed_bytes"] == usual["needed_bytes"] + logging["logging_bytes"]
    assert logging["logging_bytes"] > 1000
    assert small["needed_bytes"] < usual["needed_bytes"]


def test_all_boards_are_ordered_by_what_is_left(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", KEYWORDS, "--all", "--json")
    results = outcome.report["results"]
    assert outcome.code == 0
    assert sorted(result["board"] for result in results) == sorted(board_names())
    ranks = {"fits": 0, "unknown": 1, "does not fit": 2}
    verdicts = [ranks[result["verdict"]] for result in results]
    assert verdicts == sorted(verdicts)
    margins = [result["margin"] for result in results if result["fits"]]
    assert margins == sorted(margins, reverse=True)
    for result in results:
        if result["fits"]:
            needs = [result["ram"], result["flash"]]
            least = min(1 - one["needed_bytes"] / one["available_bytes"] for one in needs)
            assert result["margin"] == pytest.approx(least)


def test_the_table_of_all_boards_fits_80_columns(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", KEYWORDS, "--all")
    lines = outcome.out.splitlines()
    assert all(len(line) <= 80 for line in lines)
    assert sum(line.split()[0] in board_names() for line in lines if line) == len(board_names())
    assert f"of {len(board_names())} boards" in lines[0]


def test_with_all_one_board_is_enough_and_none_is_not(tinyml: Tinyml) -> None:
    assert tinyml("fit", KEYWORDS, "--all", "--max-latency-ms", 50).code == 0
    assert tinyml("fit", KEYWORDS, "--all", "--max-ram", 100).code == 1


@pytest.mark.parametrize(
    ("option", "value", "name"),
    [
        ("--max-latency-ms", "1", "latency"),
        ("--max-ram", "6k", "RAM"),
        ("--max-flash", "64KiB", "flash"),
        ("--max-energy-uj", "10", "energy"),
    ],
)
def test_a_broken_budget_is_a_no(tinyml: Tinyml, option: str, value: str, name: str) -> None:
    outcome = tinyml("fit", DIGITS, "--board", BOARD, option, value)
    assert outcome.code == 1
    assert f"does not fit: {name} by" in outcome.out
    assert f"{name} needs" in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


def test_what_would_make_it_fit_is_shown(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", VISION, "--board", "nucleo-l476rg")
    assert outcome.code == 1
    assert "What would make it fit nucleo-l476rg, smallest change first:" in outcome.out
    assert "an input of " in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())
    (result,) = tinyml("fit", VISION, "--board", "nucleo-l476rg", "--json").report["results"]
    enough = result["remedies"]["enough"]
    assert all(remedy["fits"] for remedy in enough)
    assert all(
        one["ram_bytes"] <= result["ram"]["available_bytes"]
        for one in enough
        if not one["what"].startswith("two arenas")
    )


def test_several_boards_stand_in_one_table(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", VISION, "--board", BOARD, "--board", SMALL)
    assert outcome.code == 1
    assert "fits 1 of 2 boards" in outcome.out
    assert f"{SMALL}: RAM needs" in outcome.out
    assert all(len(line) <= 80 for line in outcome.out.splitlines())


def test_several_models_are_a_list(tinyml: Tinyml) -> None:
    report = tinyml("fit", DIGITS, KEYWORDS, "--board", BOARD, "--json").report
    paths = [Path(one["model"]["path"]).name for one in report["fits"]]
    assert paths == ["digits.tflite", "kws_ds_cnn.tflite"]
    assert all(len(one["results"]) == 1 for one in report["fits"])


def test_a_board_of_the_users_own_works_the_same(tinyml: Tinyml) -> None:
    Path("mine.toml").write_text(OWN_BOARD, encoding="utf-8")
    (result,) = tinyml("fit", DIGITS, "--board", "./mine.toml", "--json").report["results"]
    assert result["board"] == "mine"
    assert result["fits"] is True
    assert result["energy_uj"] is None
    assert result["ram"]["available_bytes"] <= 98_304
    assert any("[reserved] says it" in note for note in result["notes"])


def test_a_model_on_standard_input(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", "-", "--board", BOARD, "--json", stdin=DIGITS.read_bytes())
    assert outcome.report["results"][0]["fits"] is True


def test_markdown_is_a_table_whose_cells_hold(tinyml: Tinyml) -> None:
    copy = Path("a|b`c<d.tflite")
    copy.write_bytes(DIGITS.read_bytes())
    outcome = tinyml("fit", copy, "--board", BOARD, "--markdown", "--max-ram", "6k")
    assert outcome.code == 1
    assert outcome.out.startswith("### tinyml fit: does not fit\n")
    rows = [line for line in outcome.out.splitlines() if line.startswith("| ")]
    assert all(row.replace("\\|", "").count("|") == 8 for row in rows)
    assert "| `a\\|b'c<d.tflite` |" in outcome.out
    assert "- `a|b'c<d.tflite` on `nucleo-l4r5zi`: `RAM needs" in outcome.out


def test_a_baseline_tells_what_changed_and_no_more(tinyml: Tinyml) -> None:
    Path("m.tflite").write_bytes(FLOAT.read_bytes())
    before = tinyml("fit", "m.tflite", "--board", BOARD, "--json")
    Path("old.json").write_text(before.out, encoding="utf-8")
    same = tinyml("fit", "m.tflite", "--board", BOARD, "--baseline", "old.json")
    assert "nothing changed" in same.out
    Path("m.tflite").write_bytes(DIGITS.read_bytes())
    after = tinyml("fit", "m.tflite", "--board", BOARD, "--baseline", "old.json", "--json")
    assert after.code == 0
    changes = {change["what"]: change for change in after.report["changes"]}
    assert set(changes) == {"ram", "flash", "latency", "energy"}
    (old,), (new,) = before.report["results"], after.report["results"]
    assert changes["ram"]["before"] == old["ram"]["needed_bytes"]
    assert changes["ram"]["after"] == new["ram"]["needed_bytes"]
    shown = tinyml("fit", "m.tflite", "--board", BOARD, "--baseline", "old.json")
    by = new["ram"]["needed_bytes"] - old["ram"]["needed_bytes"]
    assert f"{by:,}" in shown.out
    marked = tinyml("fit", "m.tflite", "--board", BOARD, "--baseline", "old.json", "--markdown")
    assert f"| {by:,} |" in marked.out
    assert f"| `{new['ram']['needed_bytes']:,}` |" in marked.out


def test_boards_that_came_and_went_are_changes_too(tinyml: Tinyml) -> None:
    before = tinyml("fit", DIGITS, "--board", BOARD, "--json")
    Path("old.json").write_text(before.out, encoding="utf-8")
    after = tinyml("fit", DIGITS, "--board", "nano33ble", "--baseline", "old.json", "--json")
    assert [(one["board"], one["before"], one["after"]) for one in after.report["changes"]] == [
        ("nano33ble", None, "fits"),
        (BOARD, "fits", None),
    ]


def test_a_model_that_does_not_load_says_why(tinyml: Tinyml, tmp_path: Path) -> None:
    outcome = tinyml("fit", unsupported(tmp_path), "--board", BOARD)
    assert outcome.code == 4
    assert "does not load" in outcome.out
    assert "Nonesuch" in outcome.out
    everywhere = tinyml("fit", unsupported(tmp_path), "--all")
    assert everywhere.code == 4
    assert everywhere.out.count("Nonesuch") <= 2
    assert "does not load" in everywhere.out


def one_line(text: str) -> bool:
    return text.startswith("error: ") and text.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "MODEL says which model"),
        ((DIGITS,), 2, "--board NAME says which board, --all tries every one"),
        ((DIGITS, "--board", "nucleo-l4r5z"), 4, "near: nucleo-l4r5zi"),
        ((DIGITS, "--board", "mine.toml"), 2, "mine.toml"),
        ((DIGITS, "--board", BOARD, "--max-ram", "lots"), 2, "--max-ram takes bytes (65536)"),
        ((DIGITS, "--board", BOARD, "--max-flash", "-1k"), 2, "--max-flash takes"),
        ((DIGITS, "--board", BOARD, "--max-latency-ms", "nan"), 2, "--max-latency-ms takes"),
        ((DIGITS, "--board", BOARD, "--max-energy-uj", "0"), 2, "--max-energy-uj takes"),
        ((DIGITS, "--board", BOARD, "--by", "node"), 2, "--by takes op"),
        ((DIGITS, "--board", BOARD, "--kernels", "none"), 2, "none"),
        ((DIGITS, "--board", BOARD, "--baseline", "old.json"), 2, "old.json: no such file"),
        (("there.tflite", "--board", BOARD), 2, "there.tflite: no such file"),
    ],
)
def test_bad_input_is_one_line(
    tinyml: Tinyml, arguments: tuple[object, ...], code: int, words: str
) -> None:
    outcome = tinyml("fit", *arguments)
    assert outcome.code == code
    assert outcome.out == ""
    assert one_line(outcome.err)
    assert words in outcome.err


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"fits": 3}', '{"model": {}, "results": [1]}']
)
def test_a_baseline_that_is_no_report_is_one_line(tinyml: Tinyml, text: str) -> None:
    Path("old.json").write_text(text, encoding="utf-8")
    outcome = tinyml("fit", DIGITS, "--board", BOARD, "--baseline", "old.json")
    assert outcome.code == 2
    assert one_line(outcome.err)
    assert "old.json" in outcome.err


def test_a_baseline_of_absurd_figures_is_compared_as_unknown(tinyml: Tinyml) -> None:
    report = tinyml("fit", DIGITS, "--board", BOARD, "--json").report
    result = report["results"][0]
    result["ram"]["needed_bytes"] = 10**400
    result["latency_ms"], result["flash"] = float("nan"), [3]
    Path("old.json").write_text(json.dumps(report), encoding="utf-8")
    again = tinyml("fit", DIGITS, "--board", BOARD, "--baseline", "old.json", "--json")
    before = {change["what"]: change["before"] for change in again.report["changes"]}
    assert before == {"ram": None, "flash": None, "latency": None}


def test_json_is_all_that_goes_to_standard_output(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", VISION, "--board", SMALL, "--json")
    assert outcome.code == 1
    assert json.loads(outcome.out)["results"][0]["fits"] is False


def test_an_image_without_texts_of_errors_is_smaller(tinyml: Tinyml) -> None:
    arguments = ("fit", DIGITS, "--board", "nucleo-l4r5zi", "--json")
    (usual,) = tinyml(*arguments).report["results"]
    (stripped,) = tinyml(*arguments, "--strip-errors").report["results"]
    saved = usual["flash"]["needed_bytes"] - stripped["flash"]["needed_bytes"]
    assert 10_000 < saved < 25_000
    assert stripped["ram"]["needed_bytes"] <= usual["ram"]["needed_bytes"]


def test_what_nobody_has_linked_without_texts_is_unknown(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", DIGITS, "--board", "nucleo-f072rb", "--strip-errors")
    assert outcome.code == 1
    shown = " ".join(outcome.out.split())
    assert "nobody has linked reference without texts of errors for cortex-m0" in shown
