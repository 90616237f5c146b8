"""More models of one operator: those that move elements to other places."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from tests.runtime.kernels.test_pad import pad
from tests.runtime.kernels.test_resize import resize
from tests.runtime.kernels.test_shapes import reshape, transpose
from tests.support.single_op import SingleOp, constant, fed
from tinyml_runtime.model.options import ConcatenationOptions, StridedSliceOptions
from tinyml_runtime.types import BuiltinOperator as Op

F32, I8, I16, I32 = np.float32, np.int8, np.int16, np.int32
Named = Iterator[tuple[str, SingleOp]]


def moving_cases() -> Named:
    """Models of one operator that moves elements."""
    for kind, count in product((I8, I16, F32), (4, 10, 15, 24, 63, 64, 250, 1000, 4003)):
        yield f"reshape {kind.__name__} {count}", reshape((1, count), (count,), kind)
    yield "reshape int8 image", reshape((1, 5, 5, 8), (1, 200))
    pads = (
        ((1, 8, 8, 3), ((0, 0), (1, 1), (1, 1), (0, 0))),
        ((1, 7, 9, 16), ((0, 0), (0, 1), (0, 1), (0, 0))),
        ((1, 5, 5, 6), ((0, 0), (0, 0), (0, 0), (1, 2))),
        ((1, 40, 6), ((0, 0), (3, 0), (0, 0))),
        ((10, 30), ((2, 2), (4, 4))),
    )
    for kind, (number, (shape, paddings)) in product((I8, I16, F32), enumerate(pads)):
        yield f"pad {kind.__name__} {number}", pad(shape, paddings, kind)
    slices = (
        ((1, 12, 10, 4), (0, 2, 3, 0), (1, 10, 9, 4), (1, 1, 1, 1)),
        ((1, 40, 6), (0, 3, 1), (1, 37, 4), (1, 1, 1)),
        ((8, 60), (0, 7), (8, 50), (1, 1)),
        ((1, 16, 16, 3), (0, 0, 0, 0), (1, 16, 16, 3), (1, 2, 2, 1)),
        ((6, 50), (0, 0), (6, 50), (1, 3)),
        ((500,), (20,), (400,), (1,)),
    )
    for kind, (number, (shape, *box)) in product((I8, I16, F32), enumerate(slices)):
        yield f"strided_slice {kind.__name__} {number}", _strided(kind, shape, *box)
    joins = (
        (3, ((1, 6, 6, 8), (1, 6, 6, 8))),
        (3, ((1, 8, 8, 3), (1, 8, 8, 5), (1, 8, 8, 1))),
        (1, ((1, 40), (1, 24))),
        (1, ((1, 4, 5, 6), (1, 7, 5, 6))),
        (2, ((1, 10, 20), (1, 10, 30), (1, 10, 10), (1, 10, 4))),
        (1, ((1, 300), (1, 500))),
    )
    for kind, (number, (axis, shapes)) in product((I8, I16, F32), enumerate(joins)):
        yield f"concatenation {kind.__name__} {number}", _joined(kind, axis, shapes)
    for kind, (number, (axes, shape)) in product(
        (I8, F32), enumerate((((0, 2, 1), (1, 20, 12)), ((0, 3, 1, 2), (1, 6, 7, 8))))
    ):
        yield f"transpose {kind.__name__} {number}", transpose(axes, shape, kind)
    for operator, kind in product((Op.RESIZE_NEAREST_NEIGHBOR, Op.RESIZE_BILINEAR), (I8, F32)):
        case = resize(operator, (5, 6), (10, 12), kind, batch=1, channels=8)
        yield f"{operator.name.lower()} {kind.__name__}", case


def _strided(kind: Any, shape: tuple[int, ...], *box: tuple[int, ...]) -> SingleOp:
    begin, end, strides = box
    after = tuple(len(range(*each)) for each in zip(begin, end, strides, strict=True))
    words = [constant(np.array(each, I32)) for each in box]
    return SingleOp(
        Op.STRIDED_SLICE, [fed(shape, kind), *words], [fed(after, kind)], StridedSliceOptions()
    )


def _joined(kind: Any, axis: int, shapes: tuple[tuple[int, ...], ...]) -> SingleOp:
    scale = None if kind is F32 else 0.1
    after = list(shapes[0])
    after[axis] = sum(shape[axis] for shape in shapes)
    return SingleOp(
        Op.CONCATENATION,
        [fed(shape, kind, scale) for shape in shapes],
        [fed(after, kind, scale)],
        ConcatenationOptions(axis=axis),
    )
