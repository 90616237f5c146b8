"""GATHER, GATHER_ND, EMBEDDING_LOOKUP: by hand, by NumPy's own indexing, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_same,
    constant,
    fed,
    needs_tflm,
    random_values,
    run_ours,
    run_stacked,
    run_tflm,
)
from tinyml_runtime.errors import RunError, UnsupportedModelError
from tinyml_runtime.model.options import GatherOptions
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator, TensorType

TYPES = [np.float32, np.int8]
SAMPLES = 3
LEAST_LENGTH = 2


def filled(shape: Sequence[int], kind: Any, scale: float | None = None) -> Operand:
    operand = fed(shape, kind, scale)
    return constant(random_values(operand, np.random.default_rng(1)), scale)


def indices(shape: Sequence[int], is_constant: bool) -> Operand:
    return constant(chosen(shape)) if is_constant else fed(shape, np.int32)


def chosen(shape: Sequence[int]) -> Array:
    """Indices that are in range of every axis of the tests."""
    return np.random.default_rng(2).integers(0, LEAST_LENGTH, tuple(shape)).astype(np.int32)


def gather(
    shape: Sequence[int],
    positions: Sequence[int],
    after: Sequence[int],
    axis: int = 0,
    batch_dims: int = 0,
    kind: Any = np.int8,
    constants: tuple[bool, bool] = (False, False),
) -> SingleOp:
    source = filled(shape, kind) if constants[0] else fed(shape, kind)
    operands = [source, indices(positions, constants[1])]
    options = GatherOptions(axis, batch_dims)
    return SingleOp(BuiltinOperator.GATHER, operands, [fed(after, kind)], options)


def gather_nd(
    shape: Sequence[int],
    positions: Sequence[int],
    after: Sequence[int],
    kind: Any = np.int8,
    constants: tuple[bool, bool] = (False, False),
) -> SingleOp:
    source = filled(shape, kind) if constants[0] else fed(shape, kind)
    operands = [source, indices(positions, constants[1])]
    return SingleOp(BuiltinOperator.GATHER_ND, operands, [fed(after, kind)])


def lookup(
    count: int = 4,
    shape: Sequence[int] = (2, 3),
    kind: Any = np.int8,
    after: Any = np.int8,
    constants: tuple[bool, bool] = (True, False),
    scale: float | None = None,
) -> SingleOp:
    table = filled(shape, kind, scale) if constants[0] else fed(shape, kind, scale)
    output = fed((count, *shape[1:]), after)
    operands = [indices((count,), constants[1]), table]
    return SingleOp(BuiltinOperator.EMBEDDING_LOOKUP, operands, [output])


def feeds_of(case: SingleOp) -> list[Array]:
    generator = np.random.default_rng(3)
    return [
        chosen(operand.shape)
        if operand.type is TensorType.INT32
        else random_values(operand, generator)
        for operand in case.inputs
        if operand is not None and operand.values is None
    ]


EITHER = [(first, second) for first in (False, True) for second in (False, True)]
CASES = {
    **{f"gather {k.__name__}": gather((3, 2), (4,), (4, 2), kind=k) for k in TYPES},
    **{f"gather {c}": gather((3, 2, 4), (2, 2), (3, 2, 2, 4), 1, constants=c) for c in EITHER},
    **{f"gather rows {c}": gather((3, 4), (5,), (5, 4), constants=c) for c in EITHER},
    **{
        f"gather batches {c}": gather((2, 3, 5), (2, 4), (2, 4, 5), 1, 1, constants=c)
        for c in EITHER
    },
    "gather along the last axis": gather((3, 2, 4), (3,), (3, 2, 3), -1),
    "gather by one index": gather((3, 4), (), (3,), 1),
    "gather outer parts of batches": gather((2, 3, 4, 2), (2, 3), (2, 3, 3, 2), 2, 1),
    "gather batches counted from the end": gather((2, 3), (2, 2), (2, 2), 1, -1),
    "gather batches of all indices": gather((2, 2, 3), (2, 2), (2, 2), 2, 2),
    **{f"gather_nd {k.__name__}": gather_nd((3, 2), (4, 1), (4, 2), k) for k in TYPES},
    **{f"gather_nd {c}": gather_nd((3, 2, 4), (5, 2), (5, 4), constants=c) for c in EITHER},
    "gather_nd single elements": gather_nd((3, 2, 4), (2, 2, 3), (2, 2)),
    "gather_nd one element": gather_nd((2, 3), (2,), ()),
    "gather_nd five dimensions": gather_nd((2, 3, 2, 3, 2), (3, 5), (3,)),
    **{f"lookup {k.__name__}": lookup(kind=k, after=k) for k in TYPES},
    **{f"lookup {c}": lookup(constants=c) for c in EITHER},
    **{f"lookup of reals {c}": lookup(after=np.float32, constants=c, scale=0.37) for c in EITHER},
    "lookup of matrices": lookup(3, (2, 3, 5)),
    "lookup of reals without a scale": lookup(after=np.float32),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    feeds = feeds_of(case)
    assert_same(run_ours(case.model(), feeds), run_tflm(case.model(), feeds))


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    model, feeds = case.model(), feeds_of(case)
    if not feeds:
        return
    together = run_stacked(model, feeds, SAMPLES)
    for sample in range(SAMPLES):
        alone = run_ours(model, [np.roll(array, sample).reshape(array.shape) for array in feeds])
        assert_same([outputs[sample] for outputs in together], alone)


def test_gather_takes_rows_in_the_order_of_the_indices() -> None:
    values = np.array([[1, 2], [3, 4], [5, 6]], np.int8)
    case = gather((3, 2), (4,), (4, 2))
    (output,) = run_ours(case.model(), [values, np.array([2, 0, 0, 1], np.int32)])
    assert output.tolist() == [[5, 6], [1, 2], [1, 2], [3, 4]]


def test_gather_chooses_within_each_batch() -> None:
    values = np.array([[1, 2, 3], [4, 5, 6]], np.int8)
    case = gather((2, 3), (2, 2), (2, 2), 1, 1)
    (output,) = run_ours(case.model(), [values, np.array([[2, 0], [1, 1]], np.int32)])
    assert output.tolist() == [[3, 1], [5, 5]]


@pytest.mark.parametrize("axis", range(3))
def test_gather_is_numpys_take(axis: int) -> None:
    values = np.arange(60, dtype=np.int8).reshape(3, 4, 5)
    positions = np.array([[2, 0], [1, 2]], np.int32)
    expected = np.stack(
        [
            np.stack([np.moveaxis(values, axis, 0)[index] for index in row], axis)
            for row in positions
        ],
        axis,
    )
    case = gather(values.shape, positions.shape, expected.shape, axis)
    (output,) = run_ours(case.model(), [values, positions])
    np.testing.assert_array_equal(output, expected)


def test_gather_nd_takes_the_rows_at_places() -> None:
    values = np.arange(12, dtype=np.int8).reshape(2, 3, 2)
    places = np.array([[1, 2], [0, 1]], np.int32)
    (output,) = run_ours(gather_nd((2, 3, 2), (2, 2), (2, 2)).model(), [values, places])
    assert output.tolist() == [[10, 11], [2, 3]]


def test_gather_nd_without_indices_takes_everything() -> None:
    case = SingleOp(
        BuiltinOperator.GATHER_ND,
        [fed((2,), np.int8), fed((3, 0), np.int32)],
        [fed((3, 2), np.int8)],
    )
    feeds = [np.array([7, -7], np.int8), np.zeros((3, 0), np.int32)]
    (output,) = run_ours(case.model(), feeds)
    assert output.tolist() == [[7, -7]] * 3


def test_lookup_of_reals_multiplies_by_the_scale() -> None:
    table = constant(np.array([[2, -3], [127, -128]], np.int8), 0.5)
    case = SingleOp(
        BuiltinOperator.EMBEDDING_LOOKUP, [fed((2,), np.int32), table], [fed((2, 2), np.float32)]
    )
    (output,) = run_ours(case.model(), [np.array([1, 0], np.int32)])
    assert output.tolist() == [[63.5, -64.0], [1.0, -1.5]]


OUTSIDE = {
    "GATHER above": (gather((3, 2), (2,), (2, 2)), [0, 3], "Got 3, and bounds are .0, 2."),
    "GATHER below": (gather((3, 2), (2,), (2, 2)), [-1, 0], "Got -1, and bounds are .0, 2."),
    "GATHER constant": (
        replace(
            gather((3, 2), (2,), (2, 2)),
            inputs=[fed((3, 2), np.int8), constant(np.array([0, 9], np.int32))],
        ),
        None,
        "Got 9, and bounds are .0, 2.",
    ),
    "GATHER_ND": (gather_nd((2, 2), (1, 2), (1,)), [[1, 2]], "Got 4, and bounds are .0, 3."),
    "EMBEDDING_LOOKUP": (lookup(1), [2], "Got 2, and bounds are .0, 1."),
}


@pytest.mark.parametrize(("case", "positions", "reason"), OUTSIDE.values(), ids=OUTSIDE)
def test_an_index_out_of_range_stops_the_run(case: SingleOp, positions: Any, reason: str) -> None:
    feeds = [
        np.array(positions, np.int32) if array.dtype == np.int32 else array
        for array in feeds_of(case)
    ]
    with pytest.raises(RunError, match=f"node 0.: index out of bounds. {reason}"):
        run_ours(case.model(), feeds)


@needs_tflm
@pytest.mark.oracle
def test_gather_nd_only_looks_where_all_indices_together_lead() -> None:
    model = gather_nd((3, 2), (1, 2), (1,)).model()
    feeds = [np.arange(6, dtype=np.int8).reshape(3, 2), np.array([[0, 5]], np.int32)]
    (output,) = run_ours(model, feeds)
    assert output.tolist() == [5]
    assert_same([output], run_tflm(model, feeds))


def _indexed_by(kind: Any, case: SingleOp) -> SingleOp:
    operands = [
        fed(operand.shape, kind) if operand and operand.type is TensorType.INT32 else operand
        for operand in case.inputs
    ]
    return replace(case, inputs=operands)


REFUSALS = {
    "gather of int16": (gather((3,), (2,), (2,), kind=np.int16), "Type 'INT16' is not supported"),
    "gather by int64": (
        _indexed_by(np.int64, gather((3,), (2,), (2,))),
        "Positions of type 'INT64' are not supported by gather.",
    ),
    "gather into another type": (
        replace(gather((3,), (2,), (2,)), outputs=[fed((2,), np.float32)]),
        "does not convert",
    ),
    "gather with one input": (
        replace(gather((3,), (2,), (2,)), inputs=[fed((3,), np.int8)]),
        "1 inputs",
    ),
    "gather along no axis": (gather((3,), (2,), (2,), 1), "axis 1 is out of the range"),
    "gather of a scalar": (gather((), (2,), (2,)), "axis 0 is out of the range"),
    "gather batches behind the axis": (
        gather((2, 3), (2, 3), (2, 3), 0, 1),
        "1 batch dimensions do not fit axis 0",
    ),
    "gather more batches than indices": (gather((2, 3), (), (2,), 1, 1), "1 batch dimensions"),
    "gather other batches": (gather((2, 3), (3, 1), (2, 1), 1, 1), "other batches"),
    "gather into another shape": (gather((3, 2), (2,), (2, 3)), "the operator makes .2, 2."),
    "gather_nd of int16": (gather_nd((3,), (2, 1), (2,), np.int16), "Params of type 'INT16'"),
    "gather_nd by int64": (
        _indexed_by(np.int64, gather_nd((3,), (2, 1), (2,))),
        "Indices of type 'INT64' are not supported by gather_nd.",
    ),
    "gather_nd of a scalar": (gather_nd((), (1, 1), (1,)), "Params must be at least a vector."),
    "gather_nd by a scalar": (gather_nd((3,), (), (1,)), "Indices must be at least a vector."),
    "gather_nd by too many indices": (gather_nd((3,), (1, 2), (1,)), "must be <= params rank"),
    "gather_nd of six dimensions": (gather_nd((1,) * 6, (1, 6), (1,)), "must not exceed 5"),
    "gather_nd of nothing": (gather_nd((0, 2), (1, 2), (1,)), "is empty"),
    "gather_nd into another shape": (gather_nd((3, 2), (2, 1), (2,)), "the operator makes .2, 2."),
    "lookup of int16": (lookup(kind=np.int16, after=np.int16), "the table is INT16"),
    "lookup of reals as integers": (lookup(kind=np.float32), "the table of another type"),
    "lookup into int16": (lookup(after=np.int16), "the output is INT16"),
    "lookup in a vector": (lookup(shape=(3,)), "has no columns"),
    "lookup in no rows": (lookup(shape=(0, 3), constants=(False, False)), "has no rows"),
    "lookup by int64": (_indexed_by(np.int64, lookup()), "the indices is INT64"),
    "lookup by a matrix": (
        replace(lookup(), inputs=[fed((4, 1), np.int32), fed((2, 3), np.int8)]),
        "no vector",
    ),
    "lookup of reals with a zero point": (
        replace(
            lookup(after=np.float32), inputs=[fed((4,), np.int32), fed((2, 3), np.int8, 0.1, 5)]
        ),
        "zero point of 5",
    ),
    "lookup into another shape": (
        replace(lookup(), outputs=[fed((4, 2), np.int8)]),
        "the operator makes .4, 3.",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), feeds_of(case))
