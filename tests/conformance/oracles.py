"""The oracles, each in a process of its own that is started again when a model brought it down."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.conformance import worker

PACKAGES = {"tflm": "tflite_micro", "litert": "ai_edge_litert"}
CRASHED = "the process ended"
# Several such processes share the processors. Large pieces of memory come from the system and are
# zero, as on a board that starts: some kernels read what nothing has written.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}


@dataclass(frozen=True)
class Refusal:
    """The oracle does not run the model; its process may have ended over it."""

    reason: str

    @property
    def is_crash(self) -> bool:
        """Whether the oracle's process ended."""
        return self.reason == CRASHED


class Oracle:
    """A runtime in another process, which is started for the first job."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.package = PACKAGES[name]
        self.is_installed = importlib.util.find_spec(self.package) is not None
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, job: worker.Job) -> list[list[worker.Array]] | Refusal:
        """The outputs of each invocation, or why there are none."""
        process = self._process or self._started()
        try:
            pickle.dump(job, _pipe(process.stdin))
            _pipe(process.stdin).flush()
            result: worker.Result = pickle.load(_pipe(process.stdout))
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            self.close()
            return Refusal(CRASHED)
        return Refusal(result) if isinstance(result, str) else result

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _abandon(_pipe(pipe))

    def _started(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(worker.__file__)), self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT},
        )
        return self._process


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def _abandon(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        # What could not be written any more does not matter.
        return
