"""Foreign runtimes, each in a process of its own that ends without taking this one along."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from tinyml_runtime.comparison.messages import Message, read_message, write_message
from tinyml_runtime.errors import InputError, TinymlError
from tinyml_runtime.tensor import Array

_WORKER = "tinyml_runtime.comparison.worker"
# Several such processes share the processors. Large pieces of memory come from the system and are
# zero, as on a board that starts: some kernels read what nothing has written.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MALLOC_MMAP_THRESHOLD_": "65536"}
# A process that waits for the processor computes less than time passes.
_WALL_SECONDS = 5
DEFAULT_SECONDS = 120
# Some say the same for every tensor.
_LONGEST_WORDS = 300


@dataclass(frozen=True, slots=True)
class ForeignRuntime:
    """A runtime that we can compare with: what it is called, and which package has it."""

    name: str
    title: str
    package: str
    extra: str

    @property
    def is_installed(self) -> bool:
        """Whether its package is at hand."""
        return importlib.util.find_spec(self.package) is not None

    def check_installed(self) -> None:
        """InputError, with the command that installs it, where it is not at hand."""
        if not self.is_installed:
            raise InputError(
                f"{self.name} needs {self.title}: pip install 'tinyml-cli[{self.extra}]'"
            )


_LITERT = ("ai_edge_litert", "tflite")
FOREIGN_RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        ForeignRuntime("tflite", "LiteRT (ai-edge-litert)", *_LITERT),
        ForeignRuntime("tflite-ref", "LiteRT (ai-edge-litert)", *_LITERT),
        ForeignRuntime("tflite-builtin", "LiteRT (ai-edge-litert)", *_LITERT),
        ForeignRuntime("tflm", "TFLM's wheel (tflite-micro)", "tflite_micro", "tflm"),
    )
}


class ForeignRuntimeError(TinymlError):
    """A foreign runtime that refuses a model, ends over it, or does not end."""

    exit_code = 4

    def __init__(self, name: str, what: str, words: str = "") -> None:
        """Say which runtime did what; `words` are its own, with which it refused the model."""
        super().__init__(": ".join(part for part in (f"{name} {what}", words) if part))
        self.words = words


class ForeignProcess:
    """A foreign runtime in another process, started for the first model that is loaded."""

    def __init__(self, name: str, seconds: int = DEFAULT_SECONDS) -> None:
        """Let no request take more processor time than `seconds`."""
        self.name = name
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None

    def load(
        self, model: bytes, tensors: Sequence[int] | None, outputs: int, arena_bytes: int
    ) -> None:
        """Load a model of which `tensors` are read after each invocation; None: its outputs.

        Raises ForeignRuntimeError, as does `run`.
        """
        import numpy as np

        facts = {
            "do": "load",
            "tensors": None if tensors is None else list(tensors),
            "outputs": outputs,
            "arena_bytes": arena_bytes,
            "seconds": self._seconds,
        }
        self._ask(Message(facts, [np.frombuffer(model, np.uint8)]))

    def run(self, inputs: Sequence[Array], *, reset: bool = False) -> list[Array | None]:
        """Values [samples, *shape] of each tensor, for inputs [samples, *shape].

        None stands for a tensor that the runtime does not give, or in shapes that change.
        """
        reply = self._ask(Message({"do": "run", "reset": reset}, inputs))
        missing: set[int] = set(reply.facts["missing"])
        given = iter(reply.arrays)
        count = len(missing) + len(reply.arrays)
        return [None if index in missing else next(given) for index in range(count)]

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            _abandon(_pipe(pipe))

    def _ask(self, request: Message) -> Message:
        process = self._process or self._started()
        late = threading.Timer(self._seconds * _WALL_SECONDS, process.kill)
        late.start()
        try:
            write_message(_pipe(process.stdin), request)
            reply = read_message(_pipe(process.stdout))
        except (EOFError, BrokenPipeError):
            raise self._end(process, is_late=not late.is_alive()) from None
        finally:
            late.cancel()
        if "refusal" in reply.facts:
            words = " ".join(str(reply.facts["refusal"]).split())
            if len(words) > _LONGEST_WORDS:
                words = f"{words[:_LONGEST_WORDS]} ..."
            raise ForeignRuntimeError(self.name, "refuses the model", words)
        return reply

    def _end(self, process: subprocess.Popen[bytes], *, is_late: bool) -> ForeignRuntimeError:
        """What became of the process."""
        try:
            code = process.wait(1)
        except subprocess.TimeoutExpired:
            code = 0
        self.close()
        if is_late or code == -getattr(signal, "SIGPROF", 0):
            what = f"has not finished within {self._seconds} s and was stopped"
        else:
            how = f"exit code {code}" if code >= 0 else signal.Signals(-code).name
            what = f"crashed on this model ({how}), in a process of its own"
        return ForeignRuntimeError(self.name, what)

    def _started(self) -> subprocess.Popen[bytes]:
        paths = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", _WORKER, self.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, **_ENVIRONMENT, "PYTHONPATH": paths},
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
