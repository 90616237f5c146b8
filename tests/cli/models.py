"""Small models as files, for the command to run."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import SingleOp, constant, fed, variable
from tinyml_runtime import BuiltinOperator, Model, write_model
from tinyml_runtime.model.options import (
    AddOptions,
    GatherOptions,
    Options,
    SoftmaxOptions,
    SubOptions,
    SVDFOptions,
    WhileOptions,
)

MODEL = "model.tflite"


def write(model: Model, folder: Path) -> Path:
    path = folder / MODEL
    path.write_bytes(write_model(model))
    return path


def identity(
    folder: Path,
    shape: Sequence[int],
    dtype: Any = np.float32,
    scale: float | None = None,
    zero_point: int = 0,
) -> Path:
    """Its output [1, elements] is its input, element by element."""
    flat = (1, prod(shape))
    case = SingleOp(
        BuiltinOperator.RESHAPE,
        [fed(shape, dtype, scale, zero_point), constant(np.array(flat, np.int32))],
        [fed(flat, dtype, scale, zero_point)],
    )
    return write(case.model(), folder)


def classifier(folder: Path, classes: int) -> Path:
    """A softmax of int8 logits (scale 0.1, zero point 0) to int8 probabilities."""
    return _unary(folder, BuiltinOperator.SOFTMAX, (1, classes), SoftmaxOptions(beta=1.0))


def binary_classifier(folder: Path) -> Path:
    """A logistic function of one int8 logit (scale 0.1, zero point 0)."""
    return _unary(folder, BuiltinOperator.LOGISTIC, (1, 1), None)


def adder(folder: Path) -> Path:
    """Two float inputs [1, 2], t0 and t1, and their sum."""
    shape = (1, 2)
    case = SingleOp(
        BuiltinOperator.ADD,
        [fed(shape, np.float32), fed(shape, np.float32)],
        [fed(shape, np.float32)],
        AddOptions(),
    )
    return write(case.model(), folder)


def last_two(folder: Path) -> Path:
    """The sum of a float input [1, 1] and of the one of the invocation before."""
    constants = np.ones((1, 1)), np.ones((1, 2)), np.zeros(1)
    weights_and_bias = [constant(values.astype(np.float32)) for values in constants]
    case = SingleOp(
        BuiltinOperator.SVDF,
        [fed((1, 1), np.float32), *weights_and_bias, variable((1, 2), np.float32, 0)],
        [fed((1, 1), np.float32)],
        SVDFOptions(rank=1),
    )
    return write(case.model(), folder)


def lookup(folder: Path) -> Path:
    """The element of [1, 2, 3] at an int32 index [1]."""
    case = SingleOp(
        BuiltinOperator.GATHER,
        [constant(np.array([1, 2, 3], np.float32)), fed((1,), np.int32)],
        [fed((1,), np.float32)],
        GatherOptions(),
    )
    return write(case.model(), folder)


def countdown(folder: Path) -> Path:
    """An int32 number [1], from which 1 is taken while it is above 0."""
    number, one = fed((1,), np.int32), constant(np.array([1], np.int32))
    loop = Call(BuiltinOperator.WHILE, ["n"], ["m"], WhileOptions(1, 2))
    main = Graph({"n": number, "m": number}, ["n"], ["m"], [loop])
    condition = Graph(
        {"n": number, "one": one, "more": fed((1,), np.bool_)},
        ["n"],
        ["more"],
        [Call(BuiltinOperator.GREATER_EQUAL, ["n", "one"], ["more"])],
    )
    body = Graph(
        {"n": number, "one": one, "m": number},
        ["n"],
        ["m"],
        [Call(BuiltinOperator.SUB, ["n", "one"], ["m"], SubOptions())],
    )
    return write(model_of(main, condition, body), folder)


def unsupported(folder: Path) -> Path:
    """A model of a custom operator that nobody has."""
    case = SingleOp("Nonesuch", [fed((1, 2), np.float32)], [fed((1, 2), np.float32)])
    return write(case.model(), folder)


def _unary(
    folder: Path, operator: BuiltinOperator, shape: Sequence[int], options: Options | None
) -> Path:
    case = SingleOp(
        operator, [fed(shape, np.int8, 0.1)], [fed(shape, np.int8, 1 / 256, -128)], options
    )
    return write(case.model(), folder)
