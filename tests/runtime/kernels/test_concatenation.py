"""CONCATENATION, PACK, UNPACK, SPLIT and SPLIT_V: by hand, beside NumPy, and beside TFLM."""

from __future__ import annotations

from collections.abc import Sequence
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
from tinyml_runtime.model.options import (
    ConcatenationOptions,
    PackOptions,
    SplitOptions,
    SplitVOptions,
    UnpackOptions,
)
from tinyml_runtime.types import Activation, BuiltinOperator

SPLIT_TYPES = [np.float32, np.int8, np.int16, np.int32]
PACK_TYPES = [*SPLIT_TYPES, np.int64]
CONCATENATION_TYPES = [*PACK_TYPES, np.bool_]


def tensor(shape: Sequence[int], kind: Any, zero_point: int | None = None) -> Operand:
    quantized = kind in (np.int8, np.int16)
    point = (-3 if kind is np.int8 else 0) if zero_point is None else zero_point
    return fed(shape, kind, 0.5 if quantized else None, point)


def concatenation(
    axis: int = 1,
    kind: Any = np.int8,
    lengths: Sequence[int] = (2, 1, 3),
    others: Sequence[int] = (2, 4),
    *,
    constants: Sequence[int] = (),
    activation: Activation = Activation.NONE,
) -> SingleOp:
    def shape(length: int) -> list[int]:
        sizes = list(others)
        sizes.insert(axis % (len(others) + 1), length)
        return sizes

    inputs = [tensor(shape(length), kind) for length in lengths]
    for position in constants:
        values = np.ones(inputs[position].shape, kind)
        scales, points = inputs[position].scales, inputs[position].zero_points
        inputs[position] = constant(values, scales or None, points)
    return SingleOp(
        BuiltinOperator.CONCATENATION,
        inputs,
        [tensor(shape(sum(lengths)), kind)],
        ConcatenationOptions(axis, activation),
    )


def pack(axis: int = 0, kind: Any = np.int8, count: int = 3, shape: Any = (2, 4)) -> SingleOp:
    packed = list(shape)
    packed.insert(axis % (len(shape) + 1), count)
    inputs = [fed(shape, kind)] * count
    return SingleOp(BuiltinOperator.PACK, inputs, [fed(packed, kind)], PackOptions(count, axis))


def unpack(axis: int = 0, kind: Any = np.int8, count: int = 3, shape: Any = (2, 4)) -> SingleOp:
    packed = list(shape)
    packed.insert(axis % (len(shape) + 1), count)
    outputs = [fed(shape, kind)] * count
    return SingleOp(
        BuiltinOperator.UNPACK, [fed(packed, kind)], outputs, UnpackOptions(count, axis)
    )


def split(
    axis: int = 1,
    kind: Any = np.int8,
    count: int = 2,
    shape: Any = (2, 6, 3),
    words: Any = np.int32,
) -> SingleOp:
    part = list(shape)
    part[axis] //= count
    return SingleOp(
        BuiltinOperator.SPLIT,
        [constant(np.array([axis], words)), fed(shape, kind)],
        [fed(part, kind)] * count,
        SplitOptions(count),
    )


def split_v(
    axis: int = 1,
    kind: Any = np.int8,
    lengths: Sequence[int] = (1, 3, 2),
    shape: Any = (2, 6, 3),
    sizes: Operand | None = None,
) -> SingleOp:
    outputs: list[Operand] = []
    for length in lengths:
        part = list(shape)
        part[axis] = length
        outputs.append(fed(part, kind))
    given = sizes or constant(np.array(lengths, np.int32))
    position = constant(np.array(axis, np.int32))
    return SingleOp(
        BuiltinOperator.SPLIT_V, [fed(shape, kind), given, position], outputs, SplitVOptions(3)
    )


CASES = {
    **{f"concatenation of {k.__name__}": concatenation(kind=k) for k in CONCATENATION_TYPES},
    **{f"concatenation along {axis}": concatenation(axis) for axis in (0, 2, -1, -2, -3)},
    "concatenation of one": concatenation(lengths=(3,)),
    "concatenation of ten": concatenation(lengths=(1,) * 10),
    "concatenation with a constant": concatenation(constants=(1,)),
    "concatenation of constants and one input": concatenation(0, constants=(0, 2)),
    "concatenation of six dimensions": concatenation(4, others=(1, 2, 1, 2, 3)),
    "concatenation without options": SingleOp(
        BuiltinOperator.CONCATENATION, [fed((2,), np.int32)] * 2, [fed((4,), np.int32)]
    ),
    "concatenation of int16 of other scales": SingleOp(
        BuiltinOperator.CONCATENATION,
        [fed((2,), np.int16, 0.5), fed((2,), np.int16, 0.25)],
        [fed((4,), np.int16, 2.0)],
    ),
    **{f"pack of {k.__name__}": pack(1, k) for k in PACK_TYPES},
    **{f"pack along {axis}": pack(axis) for axis in (0, 1, 2, -1, -3)},
    "pack of one": pack(1, count=1),
    "pack of scalars": pack(0, shape=()),
    "pack of a scalar and a vector of one": SingleOp(
        BuiltinOperator.PACK,
        [fed((), np.int8), fed((1,), np.int8)],
        [fed((2,), np.int8)],
        PackOptions(2, 0),
    ),
    "pack with a constant": SingleOp(
        BuiltinOperator.PACK,
        [fed((2,), np.int8), constant(np.array([5, 6], np.int8))],
        [fed((2, 2), np.int8)],
        PackOptions(2, 1),
    ),
    **{f"unpack of {k.__name__}": unpack(1, k) for k in SPLIT_TYPES},
    **{f"unpack along {axis}": unpack(axis) for axis in (0, 1, 2, -1, -3)},
    "unpack into scalars": unpack(0, shape=()),
    **{f"split of {k.__name__}": split(kind=k) for k in SPLIT_TYPES},
    **{f"split along {axis}": split(axis, shape=(4, 6, 2)) for axis in (0, 1, 2, -1, -3)},
    "split into one": split(count=1),
    "split along an axis of 64 bits": split(1, words=np.int64),
    **{f"split_v of {k.__name__}": split_v(kind=k) for k in SPLIT_TYPES},
    **{f"split_v along {axis}": split_v(axis, shape=(6, 6, 6)) for axis in (0, 1, 2, -1, -3)},
    "split_v by sizes that are fed": split_v(sizes=fed((3,), np.int32)),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


def test_concatenates_along_the_last_axis() -> None:
    feeds = [np.array([[1], [2]], np.int8), np.array([[3, 4], [5, 6]], np.int8)]
    (output,) = run_ours(concatenation(-1, lengths=(1, 2), others=(2,)).model(), feeds)
    assert output.tolist() == [[1, 3, 4], [2, 5, 6]]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_concatenates_as_numpy_does(axis: int) -> None:
    case = concatenation(axis)
    feeds = random_feeds(case)
    (output,) = run_ours(case.model(), feeds)
    np.testing.assert_array_equal(output, np.concatenate(feeds, axis))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_packs_as_numpy_stacks_and_unpacks_again(axis: int) -> None:
    case = pack(axis)
    feeds = random_feeds(case)
    (packed,) = run_ours(case.model(), feeds)
    np.testing.assert_array_equal(packed, np.stack(feeds, axis))
    for output, array in zip(run_ours(unpack(axis).model(), [packed]), feeds, strict=True):
        np.testing.assert_array_equal(output, array)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_splits_into_equal_parts_as_numpy_does(axis: int) -> None:
    case = split(axis, count=2, shape=(4, 6, 2))
    (values,) = random_feeds(case)
    for output, part in zip(
        run_ours(case.model(), [values]), np.split(values, 2, axis), strict=True
    ):
        np.testing.assert_array_equal(output, part)


def test_splits_at_the_lengths_of_the_outputs() -> None:
    case = split_v(0, np.int32, (1, 3), (4,), constant(np.array([2, 2], np.int32)))
    first, second = run_ours(case.model(), [np.array([1, 2, 3, 4], np.int32)])
    assert (first.tolist(), second.tolist()) == ([1], [2, 3, 4])


def test_parts_without_elements_add_nothing() -> None:
    nothing = np.zeros(0, np.int8)
    for lengths in ([0, 2], [0, 0]):
        feeds = [np.arange(length, dtype=np.int8) for length in lengths]
        (output,) = run_ours(concatenation(0, lengths=lengths, others=()).model(), feeds)
        assert output.tolist() == list(range(sum(lengths)))
    for output in run_ours(split(0, count=2, shape=(0,)).model(), [nothing]):
        assert output.shape == (0,)


def _joining(
    operator: BuiltinOperator, inputs: Sequence[Operand], output: Operand, options: Any = None
) -> SingleOp:
    return SingleOp(operator, inputs, [output], options)


CONCATENATION, PACK = BuiltinOperator.CONCATENATION, BuiltinOperator.PACK
PAIR = fed((2,), np.int8)

REFUSALS = {
    "a fused activation": (concatenation(activation=Activation.RELU), "fused RELU"),
    "eleven inputs": (concatenation(lengths=(1,) * 11), "at most 10"),
    "concatenation of uint8": (concatenation(kind=np.uint8), "UINT8"),
    "inputs of two types": (
        _joining(CONCATENATION, [PAIR, fed((2,), np.bool_)], fed((4,), np.int8)),
        "input 1 is BOOL",
    ),
    "int8 of another scale": (
        _joining(CONCATENATION, [fed((2,), np.int8, 0.5)], fed((2,), np.int8, 0.25)),
        "different scales or zero points",
    ),
    "int8 of another zero point": (
        _joining(CONCATENATION, [fed((2,), np.int8, 0.5, 1)], fed((2,), np.int8, 0.5)),
        "different scales or zero points",
    ),
    "an int16 input with a zero point": (
        _joining(CONCATENATION, [fed((2,), np.int16, 0.5, 1)], fed((2,), np.int16, 0.5)),
        "zero point",
    ),
    "an int16 output with a zero point": (
        _joining(CONCATENATION, [fed((2,), np.int16, 0.5)], fed((2,), np.int16, 0.5, 1)),
        "zero point",
    ),
    "seven dimensions": (
        concatenation(others=(1,) * 6),
        "does not currently support num dimensions > 6",
    ),
    "an axis behind the last": (
        _joining(CONCATENATION, [PAIR], fed((2,), np.int8), ConcatenationOptions(1)),
        "axis 1 is out of the range",
    ),
    "inputs that do not fill the output": (
        _joining(CONCATENATION, [PAIR, PAIR], fed((5,), np.int8)),
        "4 long along axis 0",
    ),
    "inputs of another width": (
        _joining(CONCATENATION, [fed((1, 2), np.int8), fed((1, 3), np.int8)], fed((2, 2), np.int8)),
        r"input 1 has shape \[1, 3\]",
    ),
    "inputs of another rank": (
        _joining(CONCATENATION, [fed((2, 1), np.int8), PAIR], fed((4, 1), np.int8)),
        r"input 1 has shape \[2\]",
    ),
    "no inputs to concatenate": (
        _joining(CONCATENATION, [], fed((2,), np.int8)),
        "input 0 is missing",
    ),
    "pack of booleans": (pack(kind=np.bool_), "BOOL"),
    "pack of two types": (
        _joining(PACK, [PAIR, fed((2,), np.uint8)], fed((2, 2), np.int8), PackOptions(2, 0)),
        "input 1 is UINT8",
    ),
    "pack of fewer inputs than the options tell": (
        _joining(PACK, [PAIR], fed((2, 2), np.int8), PackOptions(2, 0)),
        "input 1 is missing",
    ),
    "pack of more values than the output holds": (
        _joining(PACK, [PAIR] * 3, fed((2, 2), np.int8), PackOptions(3, 0)),
        "tell of 3 values",
    ),
    "pack of inputs of another size": (
        _joining(PACK, [PAIR, fed((3,), np.int8)], fed((2, 2), np.int8), PackOptions(2, 0)),
        "3 elements",
    ),
    "pack along an axis out of range": (
        _joining(PACK, [PAIR] * 2, fed((2, 2), np.int8), PackOptions(2, 2)),
        "axis 2 is out of the range",
    ),
    "unpack of 64 bits": (unpack(kind=np.int64), "INT64"),
    "unpack into fewer outputs": (
        SingleOp(BuiltinOperator.UNPACK, [fed((3, 2), np.int8)], [PAIR] * 2, UnpackOptions(2, 0)),
        "2 long along axis 0",
    ),
    "unpack into outputs that are not there": (
        SingleOp(BuiltinOperator.UNPACK, [fed((3, 2), np.int8)], [PAIR] * 2, UnpackOptions(3, 0)),
        "output 2 is missing",
    ),
    "unpack along an axis out of range": (
        SingleOp(BuiltinOperator.UNPACK, [fed((2, 2), np.int8)], [PAIR] * 2, UnpackOptions(2, 2)),
        "axis 2 is out of the range",
    ),
    "split of booleans": (split(kind=np.bool_), "BOOL"),
    "split along an axis that is fed": (
        SingleOp(BuiltinOperator.SPLIT, [fed((1,), np.int32), PAIR], [PAIR]),
        "Non-constant >axis< tensor is not supported",
    ),
    "split along an axis out of range": (
        SingleOp(BuiltinOperator.SPLIT, [constant(np.array([1], np.int32)), PAIR], [PAIR]),
        "axis 1 is out of the range",
    ),
    "split into unequal parts": (
        SingleOp(
            BuiltinOperator.SPLIT,
            [constant(np.array([0], np.int32)), fed((4,), np.int8)],
            [PAIR, fed((3,), np.int8)],
        ),
        "output 1",
    ),
    "split into another type": (
        SingleOp(
            BuiltinOperator.SPLIT,
            [constant(np.array([0], np.int32)), fed((4,), np.int8)],
            [PAIR, fed((2,), np.uint8)],
        ),
        "output 1 is UINT8",
    ),
    "split_v without sizes": (
        SingleOp(BuiltinOperator.SPLIT_V, [PAIR, constant(np.array(0, np.int32))], [PAIR]),
        "2 inputs",
    ),
    "split_v along an axis that is fed": (
        SingleOp(
            BuiltinOperator.SPLIT_V,
            [PAIR, constant(np.array([2], np.int32)), fed((1,), np.int32)],
            [PAIR],
        ),
        "Non-constant >axis< tensor is not supported",
    ),
    "split_v into outputs of another length": (
        split_v(lengths=(1, 3, 1)),
        "5 long along axis 1",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
