"""Damaged models, all the way to a run: what gets past the reader must not bring a kernel down."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path

import numpy as np
import pytest

from tests.support.mutants import with_bytes_flipped, with_parts_moved, with_words_replaced
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model

EXAMPLES = Path(__file__).parents[2] / "examples"
MODELS = ["sine", "digits", "digits_float"]
# Tests that may run beside each other.
PARTS = 8


def _mutants(data: bytes, count: int) -> Iterator[bytes]:
    # Metadata and graph, the part that says what to do, lie at the ends of the file.
    ends = [*range(2000), *range(max(2000, len(data) - 6000), len(data))]
    words = [offset for offset in ends if offset % 4 == 0 and offset + 4 <= len(data)]
    return chain(
        with_bytes_flipped(data, count, ends),
        with_words_replaced(data, words, step=max(1, len(words) * 12 // count)),
        with_parts_moved(data, count // 4),
    )


def _run(data: bytes) -> str:
    """How far a model gets; any exception but ours ends the test."""
    try:
        interpreter = Interpreter(load_model(data), memory_limit_bytes=2**26)
        interpreter.allocate_tensors()
        for tensor in interpreter.inputs:
            if not tensor.is_constant:
                tensor.values[...] = np.ones(tensor.shape, tensor.dtype)
        interpreter.invoke()
    except TinymlError as error:
        return type(error).__name__
    return "ran"


@pytest.mark.parametrize("name", MODELS)
def test_a_damaged_model_runs_or_is_refused(name: str) -> None:
    data = (EXAMPLES / f"{name}.tflite").read_bytes()
    fates = {_run(mutant) for mutant in _mutants(data, 400)}
    assert {"ran", "ModelError", "UnsupportedModelError"} <= fates


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("name", MODELS)
def test_many_damaged_models_run_or_are_refused(name: str, part: int) -> None:
    data = (EXAMPLES / f"{name}.tflite").read_bytes()
    mutants = islice(_mutants(data, 20_000), part, None, PARTS)
    assert {"ran", "ModelError", "UnsupportedModelError"} <= {_run(mutant) for mutant in mutants}
