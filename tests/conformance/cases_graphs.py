"""Operators that need other nodes or subgraphs around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.conformance.cases import Case, Limits
from tests.runtime.kernels.test_control_flow import choice_in_a_loop, doubling, plus_or_times
from tests.runtime.kernels.test_variables import (
    delay,
    running_sum,
    running_sum_from_start,
    sum_in_a_branch,
    sum_in_a_loop,
)
from tests.support.graphs import RESOURCE, Call, Graph, model_of
from tests.support.single_op import Operand, constant, fed
from tinyml_runtime.model.options import IfOptions, VarHandleOptions, WhileOptions
from tinyml_runtime.model.schema import Model
from tinyml_runtime.types import BuiltinOperator as Op

KINDS = (np.float32, np.int8, np.int16, np.int32, np.int64, np.bool_)
FLAG, COUNT = fed((1,), np.bool_), fed((1,), np.int32)
STEPS = 4


def _operand(kind: Any) -> Operand:
    quantized = kind in (np.int8, np.int16)
    return fed((2, 3), kind, 0.5 if quantized else None, -7 if quantized else 0)


def _copy(kind: Any) -> Graph:
    """Gives its inputs in the other order."""
    tensors = {"x": _operand(kind), "y": _operand(kind)}
    return Graph(tensors, ["x", "y"], ["y", "x"])


def _same(kind: Any) -> Graph:
    tensors = {"x": _operand(kind), "y": _operand(kind)}
    return Graph(tensors, ["x", "y"], ["x", "y"])


def _swap_if(kind: Any) -> Model:
    names = ("x", "y", "v", "w")
    tensors = {"flag": FLAG, **{name: _operand(kind) for name in names}}
    call = Call(Op.IF, ["flag", "x", "y"], ["v", "w"], IfOptions(1, 2))
    main = Graph(tensors, ["flag", "x", "y"], ["v", "w"], [call])
    return model_of(main, _copy(kind), _same(kind))


def _swap_while(kind: Any) -> Model:
    """Two tensors change places as often as a number is below 4."""
    names = ("x", "y", "v", "w")
    tensors = {"n": COUNT, "m": COUNT, **{name: _operand(kind) for name in names}}
    call = Call(Op.WHILE, ["n", "x", "y"], ["m", "v", "w"], WhileOptions(1, 2))
    main = Graph(tensors, ["n", "x", "y"], ["m", "v", "w"], [call])
    pair = {"n": COUNT, "x": _operand(kind), "y": _operand(kind)}
    four, one = (constant(np.array([value], np.int32)) for value in (4, 1))
    less = Call(Op.LESS, ["n", "four"], ["flag"])
    condition = Graph({**pair, "four": four, "flag": FLAG}, ["n", "x", "y"], ["flag"], [less])
    add = Call(Op.ADD, ["n", "one"], ["m"])
    body = Graph({**pair, "one": one, "m": COUNT}, ["n", "x", "y"], ["m", "y", "x"], [add])
    return model_of(main, condition, body)


def _stored(operand: Operand) -> Model:
    calls = [
        Call(Op.VAR_HANDLE, [], ["h"], VarHandleOptions("", "v")),
        Call(Op.ASSIGN_VARIABLE, ["h", "x"]),
        Call(Op.READ_VARIABLE, ["h"], ["y"]),
    ]
    return model_of(Graph({"h": RESOURCE, "x": operand, "y": operand}, ["x"], ["y"], calls))


def _case(operator: Op | str, label: str, model: Model, limits: Limits | None = None) -> Case:
    name = operator if isinstance(operator, str) else operator.name
    return Case(name, label, model, STEPS, limits or {})


def _control() -> list[Case]:
    few: Limits = {0: (-2, 6)}
    return [
        *(_case(Op.IF, "swapped", _swap_if(kind)) for kind in KINDS),
        *(_case(Op.WHILE, "swapped", _swap_while(kind), few) for kind in KINDS),
        _case(Op.IF, "a sum or a product", plus_or_times()),
        _case(Op.WHILE, "doubled", doubling(), few),
        _case(Op.WHILE, "a choice in a loop", choice_in_a_loop(), few),
        _case(Op.IF, "a choice in a loop", choice_in_a_loop(), few),
    ]


def _variables() -> list[Case]:
    handles = (Op.VAR_HANDLE, Op.ASSIGN_VARIABLE, Op.READ_VARIABLE)
    return [
        *(
            _case(each, f"{kind.__name__} delayed", delay(_operand(kind)))
            for each in handles
            for kind in KINDS
        ),
        *(_case(each, "a running sum", running_sum()) for each in handles),
        *(
            _case(each, f"{kind.__name__} stored and read", _stored(_operand(kind)))
            for each in handles
            for kind in KINDS
        ),
        _case(Op.CALL_ONCE, "a running sum", running_sum_from_start()),
        _case(Op.CALL_ONCE, "in a branch", sum_in_a_branch()),
        _case(Op.ASSIGN_VARIABLE, "in a loop", sum_in_a_loop(), {0: (-3, 8)}),
    ]


CASES = [*_control(), *_variables()]
