"""Foreign runtimes in processes of their own: refusals, crashes, loops without end."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import constant, fed, needs_litert, needs_tflm
from tinyml_runtime.comparison import foreign
from tinyml_runtime.comparison.foreign import (
    FOREIGN_RUNTIMES,
    ForeignProcess,
    ForeignRuntime,
    ForeignRuntimeError,
)
from tinyml_runtime.comparison.messages import Message, read_message, write_message
from tinyml_runtime.errors import InputError
from tinyml_runtime.model.options import AddOptions, WhileOptions
from tinyml_runtime.model.write import write_model
from tinyml_runtime.types import BuiltinOperator

DIGITS = Path(__file__).parents[3] / "examples/digits.tflite"
ARENA_BYTES = 1 << 22


def _endless() -> bytes:
    """A loop whose condition never ends: n >= 0, and 0 is added."""
    number, zero = fed((1,), np.int32), constant(np.array([0], np.int32))
    more = Call(BuiltinOperator.GREATER_EQUAL, ["n", "zero"], ["more"])
    add = Call(BuiltinOperator.ADD, ["n", "zero"], ["m"], AddOptions())
    loop = Call(BuiltinOperator.WHILE, ["n"], ["m"], WhileOptions(1, 2))
    model = model_of(
        Graph({"n": number, "m": number}, ["n"], ["m"], [loop]),
        Graph({"n": number, "zero": zero, "more": fed((1,), np.bool_)}, ["n"], ["more"], [more]),
        Graph({"n": number, "zero": zero, "m": number}, ["n"], ["m"], [add]),
    )
    return write_model(model)


def test_messages_carry_facts_and_arrays() -> None:
    stream = io.BytesIO()
    arrays = [np.arange(6, dtype=np.int16).reshape(2, 3).T, np.array(True), np.zeros((0, 2))]
    write_message(stream, Message({"do": "run", "reset": True}, arrays))
    stream.seek(0)
    message = read_message(stream)
    assert message.facts == {"do": "run", "reset": True}
    for sent, received in zip(arrays, message.arrays, strict=True):
        assert sent.dtype == received.dtype
        np.testing.assert_array_equal(sent, received)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no json\n",
        b"[]\n",
        b'{"facts": [], "arrays": []}\n',
        b'{"facts": {}, "arrays": [["|O", [1]]]}\n12345678',
        b'{"facts": {}, "arrays": [["|i1", [-1]]]}\n',
        b'{"facts": {}, "arrays": [["|i1", [9]]]}\n1234',
        b'{"facts": {}, "arrays": [["<f8", [1000000, 1000000]]]}\n',
        b'{"facts": {}, "arrays": [["|i1", "x"]]}\n',
    ],
)
def test_what_is_no_message_is_not_taken_for_one(data: bytes) -> None:
    with pytest.raises(EOFError):
        read_message(io.BytesIO(data))


def test_a_package_that_is_missing_is_told_with_the_command_that_installs_it() -> None:
    absent = ForeignRuntime("tflm", "TFLM's wheel", "no_such_package", "tflm")
    with pytest.raises(InputError, match=r"pip install 'tinyml-cli\[tflm\]'"):
        absent.check_installed()


def test_a_process_that_crashes_does_not_take_this_one_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(foreign, "_WORKER", "no_such_module")
    process = ForeignProcess("tflm")
    with pytest.raises(ForeignRuntimeError, match="tflm crashed on this model"):
        process.load(b"", None, 1, ARENA_BYTES)


@pytest.mark.oracle
@needs_tflm
def test_a_process_goes_on_after_a_refusal() -> None:
    process = ForeignProcess("tflm")
    try:
        with pytest.raises(ForeignRuntimeError, match="tflm refuses the model: "):
            process.load(b"no model at all, but long enough", None, 1, ARENA_BYTES)
        process.load(DIGITS.read_bytes(), None, 1, ARENA_BYTES)
        results = process.run([np.zeros((2, 1, 8, 8, 1), np.int8)])
    finally:
        process.close()
    assert results[0] is not None
    assert results[0].shape == (2, 1, 10)


@pytest.mark.oracle
@needs_tflm
@pytest.mark.skipif(sys.platform == "win32", reason="there is no timer of processor time")
def test_a_loop_without_end_is_stopped() -> None:
    process = ForeignProcess("tflm", seconds=1)
    try:
        process.load(_endless(), None, 1, ARENA_BYTES)
        with pytest.raises(ForeignRuntimeError, match="has not finished within 1 s"):
            process.run([np.zeros((1, 1), np.int32)])
        # The next model gets a new process.
        process.load(DIGITS.read_bytes(), None, 1, ARENA_BYTES)
    finally:
        process.close()


@pytest.mark.oracle
@needs_litert
def test_tensors_that_there_are_not_are_missing() -> None:
    process = ForeignProcess("tflite-ref")
    try:
        process.load(DIGITS.read_bytes(), [14, 10_000], 1, ARENA_BYTES)
        found, missing = process.run([np.zeros((1, 1, 8, 8, 1), np.int8)])
    finally:
        process.close()
    assert found is not None
    assert missing is None


def test_every_runtime_names_its_extra() -> None:
    assert {runtime.extra for runtime in FOREIGN_RUNTIMES.values()} == {"tflite", "tflm"}
