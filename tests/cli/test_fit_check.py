"""`tinyml fit --check`: the project file, the list of what is broken, the action that runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import EXAMPLES, Tinyml
from tests.profiles.test_target_files import BOARD as OWN_BOARD

ROOT = EXAMPLES.parent
PROJECT = """
models = ["models/digits.tflite"]
boards = ["nucleo-l4r5zi"]

[budgets]
latency_ms = 20
ram = "64k"
flash = 262_144
energy_uj = 2000.5
"""


@pytest.fixture
def project() -> Path:
    Path("models").mkdir()
    shutil.copy(EXAMPLES / "digits.tflite", "models/digits.tflite")
    path = Path("tinyml.toml")
    path.write_text(PROJECT, encoding="utf-8")
    return path


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_all_within_limits_is_one_line(tinyml: Tinyml, project: Path) -> None:
    outcome = tinyml("fit", "--check")
    assert outcome.code == 0
    assert outcome.out == "all within limits: 1 model, 1 check\n"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("latency_ms = 20", "latency_ms = 2", "latency needs"),
        ('ram = "64k"', 'ram = "4k"', "RAM needs"),
        ("flash = 262_144", 'flash = "32KiB"', "flash needs"),
        ("energy_uj = 2000.5", "energy_uj = 2", "energy needs"),
    ],
)
def test_a_broken_budget_is_a_line_and_exit_code_1(
    tinyml: Tinyml, project: Path, old: str, new: str, words: str
) -> None:
    change(project, old, new)
    outcome = tinyml("fit", "--check")
    assert outcome.code == 1
    text = " ".join(outcome.out.split())
    assert text.startswith(f"digits.tflite on nucleo-l4r5zi: {words}")
    assert "more than the budget of" in text


def test_paths_are_those_from_where_the_file_is(
    tinyml: Tinyml, project: Path, tmp_path: Path
) -> None:
    Path("deep").mkdir()
    Path("mine.toml").write_text(OWN_BOARD, encoding="utf-8")
    change(project, '"nucleo-l4r5zi"', '"nucleo-l4r5zi", "mine.toml"')
    change(project, "energy_uj = 2000.5", "")
    os.chdir("deep")
    outcome = tinyml("fit", "--check", "--config", "../tinyml.toml", "--json")
    os.chdir(tmp_path)
    assert outcome.code == 0
    assert [result["board"] for result in outcome.report["results"]] == ["nucleo-l4r5zi", "mine"]
    assert outcome.report["budgets"]["ram_bytes"] == 65536


def test_the_command_line_comes_before_the_file(tinyml: Tinyml, project: Path) -> None:
    assert tinyml("fit", "--check", "--max-ram", "4k").code == 1
    outcome = tinyml("fit", "--check", "--board", "nano33ble", "--json")
    assert outcome.report["results"][0]["board"] == "nano33ble"


def test_a_budget_of_what_a_board_does_not_tell_is_broken(tinyml: Tinyml, project: Path) -> None:
    Path("mine.toml").write_text(OWN_BOARD, encoding="utf-8")
    outcome = tinyml("fit", "--check", "--board", "mine.toml")
    assert outcome.code == 1
    assert outcome.out.startswith("digits.tflite on mine: energy is unknown: active_mw")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("models =", "modles =", "'models' is missing (there is 'modles')"),
        ("boards =", "board =", "'boards' is missing (there is 'board')"),
        ("latency_ms =", "latency =", "'budgets.latency' is not known"),
        ("latency_ms =", "latency =", "allowed: energy_uj, flash, latency_ms, ram"),
        ('["nucleo-l4r5zi"]', "[]", "'boards' is empty"),
        ('["nucleo-l4r5zi"]', "[3]", "'boards' must be a list of texts"),
        ('"64k"', '"much"', "'budgets.ram' is 'much'; it takes bytes (65536) or a size"),
        ("= 20\n", "= -1\n", "'budgets.latency_ms' is -1; it takes a number of ms above 0"),
        ("= 20\n", "= true\n", "'budgets.latency_ms' is True; it takes"),
        ("= 20\n", "= nan\n", "'budgets.latency_ms' is nan; it takes"),
        ("[budgets]", "budgets = 3\n[more]", "'budgets' must be a table"),
        ("[budgets]", "[budget]", "'budget' is not known (near: budgets; allowed:"),
        ("models =", "models =\n=", "not a TOML file"),
    ],
)
def test_what_is_wrong_in_the_file_is_one_line(
    tinyml: Tinyml, project: Path, old: str, new: str, words: str
) -> None:
    change(project, old, new)
    outcome = tinyml("fit", "--check")
    assert outcome.code == 2
    assert outcome.out == ""
    assert outcome.err.startswith("error: tinyml.toml: ")
    assert outcome.err.count("\n") == 1
    assert words in outcome.err


def test_without_a_project_file_the_error_names_it(tinyml: Tinyml) -> None:
    outcome = tinyml("fit", "--check")
    assert outcome.code == 2
    assert outcome.err.startswith("error: tinyml.toml: no such file")


def action_script() -> str:
    """What the last step of the action runs."""
    lines = (ROOT / "action.yml").read_text("utf-8").partition("      run: |\n")[2].splitlines()
    return "\n".join(line.removeprefix(" " * 8) for line in lines)


def run_action(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """The action's script, with a `tinyml` on the path that is this one."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    command = tools / "tinyml"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tinyml_cli "$@"\n')
    command.chmod(0o755)
    variables = {
        "TINYML_CONFIG": "tinyml.toml",
        "TINYML_BASELINE": "",
        "TINYML_REPORT": "fit.json",
        "TINYML_COMMENT": "fit.md",
        "GITHUB_STEP_SUMMARY": "summary.md",
        "GITHUB_OUTPUT": "output.txt",
        **inputs,
        "PATH": f"{tools}:{os.environ['PATH']}",
    }
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", action_script()],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


needs_bash = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@needs_bash
def test_the_action_writes_report_comment_and_verdict(
    tinyml: Tinyml, project: Path, tmp_path: Path
) -> None:
    done = run_action(tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output.txt").read_text() == "fits=true\n"
    assert (tmp_path / "summary.md").read_text() == (tmp_path / "fit.md").read_text()
    change(project, "latency_ms = 20", "latency_ms = 2")
    Path("old.json").write_text((tmp_path / "fit.json").read_text(), encoding="utf-8")
    done = run_action(tmp_path, TINYML_BASELINE="old.json")
    assert done.returncode == 1
    assert (tmp_path / "output.txt").read_text() == "fits=true\nfits=false\n"
    assert "does not fit" in (tmp_path / "fit.md").read_text()
    assert "| verdict | `fits` | `does not fit` |" in (tmp_path / "fit.md").read_text()


@needs_bash
def test_the_action_says_what_is_wrong_with_the_project(
    tinyml: Tinyml, project: Path, tmp_path: Path
) -> None:
    change(project, "latency_ms", "latency")
    done = run_action(tmp_path)
    assert done.returncode == 2
    assert "'budgets.latency' is not known" in done.stderr


def test_the_hook_runs_a_command_that_there_is() -> None:
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    (entry,) = [line.split(": ")[1] for line in hook.splitlines() if "entry:" in line]
    assert entry == "tinyml fit --check"
