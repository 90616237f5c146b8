"""What the `tflite-micro` wheel needs of an arena, measured in a process of its own.

The wheel records what it allocates and prints that, in C, to the standard error. An arena that is
too small may end the process, so that every size is tried in a child.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

# More than any model of the tests needs; what is not used takes no memory.
LARGE_ARENA_BYTES = 1 << 28
_FIGURE = re.compile(rb"Arena allocation (?:total|head|tail) (\d+) bytes")


@dataclass(frozen=True)
class Job:
    """A model, sizes of arenas to try, and the inputs of one invocation after another."""

    model: bytes
    sizes: tuple[int, ...] = ()
    feeds: Sequence[Sequence[Any]] = ()
    has_variables: bool = True


@dataclass(frozen=True)
class Report:
    """Bytes in a large arena: all, the head, the tail. And which of the sizes are enough."""

    used: int
    nonpersistent: int
    persistent: int
    enough: tuple[bool, ...]


def listen() -> None:
    """Keep what this process prints to its standard error, to read it again."""
    with tempfile.TemporaryFile() as printed:
        os.dup2(printed.fileno(), 2)


def measure(job: Job) -> Report | str:
    """The wheel's figures, or the words with which it refuses the model."""
    runtime: Any = import_module("tflite_micro.python.tflite_micro.runtime")
    # The wheel's own count reads the whole model in Python.
    variables = runtime.count_resource_variables(job.model) if job.has_variables else 0
    os.ftruncate(2, 0)
    os.lseek(2, 0, os.SEEK_SET)
    try:
        _interpreter(job.model, LARGE_ARENA_BYTES, variables).PrintAllocations()
    except RuntimeError as refusal:
        return str(refusal)
    used, head, tail = (int(figure) for figure in _FIGURE.findall(os.pread(2, 1 << 16, 0)))
    return Report(used, head, tail, tuple(_is_enough(job, size, variables) for size in job.sizes))


def _interpreter(model: bytes, size: int, variables: int) -> Any:
    wrapper: Any = import_module("tflite_micro.python.tflite_micro._runtime")
    config = wrapper.PythonInterpreterConfig.kAllocationRecording
    return wrapper.InterpreterWrapper(model, [], size, variables, config, 0)


def _is_enough(job: Job, size: int, variables: int) -> bool:
    """Whether a child lives to the end of the last invocation."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    try:
        interpreter = _interpreter(job.model, size, variables)
        for feeds in job.feeds:
            for index, array in enumerate(feeds):
                interpreter.SetInputTensor(array, index)
            interpreter.Invoke()
    except BaseException:
        os._exit(1)
    os._exit(0)
