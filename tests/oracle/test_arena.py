"""Arenas beside those of TFLM, to the byte: how much is used, and the smallest that works.

Used bytes are compared for every model. The smallest arena is tried, and one byte less, for the
first case of each operator and each combination of types, with its invocations, and for every
whole model.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.suite import CASES
from tests.oracle.arena_models import MODELS
from tests.oracle.arenas import Wheel, needs_wheel
from tests.support.corpus import corpus_models, needs_corpus
from tinyml_runtime.errors import ModelError, UnsupportedModelError
from tinyml_runtime.model.write import write_model

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").rglob("*.tflite"))
OPERATORS = sorted({case.operator for case in CASES})
# It happens to survive in a smaller arena too: what stays overwrites its output's structure, of
# which nothing that matters is read any more.
NOT_TRIED = {"EMBEDDING_LOOKUP"}

pytestmark = [pytest.mark.oracle, *needs_wheel]


@pytest.fixture(scope="module")
def wheel() -> Iterator[Wheel]:
    wheel = Wheel()
    yield wheel
    wheel.close()


@pytest.mark.parametrize("operator", OPERATORS)
def test_an_operator_takes_as_many_bytes_as_in_tflm(operator: str, wheel: Wheel) -> None:
    tried: set[str] = set()
    differences: list[str] = []
    for case in (case for case in CASES if case.operator == operator):
        smallest = operator not in NOT_TRIED and case.types not in tried
        result = wheel.compare(case.data, smallest=smallest, feeds=case.feeds)
        tried.add(case.types)
        if isinstance(result, str) or not result.is_alike:
            differences.append(f"{case.name}: {result}")
    assert not differences


@pytest.mark.parametrize("name", MODELS)
def test_a_generated_model_takes_as_many_bytes_as_in_tflm(name: str, wheel: Wheel) -> None:
    result = wheel.compare(write_model(MODELS[name]()), smallest=True)
    assert not isinstance(result, str), result
    assert result.is_alike, str(result)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_takes_as_many_bytes_as_in_tflm(path: Path, wheel: Wheel) -> None:
    result = wheel.compare(path.read_bytes(), smallest=True)
    assert not isinstance(result, str), result
    assert result.is_alike, str(result)


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize(
    "path", corpus_models(), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_a_public_model_takes_as_many_bytes_as_in_tflm(path: Path, wheel: Wheel) -> None:
    try:
        result = wheel.compare(path.read_bytes(), smallest=True)
    except (ModelError, UnsupportedModelError):
        pytest.skip("cannot run")
    assert not isinstance(result, str), result
    assert result.is_alike, str(result)
