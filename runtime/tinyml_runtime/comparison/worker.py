"""A process for a foreign runtime, which a model may bring down: `python -m ...worker tflm`.

Answers requests on standard input with replies on standard output (`messages`):

    load   a model; facts: `tensors`, the indices of the tensors to read (null: the outputs),
           `outputs`, how many the model has, `arena_bytes`, `seconds` of processor time
    run    inputs [samples, *shape]; facts: `reset`, whether every sample starts afresh. The reply
           has an array [samples, *shape] for each tensor; `missing` are those that it cannot give

A reply with `refusal` says in the runtime's words why there is no other.
"""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import IO, Any, Protocol

import numpy as np

from tinyml_runtime.comparison.messages import KINDS, Array, Message, read_message, write_message

_RESOLVERS = {
    "tflite": "AUTO",
    "tflite-ref": "BUILTIN_REF",
    "tflite-builtin": "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
}


class _Session(Protocol):
    """A model in a runtime."""

    def reset(self) -> None: ...

    def run(self, inputs: Sequence[Array]) -> list[Array | None]: ...


class _Tflm:
    """TensorFlow Lite Micro, as the `tflite-micro` wheel has it."""

    def __init__(self, model: bytes, facts: dict[str, Any]) -> None:
        runtime: Any = import_module("tflite_micro.python.tflite_micro.runtime")
        config = runtime.InterpreterConfig
        self._tensors: list[int] | None = facts["tensors"]
        self._outputs = range(facts["outputs"])
        self._interpreter = runtime.Interpreter.from_bytes(
            model,
            arena_size=facts["arena_bytes"],
            intrepreter_config=config.kAllocationRecording
            if self._tensors is None
            else config.kPreserveAllTensors,
        )

    def reset(self) -> None:
        self._interpreter.reset()

    def run(self, inputs: Sequence[Array]) -> list[Array | None]:
        for index, array in enumerate(inputs):
            self._interpreter.set_input(array, index)
        self._interpreter.invoke()
        if self._tensors is None:
            return [self._interpreter.get_output(index).copy() for index in self._outputs]
        return [self._tensor(index) for index in self._tensors]

    def _tensor(self, index: int) -> Array | None:
        try:
            return np.array(self._interpreter.GetTensor(index, 0)["tensor_data"])
        except (RuntimeError, ValueError, KeyError):
            return None


class _LiteRt:
    """LiteRT with one of its resolvers."""

    def __init__(self, resolver: str, model: bytes, facts: dict[str, Any]) -> None:
        litert: Any = import_module("ai_edge_litert.interpreter")
        self._tensors: list[int] | None = facts["tensors"]
        with warnings.catch_warnings():
            # To keep all tensors is for debugging, it says; that is what this is.
            warnings.simplefilter("ignore")
            self._interpreter = litert.Interpreter(
                model_content=model,
                experimental_op_resolver_type=litert.OpResolverType[resolver],
                experimental_preserve_all_tensors=self._tensors is not None,
            )
        self._interpreter.allocate_tensors()
        self._inputs = [each["index"] for each in self._interpreter.get_input_details()]

    def reset(self) -> None:
        self._interpreter.reset_all_variables()

    def run(self, inputs: Sequence[Array]) -> list[Array | None]:
        for index, array in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(index, array)
        self._interpreter.invoke()
        if self._tensors is None:
            details = self._interpreter.get_output_details()
            return [self._interpreter.get_tensor(each["index"]) for each in details]
        return [self._tensor(index) for index in self._tensors]

    def _tensor(self, index: int) -> Array | None:
        try:
            return self._interpreter.get_tensor(index)
        except (RuntimeError, ValueError):
            return None


def _load(name: str, request: Message) -> _Session:
    model = request.arrays[0].tobytes()
    if name == "tflm":
        return _Tflm(model, request.facts)
    return _LiteRt(_RESOLVERS[name], model, request.facts)


def _run(session: _Session, request: Message) -> Message:
    """Every sample, one after another."""
    samples = len(request.arrays[0]) if request.arrays else 1
    rows: list[list[Array | None]] = []
    for sample in range(samples):
        if request.facts["reset"]:
            session.reset()
        rows.append(session.run([array[sample] for array in request.arrays]))
    columns = [_stacked(column) for column in zip(*rows, strict=True)]
    missing = [index for index, column in enumerate(columns) if column is None]
    return Message({"missing": missing}, [column for column in columns if column is not None])


def _stacked(column: Sequence[Array | None]) -> Array | None:
    """The samples as one array; None where one is missing or no number, or shapes differ."""
    arrays = [array for array in column if array is not None and array.dtype.kind in KINDS]
    forms = {(array.shape, array.dtype) for array in arrays}
    return np.stack(arrays) if len(arrays) == len(column) and len(forms) == 1 else None


def serve(name: str, requests: IO[bytes], replies: IO[bytes]) -> None:
    """Answer every request until there are no more."""
    session: _Session | None = None
    seconds = 0
    while True:
        try:
            request = read_message(requests)
        except EOFError:
            return
        seconds = request.facts.get("seconds", seconds)
        _end_after(seconds)
        try:
            if request.facts["do"] == "load":
                session, reply = _load(name, request), Message({})
            else:
                assert session is not None
                reply = _run(session, request)
        except Exception as refusal:  # foreign code: whatever it raises is its answer
            reply = Message({"refusal": str(refusal) or type(refusal).__name__})
        _end_after(0)
        write_message(replies, reply)


def _end_after(seconds: int) -> None:
    """End the process after so much processor time, 0: never; where the system has such a timer.

    Time on the wall passes while others have the processor: loading a runtime on a busy machine
    takes long enough to be taken for a loop without end.
    """
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def main() -> None:
    """Serve the runtime that the command line names."""
    # What the runtimes print goes nowhere, least of all among the replies.
    replies = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    serve(sys.argv[1], sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
