"""Whole models beside TFLM: our examples, and where it lies beside the project, the corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.support.corpus import corpus_models, needs_corpus
from tests.support.foreign import run_tflm_apart
from tests.support.single_op import Operand, needs_tflm, random_values
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.interpreter import Interpreter
from tinyml_runtime.model.load import load_model
from tinyml_runtime.tensor import Array

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.tflite"))

pytestmark = [pytest.mark.oracle, needs_tflm]


def _feeds(interpreter: Interpreter) -> list[Array]:
    generator = np.random.default_rng(0)
    return [random_values(Operand(t.shape, t.type), generator) for t in interpreter.inputs]


def _run(path: Path) -> tuple[list[Array], list[Array] | TinymlError]:
    """Random inputs, and what we make of them: outputs, or the refusal."""
    feeds: list[Array] = []
    try:
        interpreter = Interpreter(load_model(path))
        interpreter.allocate_tensors()
        feeds = _feeds(interpreter)
        for index, feed in enumerate(feeds):
            interpreter.set_input(feed, index)
        interpreter.invoke()
    except TinymlError as error:
        return feeds, error
    return feeds, [interpreter.output(index) for index in range(len(interpreter.outputs))]


def _assert_as_tflm(path: Path) -> None:
    """The same outputs; or the model is refused, or stops on its values, here and there."""
    feeds, results = _run(path)
    expected = run_tflm_apart(path, feeds)
    if isinstance(results, TinymlError):
        assert results.exit_code in (3, 4)
        assert expected is None, f"TFLM runs it, we say: {results}"
        return
    assert expected is not None, "TFLM refuses it, we do not"
    for ours, theirs in zip(results, expected, strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.shape == theirs.shape
        if ours.dtype.kind == "f":
            # Whole float models add up differences of summation order, layer by layer.
            largest = float(np.nanmax(np.abs(theirs), initial=1.0))
            np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * largest)
        else:
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_gives_the_outputs_of_tflm(path: Path) -> None:
    _assert_as_tflm(path)


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    "path", corpus_models(), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_a_public_model_gives_the_outputs_of_tflm_or_is_refused_by_both(path: Path) -> None:
    _assert_as_tflm(path)
