"""Every command and every piece of Python in the documents works as it stands there."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tinyml_runtime.comparison.foreign import FOREIGN_RUNTIMES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "examples/README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def _blocks(language: str) -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for block in re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            yield page, block


COMMANDS = [
    pytest.param(line, id=f"{page.relative_to(ROOT)}: {line}")
    for page, block in _blocks("sh")
    for line in block.splitlines()
    if line.startswith("tinyml ")
]
PROGRAMS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)} {number}")
    for number, (page, block) in enumerate(_blocks("python"))
]


@pytest.fixture
def beside_examples(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    return tmp_path


def _run(arguments: list[str], folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def _package_needed(line: str) -> str | None:
    """The package of an extra without which a command cannot work; None where it needs none."""
    arguments = shlex.split(line)
    if arguments[1] != "compare":
        return None
    other = arguments[arguments.index("--against") + 1] if "--against" in arguments else "tflite"
    runtime = FOREIGN_RUNTIMES.get(other)
    return None if runtime is None else runtime.package


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_works(line: str, beside_examples: Path) -> None:
    if package := _package_needed(line):
        pytest.importorskip(package)
    _run(["-m", "tinyml_cli", *shlex.split(line)[1:]], beside_examples)


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_works(program: str, beside_examples: Path) -> None:
    _run(["-c", program], beside_examples)


def test_the_example_in_the_interpreters_docstring_works(beside_examples: Path) -> None:
    program = "import doctest, tinyml_runtime.interpreter as m; exit(doctest.testmod(m).failed)"
    _run(["-c", program], beside_examples)


def test_documents_made_from_the_code_are_in_step() -> None:
    _run([str(ROOT / "scripts/make_docs.py"), "--check"], ROOT)


def test_the_readme_has_two_commands_that_make_their_own_environment() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.DOTALL)
    setups = [block for block in blocks if "venv" in block]
    assert len(setups) == 2
    assert all(block.startswith("python3 -m venv .venv && ") for block in setups)
