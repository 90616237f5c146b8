"""MIRROR_PAD: by hand, beside NumPy's pad, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
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
from tinyml_runtime.model.options import MirrorPadOptions
from tinyml_runtime.types import BuiltinOperator, MirrorPadMode

REFLECT = MirrorPadOptions(MirrorPadMode.REFLECT)
SYMMETRIC = MirrorPadOptions(MirrorPadMode.SYMMETRIC)
MODES = {"reflect": REFLECT, "symmetric": SYMMETRIC}
BOTH: Any = pytest.mark.parametrize("options", MODES.values(), ids=MODES)


def mirror(
    shape: Sequence[int] = (2, 3, 4, 2),
    paddings: Any = ((0, 0), (1, 2), (2, 1), (0, 0)),
    after: Sequence[int] | None = None,
    options: MirrorPadOptions | None = REFLECT,
    kind: Any = np.int8,
    words: Any = np.int32,
) -> SingleOp:
    if after is None:
        after = [size + sum(both) for size, both in zip(shape, paddings, strict=True)]
    operands = [fed(shape, kind), constant(np.array(paddings, words))]
    return SingleOp(BuiltinOperator.MIRROR_PAD, operands, [fed(after, kind)], options)


def run_time_paddings(words: Any = np.int32) -> SingleOp:
    operands = [fed((2, 4), np.int8), fed((2, 2), words)]
    return SingleOp(BuiltinOperator.MIRROR_PAD, operands, [fed((3, 7), np.int8)], REFLECT)


CASES = {
    **{f"image, {name}": mirror(options=options) for name, options in MODES.items()},
    **{
        f"every axis, {name}": mirror((2, 3, 2), ((1, 1), (2, 0), (0, 1)), None, options)
        for name, options in MODES.items()
    },
    "float32": mirror(kind=np.float32),
    "paddings of 64 bits": mirror(words=np.int64),
    "without options": mirror(options=None),
    "nothing to pad": mirror(paddings=((0, 0),) * 4),
    "a scalar's worth": mirror((1,), ((0, 0),)),
    "behind, longer than the mirror": mirror((3,), ((0, 6),)),
    "behind a single element, reflected": mirror((1, 2), ((0, 3), (0, 0))),
    "an output shorter than the paddings say": mirror((4,), ((2, 3),), (7,)),
    "five dimensions": mirror((1, 2, 2, 2, 3), ((0, 0), (1, 0), (0, 1), (1, 1), (2, 2))),
    "a negative padding": mirror((4,), ((-1, 2),)),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


@pytest.mark.parametrize(
    ("options", "expected"),
    [(REFLECT, [3, 2, 1, 2, 3, 2, 1]), (SYMMETRIC, [2, 1, 1, 2, 3, 3, 2])],
)
def test_the_mirror_stands_in_the_edge_or_behind_it(options: Any, expected: list[int]) -> None:
    (output,) = run_ours(
        mirror((3,), ((2, 2),), None, options).model(), [np.array([1, 2, 3], np.int8)]
    )
    assert output.tolist() == expected


@BOTH
def test_is_numpys_pad(options: MirrorPadOptions) -> None:
    paddings = ((1, 1), (0, 2), (2, 0))
    case = mirror((3, 4, 5), paddings, None, options)
    (values,) = random_feeds(case)
    (output,) = run_ours(case.model(), [values])
    if options is REFLECT:
        expected = np.pad(values, paddings, mode="reflect")
    else:
        expected = np.pad(values, paddings, mode="symmetric")
    np.testing.assert_array_equal(output, expected)


def test_a_border_longer_than_the_mirror_repeats_the_first_element() -> None:
    (output,) = run_ours(mirror((3,), ((0, 5),)).model(), [np.array([1, 2, 3], np.int8)])
    assert output.tolist() == [1, 2, 3, 2, 1, 1, 1, 1]


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("words", [np.int32, np.int64])
def test_takes_paddings_that_only_the_run_gives_as_tflm_does(words: Any) -> None:
    model = run_time_paddings(words).model()
    feeds = [np.arange(8, dtype=np.int8).reshape(2, 4), np.array([[1, 0], [2, 1]], words)]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


def test_fed_paddings_longer_than_the_mirror_stop_the_run() -> None:
    feeds = [np.zeros((2, 4), np.int8), np.array([[0, 1], [4, 0]], np.int32)]
    with pytest.raises(RunError, match=r"MIRROR_PAD \(node 0\): the padding of 4 is longer"):
        run_ours(run_time_paddings().model(), feeds)


def _paddings_of(shape: Sequence[int], kind: Any = np.int32) -> SingleOp:
    operands = [fed((2, 4), np.int8), constant(np.zeros(tuple(shape), kind))]
    return SingleOp(BuiltinOperator.MIRROR_PAD, operands, [fed((2, 4), np.int8)], REFLECT)


REFUSALS = {
    "int16": (mirror(kind=np.int16), "the output is INT16"),
    "another type after": (
        SingleOp(BuiltinOperator.MIRROR_PAD, mirror().inputs, [fed((2, 6, 7, 2), np.float32)]),
        "does not convert",
    ),
    "paddings of 16 bits": (_paddings_of((2, 2), np.int16), "the paddings is INT16"),
    "paddings of another rank": (_paddings_of((3, 2)), "not a pair for each of 2"),
    "a vector of paddings": (_paddings_of((4,)), "not a pair for each of 2"),
    "half a pair": (_paddings_of((2, 1)), "not a pair for each of 2"),
    "another rank after": (mirror((2,), ((0, 0),), (2, 1)), "the output has 2 dimensions"),
    "an empty input": (mirror((0,), ((0, 0),), (0,)), "the input is empty"),
    "reflects more than there is": (mirror((3,), ((3, 0),)), "padding of 3 is longer"),
    "doubles more than there is": (
        mirror((3,), ((4, 0),), None, SYMMETRIC),
        "padding of 4 is longer",
    ),
    "no paddings": (
        SingleOp(BuiltinOperator.MIRROR_PAD, [fed((2,), np.int8)], [fed((2,), np.int8)]),
        "input 1 is missing",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
