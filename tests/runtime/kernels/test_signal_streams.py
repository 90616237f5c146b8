"""SignalDelay, SignalFramer, SignalStacker, SignalOverlapAdd: by hand, in turn, beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from tests.support.signal_op import flag, prepared, run_in_turn, run_tflm_in_turn, signal_op
from tests.support.single_op import SingleOp, assert_same, fed, needs_tflm, random_feeds
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.tensor import Array


def delay(shape: tuple[int, ...], length: int) -> SingleOp:
    operand = fed(shape, np.int16)
    return signal_op("SignalDelay", [operand], [operand], delay_length=length)


def framer(
    size: int, step: int, frames: int, outer: tuple[int, ...] = (), *, prefill: bool
) -> SingleOp:
    outputs = [fed((*outer, frames, size), np.int16), flag()]
    options = {"frame_size": size, "frame_step": step, "prefill": prefill}
    inputs = [fed((*outer, frames * step), np.int16)]
    return signal_op("SignalFramer", inputs, outputs, **options)


def stacker(channels: int, left: int, right: int, step: int) -> SingleOp:
    outputs = [fed((channels * (left + 1 + right),), np.int16), flag()]
    return signal_op(
        "SignalStacker",
        [fed((channels,), np.int16)],
        outputs,
        num_channels=channels,
        stacker_left_context=left,
        stacker_right_context=right,
        stacker_step=step,
    )


def overlap_add(
    size: int, step: int, frames: int, outer: tuple[int, ...] = (), kind: str = "int16"
) -> SingleOp:
    number = {"int16": 7, "int32": 2, "float32": 0}[kind]
    inputs, outputs = [fed((*outer, frames, size), kind)], [fed((*outer, frames * step), kind)]
    return signal_op("SignalOverlapAdd", inputs, outputs, T=number, frame_step=step)


def firsts(outputs: Sequence[Sequence[Array]]) -> list[object]:
    """The first output of each invocation."""
    return [output[0].tolist() for output in outputs]


def flags(outputs: Sequence[Sequence[Array]]) -> list[bool]:
    """The truth value of each invocation."""
    return [bool(output[1]) for output in outputs]


def counted(length: int, turns: int) -> list[Array]:
    """1, 2, 3, ... cut into inputs."""
    return list(np.arange(1, length * turns + 1).astype(np.int16).reshape(turns, length))


CASES = {
    "delay": delay((4,), 6),
    "delay by nothing": delay((3,), 0),
    "delay of several signals": delay((2, 3, 5), 17),
    "framer": framer(10, 4, 1, prefill=False),
    "framer with prefill": framer(10, 4, 1, prefill=True),
    "framer of several frames": framer(7, 3, 2, (2,), prefill=False),
    "framer of several frames with prefill": framer(7, 3, 2, (2, 2), prefill=True),
    "framer without overlap": framer(4, 4, 3, prefill=True),
    "framer with gaps": framer(3, 5, 2, prefill=False),
    "stacker": stacker(3, 2, 1, 1),
    "stacker that skips": stacker(2, 1, 2, 3),
    "stacker of left context": stacker(2, 3, 0, 4),
    "stacker of nothing": stacker(4, 0, 0, 1),
    "overlap-add": overlap_add(8, 3, 1),
    "overlap-add of several frames": overlap_add(6, 2, 3, (2, 2)),
    "overlap-add without overlap": overlap_add(4, 4, 2),
    "overlap-add of floats": overlap_add(6, 4, 2, (2,), "float32"),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)


def test_a_delay_gives_zeros_first_and_then_the_samples() -> None:
    outputs = run_in_turn(prepared(delay((3,), 4)), counted(3, 3))
    assert firsts(outputs) == [[0, 0, 0], [0, 1, 2], [3, 4, 5]]


def test_a_framer_waits_until_whole_steps_fill_a_frame() -> None:
    outputs = run_in_turn(prepared(framer(3, 2, 1, prefill=False)), counted(2, 4))
    # Two steps are four samples; a frame is the first three of them.
    assert flags(outputs) == [False, True, True, True]
    assert firsts(outputs) == [[[0, 0, 0]], [[1, 2, 3]], [[3, 4, 5]], [[5, 6, 7]]]


def test_a_prefilled_framer_begins_with_zeros() -> None:
    outputs = run_in_turn(prepared(framer(3, 2, 1, prefill=True)), counted(2, 3))
    assert flags(outputs) == [True, True, True]
    assert firsts(outputs) == [[[0, 1, 2]], [[2, 3, 4]], [[4, 5, 6]]]


def test_an_output_of_several_frames_is_valid_when_all_of_them_are() -> None:
    outputs = run_in_turn(prepared(framer(3, 2, 2, prefill=False)), counted(4, 2))
    assert flags(outputs) == [False, True]
    assert firsts(outputs) == [[[0, 0, 0], [1, 2, 3]], [[3, 4, 5], [5, 6, 7]]]


def test_a_stack_repeats_the_first_frame_for_its_left_context() -> None:
    outputs = run_in_turn(prepared(stacker(2, 1, 1, 2)), counted(2, 5))
    assert flags(outputs) == [False, True, False, True, False]
    first, second = [1, 2, 1, 2, 3, 4], [3, 4, 5, 6, 7, 8]
    # A stack that is not complete leaves the one before.
    assert firsts(outputs) == [[0] * 6, first, first, second, second]


def test_overlapping_frames_are_added_and_saturate() -> None:
    frames = [np.array([[1, 2, 30000]], np.int16), np.array([[10, 20000, 5]], np.int16)]
    outputs = run_in_turn(prepared(overlap_add(3, 1, 1)), [*frames, frames[1]])
    # 2 + 10; then 30000 + 20000 saturates and meets 10
    assert firsts(outputs) == [[1], [12], [32767]]


@every_case
def test_reset_forgets_what_came_before(case: SingleOp) -> None:
    interpreter = prepared(case)
    samples = [random_feeds(case, seed)[0] for seed in range(5)]
    first = run_in_turn(interpreter, samples)
    interpreter.reset()
    for again, before in zip(run_in_turn(interpreter, samples), first, strict=True):
        assert_same(again, before)


@every_case
def test_a_batch_is_a_sequence(case: SingleOp) -> None:
    samples = [random_feeds(case, seed)[0] for seed in range(7)]
    one_by_one = run_in_turn(prepared(case), samples)
    interpreter = prepared(case)
    assert interpreter.is_stateful
    early = interpreter.invoke_batch([np.stack(samples[:3])], threads=2)
    late = interpreter.invoke_batch([np.stack(samples[3:])])
    for index, batch in enumerate(zip(*early, strict=True)):
        assert_same(batch, one_by_one[index])
    for index, batch in enumerate(zip(*late, strict=True)):
        assert_same(batch, one_by_one[3 + index])


def test_two_interpreters_do_not_share_what_they_remember() -> None:
    first, second = (prepared(delay((2,), 2)) for _ in range(2))
    run_in_turn(first, counted(2, 3))
    assert firsts(run_in_turn(second, counted(2, 1))) == [[0, 0]]


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (delay((3,), -1), "a delay by -1"),
        (delay((3,), 2**31 - 1), "at most"),
        (delay((), 1), "shape"),
        (framer(3, 5, 1, prefill=True), "no prefill"),
        (stacker(2, -1, 2, 1), "context"),
        (stacker(2, 1, 1, 0), "step by 0"),
        (stacker(2, 1, 1, 4), "step by 4"),
        (overlap_add(4, 5, 1), "step by 5"),
        (overlap_add(4, 0, 1), "step by 0"),
        (overlap_add(4, 2, 1, kind="int32"), "option T is 2"),
    ],
)
def test_refuses_streams_that_cannot_be_kept(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        prepared(case)


@pytest.mark.oracle
@needs_tflm
@every_case
def test_is_like_tflm_in_turn(case: SingleOp) -> None:
    samples = [random_feeds(case, seed)[0] for seed in range(9)]
    theirs = run_tflm_in_turn(case.model(), samples)
    ours = run_in_turn(prepared(case), samples)
    was_valid = False
    for mine, other in zip(ours, theirs, strict=True):
        # TFLM leaves what memory held before the first valid output.
        assert_same(mine[1:], other[1:])
        was_valid = was_valid or len(mine) == 1 or bool(mine[1])
        if was_valid:
            assert_same(mine, other)
