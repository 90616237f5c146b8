"""What recorded calls say beyond their sizes: what may be overwritten, what is decompressed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.support.encodings import compressed
from tests.support.graphs import loaded
from tests.support.single_op import SingleOp, constant, fed
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.arena import Action, ArenaCall, carry_out, smallest_arena
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.options import FullyConnectedOptions
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import plan_arena
from tinyml_runtime.types import BuiltinOperator as Op

STAYS = ArenaCall(Action.PERSISTENT, 32, 16)


# What stays begins at a multiple of 16: behind byte 64, or behind byte 40.
@pytest.mark.parametrize(("unread", "least"), [(0, 96), (24, 80), (64, 64)])
def test_what_stays_may_overwrite_what_is_not_read_again(unread: int, least: int) -> None:
    calls = [ArenaCall(Action.TEMPORARY, 64, 8, unread_bytes=unread), STAYS]
    assert smallest_arena(calls) == least
    assert carry_out(calls, least).shortage is None
    assert carry_out(calls, least - 1).shortage is not None


def test_tflm_does_not_notice_that_it_overwrites_temporary_memory() -> None:
    shortage = carry_out([ArenaCall(Action.TEMPORARY, 64, 8), STAYS], 95).shortage
    assert shortage is not None
    assert shortage.call is STAYS
    assert shortage.is_silent


def test_tflm_notices_that_what_stays_meets_the_head() -> None:
    shortage = carry_out([ArenaCall(Action.HEAD, 64), STAYS], 95).shortage
    assert shortage is not None
    assert not shortage.is_silent


def test_what_is_given_back_may_be_overwritten() -> None:
    calls = [ArenaCall(Action.TEMPORARY, 64, 8), ArenaCall(Action.RELEASE), STAYS]
    assert smallest_arena(calls) == 64


def compressed_layer() -> Model:
    weights = constant(np.arange(64, dtype=np.int8).reshape(8, 8) % 4, [0.5])
    row = fed((1, 8), np.int8, 0.5)
    layer = SingleOp(Op.FULLY_CONNECTED, [row, weights], [row], FullyConnectedOptions())
    return loaded(compressed(layer.model(), {1: 2}))


@pytest.mark.parametrize(("support", "scratch"), [(True, [64]), (False, [])])
def test_constants_are_decompressed_where_tflm_supports_that(
    support: bool, scratch: list[int]
) -> None:
    profile = RuntimeProfile(load_abi("lp64", compression=support))
    buffers = plan_arena(compressed_layer(), profile, GreedyPlanner()).buffers
    assert [buffer.bytes for buffer in buffers if buffer.scratch_of is not None] == scratch
