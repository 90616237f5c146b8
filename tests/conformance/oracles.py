"""The oracles, each in a process of its own that is started again when a model brought it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tinyml_runtime.comparison.foreign import (
    FOREIGN_RUNTIMES,
    ForeignProcess,
    ForeignRuntimeError,
)
from tinyml_runtime.tensor import Array

CRASHED = "the process ended"
_RUNTIMES = {"tflm": "tflm", "litert": "tflite-ref"}
_ARENA_BYTES = 1 << 22
# A model that computes longer ends the process, as one does that crashes.
_LARGEST_SECONDS = 20


class Job(NamedTuple):
    """A model's bytes, the number of its outputs, and the inputs of each invocation."""

    model: bytes
    outputs: int
    steps: Sequence[Sequence[Array]]


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
        self.package = FOREIGN_RUNTIMES[_RUNTIMES[name]].package
        self.is_installed = FOREIGN_RUNTIMES[_RUNTIMES[name]].is_installed
        self._process = ForeignProcess(_RUNTIMES[name], _LARGEST_SECONDS)
        # LiteRT's other kernels, for what its reference kernels lack.
        self._others = ForeignProcess("tflite-builtin", _LARGEST_SECONDS)

    def run(self, job: Job) -> list[list[Array]] | Refusal:
        """The outputs of each invocation, or why there are none."""
        result = _run(self._process, job)
        if isinstance(result, Refusal) and "Didn't find op" in result.reason:
            return result if self.name == "tflm" else _run(self._others, job)
        return result

    def close(self) -> None:
        """End the processes."""
        self._process.close()
        self._others.close()


def _run(process: ForeignProcess, job: Job) -> list[list[Array]] | Refusal:
    try:
        process.load(job.model, None, job.outputs, _ARENA_BYTES)
        return [_invoke(process, feeds) for feeds in job.steps]
    except ForeignRuntimeError as error:
        return Refusal(error.words or CRASHED)


def _invoke(process: ForeignProcess, feeds: Sequence[Array]) -> list[Array]:
    results = process.run([np.asarray(array)[np.newaxis] for array in feeds])
    return [array[0] for array in results if array is not None]
