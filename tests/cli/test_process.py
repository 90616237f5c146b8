"""The command as a process of its own: imports, pipes, memory, signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import EXAMPLES
from tinyml_cli import app as entry

ROOT = EXAMPLES.parent
PATHS = [str(ROOT / "runtime"), str(ROOT / "profiles"), str(ROOT)]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(PATHS), "OPENBLAS_NUM_THREADS": "1"}
COMMAND = [sys.executable, "-m", "tinyml_cli"]
DIGITS = str(EXAMPLES / "digits.tflite")

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and pipes as on POSIX")


def modules_of(*arguments: str) -> set[str]:
    """The modules that the command has imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *COMMAND[1:], *arguments],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}


def test_help_imports_no_numpy() -> None:
    assert not {"numpy", "pydantic", "tinyml_runtime.interpreter"} & modules_of("--help")


def test_run_imports_nothing_that_it_does_not_need() -> None:
    assert not {"pydantic", "pandas", "PIL", "flatbuffers"} & modules_of("run", DIGITS)


def test_json_needs_no_rich() -> None:
    assert "rich" not in modules_of("run", DIGITS, "--json")


@posix_only
def test_a_reader_that_goes_away_ends_it_quietly() -> None:
    with subprocess.Popen(
        [*COMMAND, "run", DIGITS, "--seed", "1"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*COMMAND, "run", DIGITS, "--seed", "1"],
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: standard output: ")
    assert done.stderr.count("\n") == 1


@posix_only
def test_ctrl_c_is_exit_code_130_and_saves_nothing(tmp_path: Path) -> None:
    samples = np.zeros((40_000, 32, 32, 3), np.int8)
    np.save(tmp_path / "in.npy", samples)
    model = str(EXAMPLES / "shapes" / "ic_resnet8.tflite")
    with subprocess.Popen(
        [*COMMAND, "run", model, "-i", "in.npy", "-o", "out.npz"],
        env=ENVIRONMENT,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.npy"]


def test_a_model_that_memory_does_not_hold_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def app(prog_name: str) -> None:
        raise MemoryError("Unable to allocate 7 GiB")

    monkeypatch.setattr(entry, "app", app)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 2
    assert capsys.readouterr().err == (
        "error: the model needs more memory than there is: Unable to allocate 7 GiB\n"
    )
