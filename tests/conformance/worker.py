"""A process of its own for an oracle, as a model may bring that down: `python worker.py tflm`.

Reads jobs from its standard input and writes results to its standard output, pickled. A job is the
bytes of a model, the number of its outputs, and the inputs of one invocation after another; a
result is the outputs of each invocation, or the words with which the oracle refused the model.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any, BinaryIO, TypeAlias

Array: TypeAlias = Any
Job: TypeAlias = tuple[bytes, int, Sequence[Sequence[Array]]]
Result: TypeAlias = list[list[Array]] | str

ARENA_BYTES = 1 << 22
# A model that computes longer ends the process, as one does that crashes.
LARGEST_SECONDS = 20


def run_tflm(job: Job) -> Result:
    """The outputs of the `tflite-micro` wheel."""
    runtime: Any = import_module("tflite_micro.python.tflite_micro.runtime")
    model, outputs, steps = job
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=ARENA_BYTES)
    results: list[list[Array]] = []
    for feeds in steps:
        for index, array in enumerate(feeds):
            interpreter.set_input(array, index)
        interpreter.invoke()
        results.append([interpreter.get_output(index).copy() for index in range(outputs)])
    return results


def run_litert(job: Job) -> Result:
    """The outputs of LiteRT with its reference kernels; with its others for what these lack."""
    try:
        return _run_litert(job, "BUILTIN_REF")
    except (RuntimeError, ValueError) as refusal:
        if "Didn't find op" not in str(refusal):
            raise
        return _run_litert(job, "BUILTIN_WITHOUT_DEFAULT_DELEGATES")


def _run_litert(job: Job, resolver: str) -> Result:
    litert: Any = import_module("ai_edge_litert.interpreter")
    model, _, steps = job
    kernels = litert.OpResolverType[resolver]
    interpreter = litert.Interpreter(model_content=model, experimental_op_resolver_type=kernels)
    interpreter.allocate_tensors()
    results: list[list[Array]] = []
    for feeds in steps:
        for details, array in zip(interpreter.get_input_details(), feeds, strict=True):
            interpreter.set_tensor(details["index"], array)
        interpreter.invoke()
        details = interpreter.get_output_details()
        results.append([interpreter.get_tensor(each["index"]).copy() for each in details])
    return results


RUNS = {"tflm": run_tflm, "litert": run_litert}


def serve(name: str, jobs: BinaryIO, results: BinaryIO) -> None:
    """Answer every job until there are no more."""
    while True:
        try:
            job: Job = pickle.load(jobs)
        except EOFError:
            return
        _end_after(LARGEST_SECONDS)
        try:
            result = RUNS[name](job)
        except (RuntimeError, ValueError) as refusal:
            result = str(refusal) or type(refusal).__name__
        _end_after(0)
        pickle.dump(result, results)
        results.flush()


def _end_after(seconds: int) -> None:
    """End the process after so much processor time, 0: never; where the system has such a timer.

    Time on the wall passes while others have the processor: loading a runtime on a busy machine
    takes long enough to be taken for a loop without end.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def main() -> None:
    """Serve the oracle that the command line names."""
    # What the runtimes print goes nowhere, least of all among the results.
    results = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    serve(sys.argv[1], sys.stdin.buffer, results)


if __name__ == "__main__":
    main()
