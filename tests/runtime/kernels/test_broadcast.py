"""Broadcasting of shapes: joined axes, what is refused, and NumPy's result."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.single_op import (
    SingleOp,
    assert_like_tflm,
    constant,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import NodeError, UnsupportedModelError
from tinyml_runtime.kernels.broadcast import joined_axes
from tinyml_runtime.tensor import Array
from tinyml_runtime.types import BuiltinOperator

Shape = tuple[int, ...]

JOINED = {
    "equal shapes": ((2, 3, 4), (2, 3, 4), (24,), (24,)),
    "a scalar": ((2, 3), (), (6,), (1,)),
    "a row of channels": ((8, 6, 4, 3), (3,), (192, 3), (1, 3)),
    "the middle": ((2, 3, 4, 5), (2, 1, 1, 5), (2, 12, 5), (2, 1, 5)),
    "both ways": ((4, 1, 3), (1, 5, 3), (4, 1, 3), (1, 5, 3)),
    "ones on both sides": ((1, 4, 1), (1, 4, 1), (4,), (4,)),
    "one axis of ones between": ((2, 1, 3), (2, 1, 3), (6,), (6,)),
    "single elements": ((1, 1), (1,), (), ()),
}


@pytest.mark.parametrize(("first", "second", "a", "b"), JOINED.values(), ids=JOINED)
def test_joins_axes(first: Shape, second: Shape, a: Shape, b: Shape) -> None:
    assert joined_axes(first, second) == (a, b)
    assert joined_axes(second, first) == (b, a)


@pytest.mark.parametrize(("first", "second"), [((2, 3), (2,)), ((4,), (3,)), ((2, 2), (3, 1, 4))])
def test_refuses_shapes_that_do_not_agree(first: Shape, second: Shape) -> None:
    with pytest.raises(NodeError, match="do not broadcast"):
        joined_axes(first, second)


@given(
    st.lists(st.tuples(st.integers(1, 4), st.booleans(), st.booleans()), max_size=5),
    st.integers(0, 2),
)
def test_joined_axes_broadcast_to_the_same_elements(
    axes: list[tuple[int, bool, bool]], missing: int
) -> None:
    first = tuple(1 if repeated else length for length, repeated, _ in axes)
    second = tuple(1 if repeated else length for length, _, repeated in axes)[missing:]
    a: Array = np.arange(prod(first)).reshape(first)
    b: Array = np.arange(prod(second)).reshape(second)
    joined_a, joined_b = joined_axes(first, second)
    result = a.reshape(joined_a) * 1000 + b.reshape(joined_b)
    assert result.ravel().tolist() == (a * 1000 + b).ravel().tolist()


SHAPES = {
    "equal": ((1, 3, 5), (1, 3, 5), (1, 3, 5)),
    "a scalar second": ((3, 5), (), (3, 5)),
    "a scalar first": ((), (3, 5), (3, 5)),
    "scalars": ((), (), ()),
    "fewer dimensions": ((2, 3, 5), (5,), (2, 3, 5)),
    "every other axis": ((2, 1, 3, 1), (1, 4, 1, 5), (2, 4, 3, 5)),
    "the first axis": ((4, 3), (1, 3), (4, 3)),
    "five dimensions": ((2, 1, 3, 1, 2), (1, 2, 3, 2, 2), (2, 2, 3, 2, 2)),
    "an output without a leading one": ((1, 4), (4,), (4,)),
    "an output with a leading one": ((4,), (4,), (1, 4)),
    "equal inputs and another view of them": ((2, 3), (2, 3), (6,)),
}


def maximum(first: Shape, second: Shape, output: Shape) -> SingleOp:
    operands = [fed(first, np.int16), fed(second, np.int16)]
    return SingleOp(BuiltinOperator.MAXIMUM, operands, [fed(output, np.int16)])


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_broadcasts_as_numpy_does(shapes: tuple[Shape, Shape, Shape]) -> None:
    case = maximum(*shapes)
    feeds = random_feeds(case)
    (output,) = run_ours(case.model(), feeds)
    np.testing.assert_array_equal(output, np.maximum(*feeds).reshape(shapes[2]))


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
def test_broadcasts_as_tflm_does(shapes: tuple[Shape, Shape, Shape]) -> None:
    assert_like_tflm(maximum(*shapes))


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("fixed", [(), (0,), (1,)], ids=["neither", "first", "second"])
def test_samples_broadcast_as_they_do_alone(
    shapes: tuple[Shape, Shape, Shape], fixed: tuple[int, ...]
) -> None:
    assert_stacks(with_constants(maximum(*shapes), fixed))


def test_two_constants_broadcast() -> None:
    case = maximum((2, 1), (3,), (2, 3))
    (output,) = run_ours(with_constants(case, (0, 1)).model(), [])
    np.testing.assert_array_equal(output, np.maximum(*random_feeds(case)))


def with_constants(case: SingleOp, positions: tuple[int, ...]) -> SingleOp:
    """The same operator with inputs at these positions in the file."""
    operands = list(case.inputs)
    for position in positions:
        operands[position] = constant(random_feeds(case)[position])
    return SingleOp(case.operator, operands, case.outputs)


REFUSALS = {
    "inputs that do not agree": (maximum((2, 3), (2,), (2, 3)), "do not broadcast"),
    "an output that is too small": (maximum((2, 3), (3,), (3,)), r"makes \[2, 3\]"),
    "an output that repeats both": (maximum((1, 3), (3,), (2, 3)), r"makes \[1, 3\]"),
    "nine dimensions": (maximum((1,) * 9, (1,) * 8, (1,) * 9), "at most 8"),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
