"""SOFTMAX: beside real arithmetic and beside TFLM, and rows that TFLM cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.support.single_op import (
    Operand,
    SingleOp,
    assert_like_tflm,
    fed,
    needs_tflm,
    random_feeds,
    run_ours,
)
from tests.support.stacking import assert_stacks
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.model.options import SoftmaxOptions
from tinyml_runtime.types import BuiltinOperator

Shape = tuple[int, ...]
FLOAT, TO_INT8, TO_INT16, WIDE = "float32", "int8", "int8 to int16", "int16"
KINDS: dict[str, tuple[Any, Any, float | None, float | None, int]] = {
    FLOAT: (np.float32, np.float32, None, None, 0),
    TO_INT8: (np.int8, np.int8, 0.04, 1 / 256, -128),
    TO_INT16: (np.int8, np.int16, 0.04, 1 / 65536, -32768),
    WIDE: (np.int16, np.int16, 2e-4, 1 / 32768, 0),
}


def softmax(
    kind: str, shape: Shape = (3, 11), *, scale: float | None = None, zero_point: int = 0,
    beta: float = 1.0,
) -> SingleOp:  # fmt: skip
    source, output, usual_scale, output_scale, output_point = KINDS[kind]
    chosen = scale or usual_scale
    operand = fed(shape, source, None if chosen is None else float(np.float32(chosen)), zero_point)
    made = fed(shape, output, output_scale, output_point)
    options = SoftmaxOptions(beta=float(np.float32(beta)))
    return SingleOp(BuiltinOperator.SOFTMAX, [operand], [made], options)


SHAPES = {
    "one row": (1, 12),
    "a vector": (7,),
    "one column": (5, 1),
    "four dimensions": (2, 3, 4, 5),
    "many columns": (2, 300),
}
CASES = {
    **{f"{kind}, {name}": softmax(kind, shape) for kind in KINDS for name, shape in SHAPES.items()},
    **{f"{kind} with beta {beta}": softmax(kind, beta=beta) for kind in KINDS for beta in (0.3, 2)},
    **{
        f"{kind} with scale {scale}": softmax(kind, scale=scale)
        for kind, scales in (
            (TO_INT8, (0.001, 0.5, 30.0)),
            (TO_INT16, (0.001, 0.5, 30.0)),
            (WIDE, (1e-6, 1e-3, 0.5)),
        )
        for scale in scales
    },
    "int8 with a zero point": softmax(TO_INT8, zero_point=-77),
    "int16 with beta 0": softmax(WIDE, beta=0.0),
    "float32 with beta 0": softmax(FLOAT, beta=0.0),
}


@needs_tflm
@pytest.mark.oracle
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_agrees_with_tflm(case: SingleOp) -> None:
    assert_like_tflm(case)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_several_samples_give_what_they_give_alone(case: SingleOp) -> None:
    assert_stacks(case)


@pytest.mark.parametrize("kind", KINDS)
def test_is_within_a_few_steps_of_real_arithmetic(kind: str) -> None:
    case = softmax(kind, (40, 9))
    (values,) = random_feeds(case)
    (result,) = run_ours(case.model(), [values])
    source, output = case.inputs[0], case.outputs[0]
    assert source is not None
    exponentials = np.exp(values.astype(float) * (source.scales or (1.0,))[0])
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)
    real = (result.astype(float) - (output.zero_points or (0,))[0]) * (output.scales or (1.0,))[0]
    # The interpolated tables of int16 are exact to some steps of 2**-15.
    tolerance = {FLOAT: 1e-6, TO_INT8: 1 / 256, TO_INT16: 2 / 65536, WIDE: 10 / 32768}[kind]
    np.testing.assert_allclose(real, expected, atol=tolerance)


def test_by_hand() -> None:
    case = softmax(TO_INT8, (1, 4), scale=1.0)
    # exp: 1, e**-1, e**-2, 0 over their sum: 0.66524, 0.24473, 0.09003, 0 in steps of 1/256
    (output,) = run_ours(case.model(), [np.array([[5, 4, 3, -128]], np.int8)])
    assert output.tolist() == [[170 - 128, 63 - 128, 23 - 128, -128]]


def test_a_row_alone_gives_what_it_gives_among_others() -> None:
    """One row is worked out in Python's integers, several in arrays."""
    for kind in (TO_INT8, TO_INT16):
        (values,) = random_feeds(softmax(kind, (20, 6)))
        (together,) = run_ours(softmax(kind, (20, 6)).model(), [values])
        alone = [run_ours(softmax(kind, (1, 6)).model(), [row])[0] for row in values[:, np.newaxis]]
        np.testing.assert_array_equal(together, np.concatenate(alone))


@pytest.mark.parametrize("rows", [1, 2])
@pytest.mark.parametrize("depth", [512, 1000, 5000, 8192])
def test_rows_of_many_equal_values_are_zero_where_tflm_would_stop(rows: int, depth: int) -> None:
    case = softmax(TO_INT8, (rows, depth))
    (output,) = run_ours(case.model(), [np.zeros((rows, depth), np.int8)])
    assert np.unique(output[:, 1:]).tolist() in ([-128], [127])


def test_a_scalar_depth_of_one_is_certain() -> None:
    for kind, certain in ((FLOAT, 1.0), (TO_INT8, 127), (TO_INT16, 32767), (WIDE, 32767)):
        case = softmax(kind, (3, 1))
        (output,) = run_ours(case.model(), random_feeds(case))
        np.testing.assert_allclose(output, certain, atol=1)


def _between(source: Operand, output: Operand, beta: float = 1.0) -> SingleOp:
    return SingleOp(BuiltinOperator.SOFTMAX, [source], [output], SoftmaxOptions(beta=beta))


THREE = (1, 3)
BYTES = fed(THREE, np.int8, 0.1)
WORDS = fed(THREE, np.int16, 1e-4)
REFUSALS = {
    "a scalar": (softmax(FLOAT, ()), "scalar"),
    "no elements": (softmax(FLOAT, (0,)), "no elements"),
    "uint8": (_between(fed(THREE, np.uint8, 0.1), fed(THREE, np.uint8, 1 / 256)), "UINT8 -> UINT8"),
    "int16 to int8": (_between(WORDS, fed(THREE, np.int8, 1 / 256, -128)), "INT16 -> INT8"),
    "float32 to int8": (
        _between(fed(THREE, np.float32), fed(THREE, np.int8, 1 / 256, -128)),
        "FLOAT32 -> INT8",
    ),
    "an int8 output of another scale": (
        _between(BYTES, fed(THREE, np.int8, 1 / 255, -128)),
        "gives",
    ),
    "an int8 output of another zero point": (
        _between(BYTES, fed(THREE, np.int8, 1 / 256, 0)),
        "gives",
    ),
    "an int16 output of another scale": (_between(WORDS, fed(THREE, np.int16, 2**-16)), "gives"),
    "an int16 input with a zero point": (
        _between(fed(THREE, np.int16, 1e-4, 2), fed(THREE, np.int16, 2**-15)),
        "not 0",
    ),
    "an int8 input without a scale": (
        _between(fed(THREE, np.int8), fed(THREE, np.int8, 1 / 256, -128)),
        "above 1",
    ),
    "int8 with beta 0": (softmax(TO_INT8, beta=0.0), "above 1"),
    "another size": (_between(BYTES, fed((4,), np.int8, 1 / 256, -128)), "makes 3"),
    "two inputs": (
        SingleOp(BuiltinOperator.SOFTMAX, [fed(THREE, np.float32)] * 2, [fed(THREE, np.float32)]),
        "2 inputs",
    ),
}


@pytest.mark.parametrize(("case", "reason"), REFUSALS.values(), ids=REFUSALS)
def test_refuses(case: SingleOp, reason: str) -> None:
    with pytest.raises(UnsupportedModelError, match=reason):
        run_ours(case.model(), random_feeds(case))
