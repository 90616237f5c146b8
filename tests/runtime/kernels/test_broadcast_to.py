"""BROADCAST_TO and BROADCAST_ARGS: by hand, beside NumPy's broadcasting, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_like_tflm,
    assert_same,
    constant,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
    run_tflm,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.types import BuiltinOperator, TensorType

TYPES = [np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_]
WORDS = [np.int32, np.int64]


def broadcast(
    shape: Sequence[int] = (3, 1),
    after: Sequence[int] = (2, 3, 4),
    kind: Any = np.int8,
    words: Any = np.int32,
    given: Sequence[int] | None = None,
) -> SingleOp:
    target = np.array(after if given is None else given, words)
    return SingleOp(
        BuiltinOperator.BROADCAST_TO, [fed(shape, kind), constant(target)], [fed(after, kind)]
    )


def shapes(first: Operand, second: Operand, count: int, words: Any = np.int32) -> SingleOp:
    return SingleOp(BuiltinOperator.BROADCAST_ARGS, [first, second], [fed((count,), words)])


CASES = {
    **{f"of {k.__name__}": broadcast(kind=k) for k in TYPES},
    "to a shape of 64 bits": broadcast(words=np.int64),
    "along the first axis": broadcast((1, 3), (4, 3)),
    "along no axis": broadcast((2, 3), (2, 3)),
    "of a scalar": broadcast((), (2, 2)),
    "to five dimensions": broadcast((2, 1, 1, 2), (3, 2, 2, 3, 2)),
    "of a constant": SingleOp(
        BuiltinOperator.BROADCAST_TO,
        [constant(np.array([[1], [2]], np.int8)), constant(np.array([2, 3], np.int32))],
        [fed((2, 3), np.int8)],
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES.values() if random_feeds(case)],
    ids=[name for name, case in CASES.items() if random_feeds(case)],
)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_repeats_along_new_axes_and_those_of_length_one() -> None:
    (output,) = run_ours(broadcast((2, 1), (2, 2, 2)).model(), [np.array([[5], [6]], np.int8)])
    assert output.tolist() == [[[5, 5], [6, 6]]] * 2


@pytest.mark.parametrize("shape", [(1,), (4,), (1, 4), (3, 1), (2, 1, 1), (2, 3, 4)])
def test_is_numpys_broadcast(shape: tuple[int, ...]) -> None:
    case = broadcast(shape)
    (values,) = random_feeds(case)
    (output,) = run_ours(case.model(), [values])
    np.testing.assert_array_equal(output, np.broadcast_to(values, (2, 3, 4)))


ARGS: dict[str, tuple[list[int], list[int], list[int]]] = {
    "equal": ([2, 3], [2, 3], [2, 3]),
    "ones on either side": ([2, 1, 4], [1, 3, 1], [2, 3, 4]),
    "a shorter first": ([4], [2, 3, 1], [2, 3, 4]),
    "a shorter second": ([2, 3, 4], [1], [2, 3, 4]),
    "no length": ([0, 3], [1, 1], [0, 3]),
    "a longer output": ([2], [1], [1, 1, 2]),
    "an output of the last axes": ([5, 2], [1, 1], [2]),
}


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("first", "second", "expected"), ARGS.values(), ids=ARGS)
def test_gives_the_shape_of_both_together(
    first: list[int], second: list[int], expected: list[int], words: Any
) -> None:
    feeds = [np.array(first, words), np.array(second, words)]
    operands = [fed(shape.shape, words) for shape in feeds]
    case = shapes(operands[0], operands[1], len(expected), words)
    (output,) = run_ours(case.model(), feeds)
    assert output.dtype == words
    assert output.tolist() == expected


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize(("first", "second", "expected"), ARGS.values(), ids=ARGS)
def test_gives_the_shape_that_tflm_gives(
    first: list[int], second: list[int], expected: list[int], words: Any
) -> None:
    feeds = [np.array(first, words)]
    operands = fed(feeds[0].shape, words), constant(np.array(second, words))
    model = shapes(*operands, len(expected), words).model()
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


def test_only_the_low_half_of_a_long_length_counts() -> None:
    feeds = [np.array([2**32 + 3], np.int64), np.array([1], np.int64)]
    case = shapes(fed((1,), np.int64), fed((1,), np.int64), 1, np.int64)
    (output,) = run_ours(case.model(), feeds)
    assert output.tolist() == [3]


def test_lengths_that_do_not_agree_stop_the_run() -> None:
    case = shapes(fed((2,), np.int32), fed((1,), np.int32), 2)
    with pytest.raises(RunError, match=r"BROADCAST_ARGS \(node 0\): shapes \[2, 3\] and \[1, 4\]"):
        run_ours(case.model(), [np.array([2, 3], np.int32), np.array([4], np.int32)])


def _with_shape(shape: Operand) -> SingleOp:
    return SingleOp(BuiltinOperator.BROADCAST_TO, [fed((3,), np.int8), shape], broadcast().outputs)


PACKED = Operand((2,), TensorType.INT4)
WORD = fed((1,), np.int32)
REFUSALS = {
    "six dimensions": (broadcast((1,), (1,) * 6), "only supports 1-5D"),
    "a shape of 16 bits": (_with_shape(constant(np.ones(3, np.int16))), "the shape is INT16"),
    "a fed shape": (_with_shape(fed((3,), np.int32)), "Non-constant >shape< tensor"),
    "a matrix as shape": (
        _with_shape(constant(np.ones((1, 3), np.int32))),
        "Output must match with the expected shape dimension.",
    ),
    "a shape of another rank": (broadcast(given=(3, 4)), "Output must match"),
    "another shape": (broadcast(given=(2, 3, 5)), "the operator makes .2, 3, 5."),
    "no repetition": (broadcast((2,)), "must be broadcastable from input shape"),
    "more dimensions than the output": (broadcast((1, 4), (4,)), "must be broadcastable"),
    "another type after": (
        SingleOp(BuiltinOperator.BROADCAST_TO, broadcast().inputs, [fed((2, 3, 4), np.uint8)]),
        "does not convert",
    ),
    "packed elements": (
        SingleOp(
            BuiltinOperator.BROADCAST_TO, [PACKED, constant(np.array([2], np.int32))], [PACKED]
        ),
        "Type INT4 not supported",
    ),
    "arguments of 16 bits": (
        shapes(fed((1,), np.int16), fed((1,), np.int16), 1, np.int16),
        "the first shape is INT16",
    ),
    "arguments of two types": (shapes(WORD, fed((1,), np.int64), 1), "the second shape is INT64"),
    "a matrix as argument": (shapes(fed((1, 1), np.int32), WORD, 1), "is no vector"),
    "one argument": (
        SingleOp(BuiltinOperator.BROADCAST_ARGS, [WORD], [WORD]),
        "1 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
