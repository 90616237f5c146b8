"""Plans in models: what is written is what comes back, nothing overlaps, nothing gets larger."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.branching import random_branches, with_a_graph_that_never_runs
from tests.support.in_arena import assert_same_in_arena, plan
from tinyml_runtime.errors import PlanError
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.linear_planner import LinearPlanner
from tinyml_runtime.memory.offline_plan import METADATA, has_offline_plan, offline_offsets
from tinyml_runtime.memory.optimal_planner import OptimalPlanner
from tinyml_runtime.model.load import load_model
from tinyml_runtime.model.schema import Metadata, Model
from tinyml_runtime.model.write import write_model
from tinyml_runtime.planning.written_plan import (
    with_offsets,
    without_plan,
    write_plan,
    write_smallest_plan,
)

GREEDY_IS_NOT_OPTIMAL = random_branches(10)
GREEDY_IS_OPTIMAL = random_branches(0)


def _read_back(model: Model) -> Model:
    return load_model(write_model(model))


@pytest.mark.parametrize(
    "planner", [GreedyPlanner(), LinearPlanner(), OptimalPlanner(1.0)], ids=lambda one: one.name
)
def test_a_plan_of_any_planner_is_followed_when_the_file_is_read(
    planner: GreedyPlanner | LinearPlanner | OptimalPlanner,
) -> None:
    wanted = plan(GREEDY_IS_NOT_OPTIMAL, planner)
    written = write_plan(wanted)
    again = plan(_read_back(written.model))
    assert again.plan == written.arena.plan
    tensors = [k for k, buffer in enumerate(wanted.buffers) if buffer.tensor is not None]
    assert [again.plan.offsets[k] for k in tensors] == [wanted.plan.offsets[k] for k in tensors]


def test_only_tensors_that_need_a_place_have_an_offset() -> None:
    written = write_plan(plan(GREEDY_IS_NOT_OPTIMAL))
    (offsets,) = offline_offsets(written.model)
    tensors = written.model.subgraphs[0].tensors
    given = {tensor.name for tensor, at in zip(tensors, offsets, strict=True) if at is not None}
    assert given == {tensor.name for tensor in tensors if tensor.buffer == 0}


def test_the_smallest_plan_is_proven_and_smaller_than_the_greedy_one() -> None:
    before = plan(GREEDY_IS_NOT_OPTIMAL)
    written = write_smallest_plan(plan(GREEDY_IS_NOT_OPTIMAL))
    assert written.carries_plan
    assert written.goal.is_optimal
    assert written.arena.plan.bytes == written.goal.bytes < before.plan.bytes
    saved = before.plan.bytes - written.arena.plan.bytes
    assert before.arena.used_bytes - written.arena.arena.used_bytes == saved


def test_nothing_is_written_where_the_greedy_planner_does_no_worse() -> None:
    written = write_smallest_plan(plan(GREEDY_IS_OPTIMAL))
    assert not written.carries_plan
    assert written.model == GREEDY_IS_OPTIMAL
    assert written.arena.plan == plan(GREEDY_IS_OPTIMAL).plan


def test_a_plan_in_the_file_is_replaced() -> None:
    first = write_plan(plan(GREEDY_IS_NOT_OPTIMAL, LinearPlanner())).model
    written = write_smallest_plan(plan(first))
    assert written.arena.plan.bytes < plan(GREEDY_IS_NOT_OPTIMAL).plan.bytes
    assert len(written.model.buffers) == len(first.buffers)
    assert [entry.name for entry in written.model.metadata] == [METADATA]


def test_a_buffer_that_something_else_refers_to_is_not_overwritten() -> None:
    first = write_plan(plan(GREEDY_IS_NOT_OPTIMAL)).model
    (entry,) = first.metadata
    shared = replace(first, metadata=(Metadata("mine", entry.buffer), entry))
    again = write_smallest_plan(plan(shared)).model
    places = {entry.name: entry.buffer for entry in again.metadata}
    assert again.buffers[places["mine"]] == first.buffers[entry.buffer]
    assert places[METADATA] != places["mine"]


def test_tensors_that_no_node_reaches_lie_over_others() -> None:
    model = with_a_graph_that_never_runs()
    written = write_smallest_plan(plan(model))
    assert written.arena.plan.bytes < plan(model).plan.lower_bound_bytes
    assert_same_in_arena(written.model)


def test_a_plan_with_overlaps_is_not_written() -> None:
    model = GREEDY_IS_OPTIMAL
    zeros: list[list[int | None]] = [[0] * len(model.subgraphs[0].tensors)]
    with pytest.raises(PlanError, match="overlap"):
        write_plan(plan(with_offsets(model, zeros)))


def test_a_model_without_a_plan_stays_the_same() -> None:
    assert without_plan(GREEDY_IS_OPTIMAL) == GREEDY_IS_OPTIMAL
    offsets: list[list[int | None]] = [[None] * len(GREEDY_IS_OPTIMAL.subgraphs[0].tensors)]
    bare = without_plan(with_offsets(GREEDY_IS_OPTIMAL, offsets))
    assert not has_offline_plan(bare)
    assert not bare.buffers[-1].data


@pytest.mark.parametrize("seed", range(20))
def test_a_written_plan_never_needs_more_and_gives_the_same_outputs(seed: int) -> None:
    model = random_branches(seed)
    written = write_smallest_plan(plan(model), time_limit_seconds=1.0)
    assert written.arena.plan.bytes <= plan(model).plan.bytes
    assert_same_in_arena(_read_back(written.model))
