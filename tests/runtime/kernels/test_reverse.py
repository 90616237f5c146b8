"""REVERSE_V2: by hand, beside NumPy's flip, and beside TFLM."""

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
from tinyml_runtime.types import BuiltinOperator

TYPES = (np.float32, np.int8, np.uint8, np.int16, np.int32, np.int64, np.bool_)


def reverse(
    axes: Sequence[int] | None = (1,), shape: tuple[int, ...] = (2, 3, 4, 5), kind: Any = np.int8
) -> SingleOp:
    along = fed((2,), np.int32) if axes is None else constant(np.array(axes, np.int32))
    return of(fed(shape, kind), along, fed(shape, kind))


def of(source: Operand, axes: Operand, output: Operand) -> SingleOp:
    return SingleOp(BuiltinOperator.REVERSE_V2, [source, axes], [output])


CASES = {
    **{f"{np.dtype(kind)}": reverse(kind=kind) for kind in TYPES},
    **{
        f"axes {axes}": reverse(axes)
        for axes in ((0,), (3,), (-1,), (1, 2), (2, 1), (-3, 0), (3, 1, 2), (0, 1, 2, 3))
    },
    "six dimensions": reverse((2, 3), (1, 2, 3, 2, 1, 2)),
    "an output of another shape": of(
        fed((2, 3), np.int8), constant(np.array([1], np.int32)), fed((6,), np.int8)
    ),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("axes", [[1, 2], [-1, 2]])
def test_fed_axes_agree_with_tflm(axes: list[int]) -> None:
    model = reverse(None).model()
    feeds = [random_feeds(reverse())[0], np.array(axes, np.int32)]
    assert_same(run_ours(model, feeds), run_tflm(model, feeds))


@pytest.mark.parametrize("axes", [[0, 2], [1, 1], [4, 3], [-5, 0]])
def test_fed_axes_that_do_not_fit_stop_the_run(axes: list[int]) -> None:
    feeds = [random_feeds(reverse())[0], np.array(axes, np.int32)]
    with pytest.raises(RunError, match="REVERSE_V2"):
        run_ours(reverse(None).model(), feeds)


def test_turns_rows_around() -> None:
    values = np.array([[1, 2, 3], [4, 5, 6]], np.int8)
    (output,) = run_ours(reverse((1,), (2, 3)).model(), [values])
    assert output.tolist() == [[3, 2, 1], [6, 5, 4]]


@pytest.mark.parametrize("axes", [(0,), (1, 2), (3, 2), (0, 1, 2, 3)])
def test_agrees_with_numpy(axes: tuple[int, ...]) -> None:
    (values,) = random_feeds(reverse(axes))
    np.testing.assert_array_equal(
        run_ours(reverse(axes).model(), [values])[0], np.flip(values, axes)
    )


AXIS, INT8 = constant(np.array([0], np.int32)), fed((3,), np.int8)
REFUSALS = {
    "uint32": (reverse(kind=np.uint32), "Type 'UINT32' is not supported by reverse"),
    "another output type": (of(INT8, AXIS, fed((3,), np.uint8)), "the output is UINT8"),
    "another output size": (of(INT8, AXIS, fed((4,), np.int8)), "3 elements, the output 4"),
    "an axis of 64 bits": (of(INT8, constant(np.array([0], np.int64)), INT8), "Axis Type 'INT64'"),
    "a scalar axis": (of(INT8, constant(np.array(0, np.int32)), INT8), "axes have 0 dimensions"),
    "more axes than dimensions": (reverse((0, 0), (3,)), "2 axes for 1 dimensions"),
    "axes that are not neighbours": (reverse((0, 2)), "Non-contiguous `axes` not supported"),
    "an axis twice": (reverse((1, 1)), "Non-contiguous `axes` not supported"),
    "an axis behind the last": (reverse((4,)), "axis 4 is out of the range"),
    "seven dimensions": (reverse((0,), (1,) * 7), "7 dimensions"),
    "no elements": (reverse((0,), (0,)), "0 elements"),
    "one input": (SingleOp(BuiltinOperator.REVERSE_V2, [INT8], [INT8]), "1 inputs"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
