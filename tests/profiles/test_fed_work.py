"""Loops that depend on values, counted in a run on samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.runtime.kernels.test_activations import LEAKY, unary
from tests.runtime.kernels.test_control_flow import plus_or_times
from tests.runtime.kernels.test_softmax import TO_INT8, softmax
from tests.support.layers import dense
from tests.support.single_op import SingleOp
from tinyml_profiles import load_target, profile_model
from tinyml_profiles.fed_work import fed_work
from tinyml_profiles.instructions import Values

Array = np.ndarray[Any, np.dtype[Any]]
CORE = load_target("cortex-m0").core
ROW = (1, 8)


def trips(case: SingleOp, *samples: Array, library: str = "reference") -> dict[str, float]:
    (work,) = fed_work(case.model(), CORE, library, samples).nodes
    assert work.values is Values.GIVEN
    return {each.loop: each.trips for each in work.loops}


def rows(*values: Sequence[int]) -> Array:
    return np.array(values, np.int8).reshape(-1, *ROW)


@pytest.mark.parametrize(
    ("library", "loop"), [("reference", "softmax_int8.near"), ("cmsis-nn", "softmax_s8.exp")]
)
def test_softmax_takes_exponentials_of_what_is_near_the_maximum(library: str, loop: str) -> None:
    case = softmax(TO_INT8, ROW, scale=1.0)
    # Of differences above 15 there is no exponential.
    alike, apart = [5] * 8, [100, 85, -128, -128, -128, -128, -128, -128]
    assert trips(case, rows(alike), library=library)[loop] == 8
    assert trips(case, rows(apart), library=library)[loop] == 2


def test_counts_are_means_over_samples() -> None:
    case = softmax(TO_INT8, ROW, scale=1.0)
    both = rows([5] * 8, [100, 85, -128, -128, -128, -128, -128, -128])
    found = trips(case, both)
    assert (found["softmax_int8.near"], found["softmax_int8.far"]) == (5, 3)
    assert found["softmax_int8.row"] == 1


def test_products_of_floats_that_are_zero_do_not_count() -> None:
    case = dense("float32", depth=8, units=2, weights="float32", bias="float32")
    some = np.array([[[1, 0, 0, 2, 0, 3, 4, 0]]], np.float32)
    before = trips(case, np.ones((1, 1, 8), np.float32))["float32.product"]
    assert trips(case, some)["float32.product"] == before / 2


def test_negative_values_of_a_leaky_relu_are_those_below_the_zero_point() -> None:
    case = unary(LEAKY, np.int8, (0.1, 0.1), (10, 0), shape=ROW)
    assert trips(case, rows(range(6, 14)))["leaky_relu_int8.negative"] == 4


def test_a_branch_that_is_not_taken_counts_as_before_a_run() -> None:
    samples = [np.array([[True]]), np.array([[1.0, 2.0]], np.float32)]
    work = fed_work(plus_or_times(), CORE, "reference", samples)
    assert [(each.node.subgraph, each.values) for each in work.nodes] == [
        (0, Values.GIVEN),
        (1, Values.GIVEN),
        (2, Values.ALL),
    ]


def test_a_profile_on_samples_has_another_spread_and_other_instructions() -> None:
    # Values of the reference input are too far apart for more than one exponential.
    model = softmax(TO_INT8, ROW, scale=1.0).model()
    alike = np.zeros((1, *ROW), np.int8)
    before = profile_model(model, "cortex-m0").nodes[0].instructions
    heard: list[tuple[int, int]] = []
    on_samples = profile_model(
        model,
        "cortex-m0",
        samples=[alike],
        on_progress=lambda done, total: heard.append((done, total)),
    )
    after = on_samples.nodes[0].instructions
    assert before is not None
    assert after is not None
    assert after.total > before.total
    assert after.spread < before.spread
    assert heard == [(0, 1)]
