"""RESHAPE, SQUEEZE, EXPAND_DIMS and TRANSPOSE: by hand, by index arithmetic, and beside TFLM."""

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
    constant,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.model.options import ReshapeOptions, SqueezeOptions
from tinyml_runtime.types import BuiltinOperator, TensorType

COPIED = [np.float32, np.int8, np.int16, np.int32, np.int64, np.uint8, np.bool_]
MOVED = [np.float32, np.int8, np.int16]


def int32(values: Any) -> Operand:
    return constant(np.array(values, np.int32))


def reshape(
    before: Sequence[int] = (2, 6),
    after: Sequence[int] = (3, 4),
    kind: Any = np.int8,
    *shape: Operand,
    options: ReshapeOptions | None = None,
) -> SingleOp:
    return SingleOp(
        BuiltinOperator.RESHAPE, [fed(before, kind), *shape], [fed(after, kind)], options
    )


def squeeze(
    before: Sequence[int] = (1, 3, 1, 2),
    after: Sequence[int] = (3, 2),
    kind: Any = np.int8,
    dims: tuple[int, ...] | None = None,
) -> SingleOp:
    options = None if dims is None else SqueezeOptions(dims)
    return SingleOp(BuiltinOperator.SQUEEZE, [fed(before, kind)], [fed(after, kind)], options)


def expand_dims(
    axis: Operand, before: Sequence[int], after: Sequence[int], kind: Any = np.int8
) -> SingleOp:
    return SingleOp(BuiltinOperator.EXPAND_DIMS, [fed(before, kind), axis], [fed(after, kind)])


def transpose(
    axes: Sequence[int], shape: Sequence[int] = (2, 3, 4), kind: Any = np.int8
) -> SingleOp:
    after = [shape[axis] for axis in axes]
    return SingleOp(BuiltinOperator.TRANSPOSE, [fed(shape, kind), int32(axes)], [fed(after, kind)])


CASES = {
    "reshape with a constant shape": reshape((2, 6), (3, 4), np.int8, int32([3, 4])),
    "reshape with another shape than the output has": reshape((6,), (2, 3), np.int8, int32([-1])),
    "reshape with a shape that is fed": reshape((2, 6), (12,), np.int8, fed((1,), np.int32)),
    "reshape with options": reshape((6,), (2, 3), np.int8, options=ReshapeOptions((3, 2))),
    "reshape of a scalar": reshape((), (1, 1)),
    "reshape to a scalar": reshape((1, 1), ()),
    "reshape to a scalar as old files write it": reshape((1,), (0,)),
    **{f"reshape of {k.__name__}": reshape((2, 6), (4, 3), k) for k in COPIED},
    "squeeze of every 1": squeeze(),
    "squeeze of one dimension": squeeze((1, 3, 1, 2), (1, 3, 2), dims=(2,)),
    "squeeze of a negative dimension": squeeze((1, 3, 1, 2), (1, 3, 2), dims=(-2,)),
    "squeeze of a dimension named twice": squeeze((1, 3, 1, 2), (3, 1, 2), dims=(0, 0)),
    "squeeze to a larger output of a 1 more": squeeze((1, 4), (4, 1)),
    **{f"squeeze of {k.__name__}": squeeze((2, 1, 3), (2, 3), k) for k in COPIED},
    "expand in front": expand_dims(int32(0), (2, 3), (1, 2, 3)),
    "expand behind": expand_dims(int32([-1]), (2, 3), (2, 3, 1)),
    "expand a scalar": expand_dims(int32([0]), (), (1,)),
    **{f"expand {k.__name__}": expand_dims(int32(1), (2, 3), (2, 1, 3), k) for k in MOVED},
    "transpose of one dimension": transpose([0], (5,)),
    "transpose that moves the batch": transpose([1, 0, 2]),
    "transpose that keeps the batch": transpose([0, 2, 1]),
    "transpose of five dimensions": transpose([4, 2, 0, 3, 1], (2, 3, 4, 1, 5)),
    "transpose by words of 64 bits": SingleOp(
        BuiltinOperator.TRANSPOSE,
        [fed((2, 3), np.int8), constant(np.array([1, 0]))],
        [fed((3, 2), np.int8)],
    ),
    **{f"transpose of {k.__name__}": transpose([2, 0, 1], kind=k) for k in MOVED},
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_reshape_keeps_the_order_of_the_elements() -> None:
    (output,) = run_ours(reshape((2, 3), (3, 2)).model(), [np.array([[1, 2, 3], [4, 5, 6]], "i1")])
    assert output.tolist() == [[1, 2], [3, 4], [5, 6]]


def test_reshape_to_the_shape_0_of_old_files_gives_a_scalar() -> None:
    (output,) = run_ours(reshape((1,), (0,)).model(), [np.array([7], "i1")])
    assert output.shape == ()
    assert output.tolist() == 7


def test_reshape_of_a_constant_gives_the_constant() -> None:
    values = np.arange(6, dtype=np.int32)
    case = SingleOp(
        BuiltinOperator.RESHAPE, [constant(values), fed((2,), np.int32)], [fed((2, 3), np.int32)]
    )
    assert_stacks(case)
    (output,) = run_ours(case.model(), random_feeds(case))
    assert output.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_transpose_puts_every_element_at_its_permuted_index() -> None:
    shape, axes = (2, 3, 4), (2, 0, 1)
    case = transpose(axes, shape)
    (values,) = random_feeds(case)
    (output,) = run_ours(case.model(), [values])
    for index in product(*map(range, shape)):
        assert output[tuple(index[axis] for axis in axes)] == values[index]


REFUSALS = {
    "reshape to another size": (reshape((2, 6), (3, 5)), "12 elements"),
    "reshape to another type": (
        SingleOp(BuiltinOperator.RESHAPE, [fed((4,), np.int8)], [fed((4,), np.uint8)]),
        "does not convert",
    ),
    "reshape of strings": (
        SingleOp(
            BuiltinOperator.RESHAPE,
            [Operand((4,), TensorType.STRING)],
            [Operand((2, 2), TensorType.STRING)],
        ),
        "which TFLM cannot hold",
    ),
    "reshape with three inputs": (
        reshape((4,), (2, 2), np.int8, int32([2, 2]), int32([2, 2])),
        "3 inputs",
    ),
    "reshape with a shape of nine dimensions": (
        reshape((4,), (2, 2), options=ReshapeOptions((1,) * 9)),
        "Found too many dimensions in the input array of operation 'reshape'",
    ),
    "squeeze of a dimension that is not 1": (squeeze(dims=(1,)), "no dimension 1 of 1"),
    "squeeze of a dimension that is not there": (squeeze(dims=(4,)), "no dimension 4 of 1"),
    "squeeze into a smaller output": (squeeze((1, 3, 2), (2, 3)), "smaller than the squeezed"),
    "squeeze of nine dimensions": (squeeze((1,) * 9, ()), "at most 8"),
    "expand a type of 32 bits": (expand_dims(int32(0), (2,), (1, 2), np.int32), "INT32"),
    "expand at an axis that is fed": (
        expand_dims(fed((), np.int32), (2,), (1, 2)),
        "Non-constant >axis< tensor is not supported",
    ),
    "expand at an axis of 64 bits": (
        expand_dims(constant(np.array(0)), (2,), (1, 2)),
        "Axis type INT64 not supported by Expand_Dims",
    ),
    "expand at two axes": (
        expand_dims(int32([[0], [1]]), (2,), (1, 2)),
        "Axis has only one element for Expand_Dims",
    ),
    "expand beyond the input": (expand_dims(int32(2), (2,), (2, 1)), "axis 2 is out of range"),
    "expand far before the input": (expand_dims(int32(-3), (2,), (1, 2)), "axis -3 is out of"),
    "expand to a wrong shape": (expand_dims(int32(0), (2,), (2, 1)), r"makes \[1, 2\]"),
    "transpose a type of 32 bits": (transpose([1, 0], (2, 3), np.int32), "INT32"),
    "transpose six dimensions": (
        transpose([1, 0, 2, 3, 4, 5], (1,) * 6),
        "Transpose op only supports 1D-5D input arrays",
    ),
    "transpose to a wrong shape": (
        SingleOp(
            BuiltinOperator.TRANSPOSE,
            [fed((2, 3), np.int8), int32([1, 0])],
            [fed((2, 3), np.int8)],
        ),
        r"makes \[3, 2\]",
    ),
    "transpose by an index out of range": (
        SingleOp(
            BuiltinOperator.TRANSPOSE,
            [fed((2, 3), np.int8), int32([1, 2])],
            [fed((3, 2), np.int8)],
        ),
        "Transpose op permutations array is out of bounds",
    ),
    "transpose by an index twice": (transpose([0, 0], (2, 2)), "names a dimension twice"),
    "transpose by too few indices": (
        SingleOp(
            BuiltinOperator.TRANSPOSE, [fed((2, 3), np.int8), int32([0])], [fed((2, 3), np.int8)]
        ),
        "not for rank 2",
    ),
    "transpose by indices that are fed": (
        SingleOp(
            BuiltinOperator.TRANSPOSE,
            [fed((2, 3), np.int8), fed((2,), np.int32)],
            [fed((3, 2), np.int8)],
        ),
        "Non-constant >perm< tensor is not supported",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
