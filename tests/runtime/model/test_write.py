"""Whether a written model reads back as it was, and whether other interpreters take it."""

from __future__ import annotations

import struct
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.corpus import corpus_model, corpus_models, needs_corpus
from tests.support.sample_models import model_with_every_part, tiny_model
from tests.support.single_op import needs_litert, needs_tflm, run_litert, run_tflm
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.schema import Buffer, Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.tensor import Array, dtype_of


def test_a_model_with_every_part_reads_back_equal() -> None:
    model = model_with_every_part()
    assert load_model(write_model(model)) == model


def test_the_model_with_every_part_sets_every_field_somewhere() -> None:
    unset: dict[tuple[str, str], bool] = {}

    def visit(value: Any) -> None:
        if isinstance(value, tuple):
            for item in value:  # pyright: ignore[reportUnknownVariableType]
                visit(item)
        elif is_dataclass(value):
            for field in fields(value):
                key = (type(value).__name__, field.name)
                is_default = getattr(value, field.name) == field.default
                unset[key] = unset.get(key, True) and is_default
                visit(getattr(value, field.name))

    visit(model_with_every_part())
    structural = {key for key in unset if not key[0].endswith("Options")}
    assert {key for key in structural if unset[key]} == {("Model", "version"), ("Model", "source")}


def test_the_file_carries_the_identifier() -> None:
    assert write_model(tiny_model())[4:8] == b"TFL3"


def test_writing_twice_gives_the_same_bytes() -> None:
    assert write_model(model_with_every_part()) == write_model(model_with_every_part())


def test_buffers_start_at_multiples_of_sixteen() -> None:
    marks = [bytes([mark]) * 33 for mark in (0xA1, 0xA2, 0xA3)]
    buffers = (Buffer(marks[0]), Buffer(marks[1]), Buffer(marks[2], is_outside=True))
    model = replace(tiny_model(), buffers=(*tiny_model().buffers, *buffers))
    file = write_model(model)
    assert [file.index(mark) % 16 for mark in marks] == [0, 0, 0]


def test_bytes_outside_follow_the_flatbuffer() -> None:
    file = write_model(model_with_every_part())
    inside = write_model(replace(model_with_every_part(), buffers=(Buffer(),) * 5))
    assert file.index(b"outside!") > len(inside) - len(b"far away")


def test_offsets_of_outside_bytes_count_from_the_start_of_the_file() -> None:
    data = b"some outside bytes"
    model = replace(tiny_model(), buffers=(*tiny_model().buffers, Buffer(data, is_outside=True)))
    file = write_model(model)
    assert struct.pack("<Q", file.index(data)) in file


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize("path", corpus_models(), ids=lambda path: path.stem)
def test_every_model_of_the_corpus_reads_back_equal(path: Path) -> None:
    model = load_model(path)
    assert load_model(write_model(model)) == model


def feeds_for(model: Model) -> list[Array]:
    generator = np.random.default_rng(0)
    subgraph = model.subgraphs[0]
    tensors = [subgraph.tensors[index] for index in subgraph.inputs]
    return [
        (generator.standard_normal(tensor.shape) * 50).astype(dtype_of(tensor.type))
        for tensor in tensors
    ]


def same_bytes(left: list[Array], right: list[Array]) -> bool:
    return [array.tobytes() for array in left] == [array.tobytes() for array in right]


@needs_tflm
@pytest.mark.oracle
def test_tflm_runs_a_written_model() -> None:
    # 0.5 * 0.25 = 0.125: (2 * 1 + 10) * 0.125 = 1.5 -> 2; (2 * -1 - 10) * 0.0625 < 0 -> 0
    feeds = [np.array([[2, 0, 0, 0]], np.int8)]
    assert run_tflm(write_model(tiny_model()), feeds)[0].tolist() == [[2, 0]]


@needs_litert
@pytest.mark.oracle
def test_litert_runs_a_written_model() -> None:
    feeds = [np.array([[2, 0, 0, 0]], np.int8)]
    assert run_litert(write_model(tiny_model()), feeds)[0].tolist() == [[2, 0]]


@needs_corpus
@needs_tflm
@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("name", ["tflm/hello_world_int8", "tflm/sine_float", "tflm/person_detect"])
def test_tflm_computes_the_same_from_a_rewritten_file(name: str) -> None:
    original = corpus_model(name).read_bytes()
    model = load_model(original)
    feeds = feeds_for(model)
    assert same_bytes(run_tflm(original, feeds), run_tflm(write_model(model), feeds))


@needs_corpus
@needs_litert
@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("name", ["tflm/hello_world_int8", "tflm/sine_float"])
def test_litert_computes_the_same_from_a_rewritten_file(name: str) -> None:
    original = corpus_model(name).read_bytes()
    model = load_model(original)
    feeds = feeds_for(model)
    assert same_bytes(run_litert(original, feeds), run_litert(write_model(model), feeds))
