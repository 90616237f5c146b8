"""Whole models beside TFLite: every integer that differs has a named and verified cause."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.corpus import corpus_model, needs_corpus
from tests.support.single_op import Operand, needs_litert, random_values
from tinyml_runtime.comparison.causes import Causes, find_causes
from tinyml_runtime.comparison.compare import Against, Comparison, Conditions
from tinyml_runtime.comparison.examination import Example
from tinyml_runtime.model.load import load_model

MODELS = {
    "mlperf_tiny/kws_ref_model": "float-rescaling",
    "tflm/trained_lstm_int8": "gate-functions",
    "tinymaix/mbnet96_0.25_q": "float-rescaling",
}

pytestmark = [pytest.mark.oracle, needs_corpus, needs_litert]


@pytest.mark.parametrize("name", MODELS)
def test_every_difference_has_a_cause(name: str) -> None:
    path = corpus_model(name)
    model = load_model(path)
    found: list[Causes] = []

    def find(example: Example) -> Causes:
        sides = example.inputs, example.ours, example.theirs
        found.append(find_causes(model, 0, example.op_index, *sides, "tflite"))
        return found[-1]

    conditions = Conditions(layers=True, reset_between=True, find_causes=find)
    comparison = Comparison(model, path.read_bytes(), Against("tflite", "tflite"), conditions)
    generator = np.random.default_rng(0)
    feeds = [
        np.stack([random_values(Operand(t.shape, t.type), generator) for _ in range(2)])
        for t in comparison.inputs
    ]
    try:
        comparison.add(feeds)
        comparison.layers()
    finally:
        comparison.close()
    assert sum(causes.mismatched for causes in found) > 0
    assert sum(causes.unexplained for causes in found) == 0
    assert MODELS[name] in {share.name for causes in found for share in causes.shares}
