"""Written plans and orders in the real runtime: the arena shrinks by what we say, outputs stay."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.oracle.arenas import WHEEL
from tests.support.branching import (
    branches_in_branches,
    random_branches,
    wide_branches,
    with_a_graph_that_never_runs,
)
from tests.support.corpus import corpus_model, needs_corpus
from tests.support.in_arena import assert_same_in_arena, random_steps
from tests.support.single_op import needs_tflm
from tests.support.wheel_arena import run_in_wheel
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan, plan_arena
from tinyml_runtime.planning.execution_order import reorder
from tinyml_runtime.planning.written_plan import write_smallest_plan

pytestmark = [pytest.mark.oracle, needs_tflm]

SHAPES = Path(__file__).parents[2] / "examples/shapes"
# By how many bytes a plan alone makes the planned part smaller, and by how many an order does too.
SAVINGS: list[tuple[str, Callable[[], Model], int, int]] = [
    ("vww_mobilenet_v1", lambda: load_model(SHAPES / "vww_mobilenet_v1.tflite"), 18432, 18432),
    ("wide branches", wide_branches, 0, 3024),
    ("branches in branches", branches_in_branches, 0, 480),
    ("a graph that never runs", with_a_graph_that_never_runs, 3264, 3264),
    *(
        (f"random {seed}", lambda seed=seed: random_branches(seed), plan, both)
        for seed, plan, both in ((4, 0, 96), (10, 304, 816), (16, 320, 320), (26, 208, 400))
    ),
]
CORPUS_SAVINGS = [
    ("litert_testdata/matmul_quant", 262144, 327680),
    ("litert_testdata/quant_resource_vars_calibrated", 0, 80),
    ("litert_testdata/rope", 0, 6400),
    ("lyra/soundstream_encoder", 3328, 3328),
    ("micro_wake_word/alexa", 448, 448),
    ("micro_wake_word/hey_mycroft", 448, 448),
    ("siliconlabs_mltk/keyword_spotting_heygecko", 0, 3968),
    ("tinymaix/vww96_q", 18432, 18432),
]


def _greedy(model: Model) -> ArenaPlan:
    return plan_arena(model, WHEEL, GreedyPlanner())


def _assert_saves(model: Model, by_plan: int, by_both: int) -> None:
    before, steps = _greedy(model), random_steps(model)
    reference = run_in_wheel(model, steps)
    assert reference.head_bytes == before.arena.nonpersistent_bytes
    ordered = reorder(model, before).model
    for source, saving in ((model, by_plan), (ordered, by_both)):
        written = write_smallest_plan(plan_arena(source, WHEEL, GreedyPlanner()))
        run = run_in_wheel(written.model, steps)
        assert run.outputs == reference.outputs
        assert run.head_bytes == written.arena.arena.nonpersistent_bytes
        assert run.head_bytes == reference.head_bytes - saving
        saved = before.arena.used_bytes - written.arena.arena.used_bytes
        assert reference.used_bytes - run.used_bytes == saved
        assert_same_in_arena(written.model, steps, _greedy(written.model))


@pytest.mark.parametrize(
    ("make", "by_plan", "by_both"),
    [pytest.param(*savings, id=name) for name, *savings in SAVINGS],
)
def test_the_real_runtime_uses_as_much_less_as_we_say(
    make: Callable[[], Model], by_plan: int, by_both: int
) -> None:
    _assert_saves(make(), by_plan, by_both)


@needs_corpus
@pytest.mark.slow
@pytest.mark.parametrize(("name", "by_plan", "by_both"), CORPUS_SAVINGS)
def test_it_does_for_public_models(name: str, by_plan: int, by_both: int) -> None:
    _assert_saves(load_model(corpus_model(name)), by_plan, by_both)
