"""States of the audio front end in the arena, beside sizes worked out by hand."""

from __future__ import annotations

import pytest

from tests.support.signal_op import flag, signal_op
from tests.support.single_op import SingleOp, fed
from tinyml_runtime.memory.abi import load_abi
from tinyml_runtime.memory.arena import Action
from tinyml_runtime.memory.greedy_planner import GreedyPlanner
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.planning.arena_plan import plan_arena
from tinyml_runtime.types import TensorType

INT16, FLOAT32 = int(TensorType.INT16), int(TensorType.FLOAT32)
RFFT = signal_op("SignalRfft", [fed((6,), "int16")], [fed((8,), "int16")], T=INT16, fft_length=6)
IRFFT = signal_op(
    "SignalIrfft", [fed((6,), "float32")], [fed((4,), "float32")], T=FLOAT32, fft_length=4
)
FRAMER = signal_op(
    "SignalFramer",
    [fed((2, 4), "int16")],
    [fed((2, 2, 5), "int16"), flag()],
    frame_size=5,
    frame_step=2,
    prefill=False,
)


@pytest.mark.parametrize(
    ("case", "abi", "sizes"),
    [
        # Three pointers, 66 numbers; for 3 points 3 + 9 // 2 pairs of two bytes each.
        (RFFT, "arm-eabi", [32, 12 + 264 + (3 + 4) * 4]),
        (RFFT, "lp64", [48, 24 + 264 + (3 + 4) * 4]),
        # Floats keep the length and a pointer besides; 2 points, 2 + 3 pairs of four bytes.
        (IRFFT, "arm-eabi", [24, 8 + 12 + 264 + 5 * 8]),
        (IRFFT, "lp64", [32, 16 + 24 + 264 + 5 * 8]),
        # Two tables of two pointers; each of two buffers holds 6 samples twice, after 24 bytes.
        (FRAMER, "arm-eabi", [28, 8, 8, 24 + 24, 24 + 24]),
    ],
)
def test_states_have_the_size_of_their_structures_and_tables(
    case: SingleOp, abi: str, sizes: list[int]
) -> None:
    plan = plan_arena(case.model(), RuntimeProfile(load_abi(abi)), GreedyPlanner())
    own = [call for call in plan.calls if call.owner.node is not None]
    assert [call.bytes for call in own if call.action is Action.PERSISTENT] == sizes


def test_a_spectrum_needs_room_for_padded_samples() -> None:
    plan = plan_arena(RFFT.model(), RuntimeProfile(load_abi("ilp32")), GreedyPlanner())
    assert [buffer.bytes for buffer in plan.buffers if buffer.scratch_of is not None] == [12]
