"""Small models and logs of them, written by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import constant, fed
from tinyml_profiles.logs.measure import Measurement, measure
from tinyml_profiles.logs.read import read_log
from tinyml_profiles.logs.units import Timing
from tinyml_runtime import BuiltinOperator, Model
from tinyml_runtime.model.options import AddOptions, IfOptions, MulOptions, SubOptions, WhileOptions

# Three nodes: ADD, MUL, ADD.
TAGS = ("ADD", "MUL", "ADD")
LINES = """\
Invoking
ADD took 1200 ticks (1 ms).
MUL took 34000 ticks (34 ms).
ADD took 1000 ticks (1 ms).
"""


def chain() -> Model:
    """ADD, MUL and ADD of one int32 number and a constant."""
    number, one = fed((1,), np.int32), constant(np.array([1], np.int32))
    tensors = {"a": number, "b": number, "c": number, "d": number, "one": one}
    calls = [
        Call(BuiltinOperator.ADD, ["a", "one"], ["b"], AddOptions()),
        Call(BuiltinOperator.MUL, ["b", "one"], ["c"], MulOptions()),
        Call(BuiltinOperator.ADD, ["c", "one"], ["d"], AddOptions()),
    ]
    return model_of(Graph(tensors, ["a"], ["d"], calls))


def loop() -> Model:
    """MUL, then a WHILE whose condition is GREATER_EQUAL and whose body is SUB."""
    number, one = fed((1,), np.int32), constant(np.array([1], np.int32))
    main = Graph(
        {"a": number, "n": number, "m": number, "one": one},
        ["a"],
        ["m"],
        [
            Call(BuiltinOperator.MUL, ["a", "one"], ["n"], MulOptions()),
            Call(BuiltinOperator.WHILE, ["n"], ["m"], WhileOptions(1, 2)),
        ],
    )
    return model_of(main, _condition(), _body(BuiltinOperator.SUB, SubOptions()))


def branch() -> Model:
    """IF with ADD in one branch and SUB in the other, then MUL."""
    number, one = fed((1,), np.int32), constant(np.array([1], np.int32))
    main = Graph(
        {"yes": fed((1,), np.bool_), "n": number, "m": number, "o": number, "one": one},
        ["yes", "n"],
        ["o"],
        [
            Call(BuiltinOperator.IF, ["yes", "n"], ["m"], IfOptions(1, 2)),
            Call(BuiltinOperator.MUL, ["m", "one"], ["o"], MulOptions()),
        ],
    )
    bodies = (
        _body(BuiltinOperator.ADD, AddOptions()),
        _body(BuiltinOperator.SUB, SubOptions()),
    )
    return model_of(main, *bodies)


def took(pairs: Sequence[tuple[str, int]]) -> str:
    """Lines of the profiler without milliseconds."""
    return "".join(f"{tag} took {ticks} ticks\n" for tag, ticks in pairs)


def measured(text: str, model: Model | None = None, timing: Timing | None = None) -> Measurement:
    """The log `text` beside a model, the three nodes' one without a word, in microseconds."""
    timing = timing or Timing(unit="us")
    return measure(read_log(text, "run.log", "chain.tflite"), model or chain(), timing)


def _condition() -> Graph:
    number, one = fed((1,), np.int32), constant(np.array([1], np.int32))
    return Graph(
        {"n": number, "one": one, "more": fed((1,), np.bool_)},
        ["n"],
        ["more"],
        [Call(BuiltinOperator.GREATER_EQUAL, ["n", "one"], ["more"])],
    )


def _body(operator: BuiltinOperator, options: AddOptions | SubOptions) -> Graph:
    number, one = fed((1,), np.int32), constant(np.array([1], np.int32))
    return Graph(
        {"n": number, "one": one, "m": number},
        ["n"],
        ["m"],
        [Call(operator, ["n", "one"], ["m"], options)],
    )
