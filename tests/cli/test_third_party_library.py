"""A kernel library in somebody else's package, as the page about it describes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/extend/kernel-library.md"
DIGITS = ROOT / "examples/digits.tflite"


def _first_block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The package of the page in a folder, with the metadata that an installer would write."""
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "kernels.py").write_text(_first_block("python"), "utf-8")
    groups = tomllib.loads(_first_block("toml"))["project"]["entry-points"]
    metadata = tmp_path / "my_package-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
    ]
    (metadata / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def _tinyml(folder: Path | None, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [path for path in sys.path if path] + ([str(folder)] if folder else [])
    return subprocess.run(
        [sys.executable, "-m", "tinyml_cli", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_line_runs_a_library_of_another_package(installed: Path) -> None:
    run = _tinyml(installed, "run", str(DIGITS), "--kernels", "my-library", "--json")
    assert run.returncode == 0, run.stderr
    report = json.loads(run.stdout)
    assert report["kernels"] == "my-library"
    assert not any(report["outputs"][0]["values"][0])


def test_its_arena_is_unknown_and_the_plan_says_so(installed: Path) -> None:
    plan = _tinyml(installed, "plan", str(DIGITS), "--kernels", "my-library")
    assert plan.returncode == 4
    assert "what SOFTMAX of the kernel library 'my-library' asks of the arena" in plan.stderr


def test_without_the_package_the_name_is_unknown() -> None:
    run = _tinyml(None, "run", str(DIGITS), "--kernels", "my-library")
    assert run.returncode == 2
    assert "no kernel library 'my-library'" in run.stderr


def test_a_wrong_switch_names_those_that_there_are() -> None:
    run = _tinyml(None, "run", str(DIGITS), "--kernels", "cmsis-nn:double-rounding")
    assert run.returncode == 2
    assert run.stderr.strip() == (
        "error: kernel library 'cmsis-nn' has no switch 'double-rounding' "
        "(it has: single-rounding, float32-scales)"
    )
