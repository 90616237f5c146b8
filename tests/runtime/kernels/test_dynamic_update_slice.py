"""DYNAMIC_UPDATE_SLICE: by hand, by walking over indices, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
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
    random_values,
    run_ours,
    run_tflm,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.types import BuiltinOperator

TYPES = [np.float32, np.int8, np.int16, np.int32]


def update(
    start: Sequence[int] | None = (1, 0, 2),
    shape: Sequence[int] = (2, 3, 4),
    box: Sequence[int] = (1, 2, 2),
    kind: Any = np.int8,
    words: Any = np.int32,
) -> SingleOp:
    """Without a `start` it is an input of the model."""
    where = fed((len(shape),), words) if start is None else constant(np.array(start, words))
    operands = [fed(shape, kind), fed(box, kind), where]
    return SingleOp(BuiltinOperator.DYNAMIC_UPDATE_SLICE, operands, [fed(shape, kind)])


def with_constant(position: int) -> SingleOp:
    operands = list(update().inputs)
    given = operands[position]
    assert given is not None
    operands[position] = constant(random_values(given, np.random.default_rng(5)))
    return SingleOp(BuiltinOperator.DYNAMIC_UPDATE_SLICE, operands, update().outputs)


CASES = {
    **{f"of {k.__name__}": update(kind=k) for k in TYPES},
    "at a start of 64 bits": update(words=np.int64),
    "beyond the end": update((9, 2, 3)),
    "before the beginning": update((-1, -9, 0)),
    "of everything": update((5, 5, 5), box=(2, 3, 4)),
    "of all of the first axis": update((0, 1, 1), box=(2, 1, 1)),
    "of six dimensions": update((0, 1, 0, 0, 1, 0), (1, 2, 1, 2, 2, 1), (1, 1, 1, 2, 1, 1)),
    "in a constant": with_constant(0),
    "by a constant": with_constant(1),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_several_samples_may_have_different_starts() -> None:
    assert_stacks(update(None))


def test_replaces_a_box_and_leaves_the_rest() -> None:
    case = update((1, 1), (3, 3), (2, 1))
    values = np.arange(9, dtype=np.int8).reshape(3, 3)
    (output,) = run_ours(case.model(), [values, np.array([[-1], [-2]], np.int8)])
    assert output.tolist() == [[0, 1, 2], [3, -1, 5], [6, -2, 8]]


def test_moves_the_box_inside() -> None:
    feeds = [np.zeros(4, np.int8), np.array([1, 2], np.int8)]
    (behind,) = run_ours(update((2**31 - 1,), (4,), (2,)).model(), feeds)
    (before,) = run_ours(update((-(2**31),), (4,), (2,)).model(), feeds)
    assert behind.tolist() == [0, 0, 1, 2]
    assert before.tolist() == [1, 2, 0, 0]


def test_an_update_of_nothing_changes_nothing() -> None:
    case = update((1, 1), (2, 2), (2, 0))
    feeds = [np.array([[1, 2], [3, 4]], np.int8), np.zeros((2, 0), np.int8)]
    (output,) = run_ours(case.model(), feeds)
    assert output.tolist() == [[1, 2], [3, 4]]


def test_a_scalar_is_replaced() -> None:
    case = update(None, (), ())
    feeds = [np.array(1, np.int8), np.array(2, np.int8), np.zeros(0, np.int32)]
    (output,) = run_ours(case.model(), feeds)
    assert output.tolist() == 2


@pytest.mark.parametrize("start", list(product((-1, 0, 1, 2), repeat=2)))
def test_every_element_is_where_the_definition_says(start: tuple[int, int]) -> None:
    case = update(start, (3, 4), (2, 3))
    operand, box = random_feeds(case)
    (output,) = run_ours(case.model(), [operand, box])
    first = [
        min(max(0, at), size - length)
        for at, size, length in zip(start, (3, 4), (2, 3), strict=True)
    ]
    for y, x in product(range(3), range(4)):
        row, column = y - first[0], x - first[1]
        inside = 0 <= row < 2 and 0 <= column < 3
        assert output[y, x] == (box[row, column] if inside else operand[y, x])


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("words", [np.int32, np.int64])
@pytest.mark.parametrize("start", [(0, 2, 1), (-5, 5, 1)])
def test_takes_a_start_that_only_the_run_gives_as_tflm_does(start: Any, words: Any) -> None:
    case = update(None, words=words)
    feeds = [*random_feeds(case)[:2], np.array(start, words)]
    assert_same(run_ours(case.model(), feeds), run_tflm(case.model(), feeds))


def _with(position: int, operand: Operand) -> SingleOp:
    operands = list(update().inputs)
    operands[position] = operand
    return SingleOp(BuiltinOperator.DYNAMIC_UPDATE_SLICE, operands, update().outputs)


def _into(output: Operand) -> SingleOp:
    return SingleOp(BuiltinOperator.DYNAMIC_UPDATE_SLICE, update().inputs, [output])


REFUSALS = {
    "uint8": (update(kind=np.uint8), "the operand is UINT8"),
    "bool": (update(kind=np.bool_), "the operand is BOOL"),
    "an update of another type": (_with(1, fed((1, 2, 2), np.int16)), "the update is INT16"),
    "an output of another type": (_into(fed((2, 3, 4), np.int16)), "the output is INT16"),
    "an output of another size": (_into(fed((2, 3, 5), np.int8)), "30 elements, the operand 24"),
    "a start of 16 bits": (update(words=np.int16), "the start is INT16"),
    "a start of another rank": (_with(2, fed((2,), np.int32)), "not for 3 dimensions"),
    "a matrix as start": (_with(2, fed((3, 1), np.int32)), "not for 3 dimensions"),
    "an update of another rank": (_with(1, fed((2, 2), np.int8)), "does not fit into"),
    "an update that is too long": (_with(1, fed((1, 4, 2), np.int8)), "does not fit into"),
    "seven dimensions": (update((0,) * 7, (1,) * 7, (1,) * 7), "at most 6"),
    "two inputs": (
        SingleOp(BuiltinOperator.DYNAMIC_UPDATE_SLICE, update().inputs[:2], update().outputs),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
