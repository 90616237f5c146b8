"""Arenas on targets: which build is meant, what shares an arena, what would save memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.branching import random_branches
from tinyml_profiles import plan_model, runtime_profile
from tinyml_profiles.chosen_plan import PlanChoice, make_plan
from tinyml_profiles.savings import find_savings
from tinyml_runtime import Model, load_model
from tinyml_runtime.errors import AbiError
from tinyml_runtime.memory.arena import carry_out
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.offline_plan import has_offline_plan
from tinyml_runtime.planning.peak import find_peak
from tinyml_runtime.planning.several_arenas import shared_arena, split_arena

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def digits() -> Model:
    return load_model(str(EXAMPLES / "digits.tflite"))


@pytest.fixture(scope="module")
def keywords() -> Model:
    return load_model(str(EXAMPLES / "shapes/kws_ds_cnn.tflite"))


def test_the_target_gives_abi_and_extensions(digits: Model) -> None:
    profile = runtime_profile(digits, "cortex-m55", "cmsis-nn")
    assert (profile.abi.name, profile.core) == ("arm-eabi", "cortex-m55")
    assert profile.extensions == {"dsp", "mve"}


def test_without_a_target_a_library_has_its_usual_core(digits: Model) -> None:
    assert runtime_profile(digits, None, "reference").core is None
    assert runtime_profile(digits, None, "cmsis-nn").core == "cortex-m4"
    assert runtime_profile(digits, None, "esp-nn").abi.name == "ilp32"


def test_an_abi_of_its_own_goes_before_the_targets(digits: Model) -> None:
    """As with -fno-short-enums on an Arm core."""
    usual = plan_model(digits, "cortex-m4")
    other = plan_model(digits, "cortex-m4", abi="ilp32")
    assert other.profile.core == "cortex-m4"
    assert other.arena.persistent_bytes > usual.arena.persistent_bytes
    assert other.arena.nonpersistent_bytes == usual.arena.nonpersistent_bytes


def test_an_unknown_revision_is_told(digits: Model) -> None:
    with pytest.raises(AbiError, match="there are: 90b983c2"):
        runtime_profile(digits, "cortex-m4", tflm="1999")


@pytest.mark.parametrize("library", ["reference", "cmsis-nn"])
def test_every_byte_of_the_arena_is_somebodys(keywords: Model, library: str) -> None:
    plan = plan_model(keywords, "cortex-m4", library)
    by_section = {"persistent": 0, "nonpersistent": 0}
    for entry in plan.allocations:
        if entry.section.value in by_section:
            by_section[entry.section.value] += entry.bytes
    assert by_section["persistent"] == plan.arena.persistent_bytes
    assert by_section["nonpersistent"] == plan.arena.nonpersistent_bytes
    assert sum(by_section.values()) == plan.arena.used_bytes


def test_one_byte_less_than_the_smallest_fails_where_it_says(keywords: Model) -> None:
    plan = plan_model(keywords, "cortex-m4")
    assert plan.in_arena(plan.arena.min_bytes).shortage is None
    shortage = plan.in_arena(plan.arena.min_bytes - 1).shortage
    assert shortage is not None
    assert plan.purpose(shortage.call) == plan.arena.bound_by
    assert plan.message(shortage).startswith("Failed to ")


def test_the_peak_is_the_lower_bound(keywords: Model) -> None:
    plan = plan_model(keywords)
    peak = find_peak(plan.buffers, plan.steps)
    assert peak is not None
    assert peak.bytes == sum(buffer.request.bytes for buffer in peak.live)
    assert peak.bytes <= plan.plan.lower_bound_bytes <= plan.plan.bytes


def test_models_that_run_in_turn_share_the_planned_part(digits: Model, keywords: Model) -> None:
    profile = runtime_profile(digits, "cortex-m4")
    one, other = (plan_model(model, "cortex-m4").arena for model in (digits, keywords))
    shared = shared_arena([digits, keywords], profile, GreedyPlanner())
    assert shared.nonpersistent_bytes == max(one.nonpersistent_bytes, other.nonpersistent_bytes)
    # What both have once: SingleArenaBufferAllocator 36, GreedyMemoryPlanner 44, MicroAllocator 36;
    # alignment may take up to 15 bytes more where one model's part follows the other's.
    together = one.persistent_bytes + other.persistent_bytes - 116
    assert together - 16 < shared.persistent_bytes < together + 16
    assert shared.recommended_bytes < one.recommended_bytes + other.recommended_bytes
    assert shared.in_arena(shared.min_bytes) == (0, None)
    place, shortage = shared.in_arena(shared.min_bytes - 1)
    assert shortage is not None
    assert place == 1


def test_one_model_alone_shares_with_nobody(digits: Model) -> None:
    profile = runtime_profile(digits, "cortex-m4")
    alone = plan_model(digits, "cortex-m4").arena
    assert shared_arena([digits], profile, GreedyPlanner()).min_bytes == alone.min_bytes


def test_two_arenas_hold_what_one_holds(keywords: Model) -> None:
    profile = runtime_profile(keywords, "cortex-m4")
    split = split_arena(keywords, profile, GreedyPlanner())
    arena = plan_model(keywords, "cortex-m4").arena
    assert split.nonpersistent_bytes >= arena.nonpersistent_bytes
    # PersistentArenaBufferAllocator 16 and NonPersistentArenaBufferAllocator 32 in place of
    # SingleArenaBufferAllocator 36.
    assert 0 <= split.persistent_bytes - (arena.persistent_bytes + 12) < 32


def test_savings_are_what_planning_them_gives() -> None:
    model = random_branches(10)
    plan = plan_model(model)
    savings = {saving.what: saving for saving in find_savings(model, plan, 2.0)}
    better = make_plan(model, PlanChoice(plan.profile, planner="optimal", time_limit_seconds=2.0))
    saving = savings["a better memory plan"]
    assert saving.arena_bytes == better.plan.arena.recommended_bytes
    assert saving.saved_bytes == plan.arena.recommended_bytes - saving.arena_bytes > 0


def test_a_float_model_would_be_smaller_in_int8() -> None:
    model = load_model(str(EXAMPLES / "sine.tflite"))
    plan = plan_model(model)
    whats = [saving.what for saving in find_savings(model, plan, 0.1)]
    has_floats = any(b.type is not None and b.type.name == "FLOAT32" for b in plan.buffers)
    assert any(what.startswith("int8 instead of float32") for what in whats) == (
        has_floats and plan.plan.bytes > 16 * len(plan.buffers)
    )


def test_a_written_plan_is_in_the_model() -> None:
    model = random_branches(10)
    profile = runtime_profile(model)
    greedy = make_plan(model, PlanChoice(profile, writes=True))
    assert has_offline_plan(greedy.model)
    assert greedy.plan.arena == plan_model(model).arena
    smaller = make_plan(model, PlanChoice(profile, planner="optimal", writes=True))
    assert has_offline_plan(smaller.model)
    assert smaller.plan.arena.min_bytes < greedy.plan.arena.min_bytes
    assert plan_model(smaller.model).arena == smaller.plan.arena
    state = carry_out(smaller.plan.calls, smaller.plan.arena.min_bytes)
    assert state.shortage is None


def test_the_order_is_kept_where_no_other_is_better(keywords: Model) -> None:
    profile = runtime_profile(keywords)
    made = make_plan(keywords, PlanChoice(profile, reorders=True))
    assert made.model is keywords
    assert made.notes == ["no other order of the operators has a smaller peak"]
