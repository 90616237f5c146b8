"""Every operator with types that no row of the declared table means: TFLM refuses them.

Where it does not, because it does not look at those types at all, a row of `UNCHECKED` says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tests.conformance.cases import Case
from tests.conformance.declared_types import DECLARED
from tests.conformance.signatures import means, parse, patterns
from tests.support.single_op import Operand, SingleOp
from tinyml_runtime.tensor import dtype_of
from tinyml_runtime.types import TensorType

TYPES = (
    TensorType.FLOAT32,
    TensorType.FLOAT16,
    TensorType.FLOAT64,
    TensorType.INT8,
    TensorType.UINT8,
    TensorType.INT16,
    TensorType.UINT16,
    TensorType.INT32,
    TensorType.UINT32,
    TensorType.INT64,
    TensorType.UINT64,
    TensorType.BOOL,
    TensorType.INT4,
)
# Operators of which TFLM runs more than is declared, as it does not look at the types of operands.
UNCHECKED = {
    "BROADCAST_TO": "copies bytes, those of packed elements too",
    "CONV_2D": "reads the bytes of a bias as its type should be",
    "DEPTHWISE_CONV_2D": "reads the bytes of a bias as its type should be",
    "EQUAL": "writes bytes of truth values into any output",
    "FULLY_CONNECTED": "reads the bytes of a bias as its type should be",
    "LOGICAL_AND": "takes bytes for truth values",
    "LOGICAL_OR": "takes bytes for truth values",
    "NOT_EQUAL": "writes bytes of truth values into any output",
    "PRELU": "reads the bytes of slopes as the input's type",
    "RESHAPE": "copies bytes, whatever they and the shape mean",
    "SHAPE": "does not read its input",
    "SPLIT": "reads the bytes of an axis as int32",
    "SPLIT_V": "reads the bytes of an axis as int32",
    "SQUEEZE": "copies bytes, whatever they mean",
    "TFLM_DECODE": "takes constants of any type for bytes",
    "TRANSPOSE_CONV": "reads the bytes of a bias as its type should be",
    "UNIDIRECTIONAL_SEQUENCE_LSTM": "reads the bytes of biases as their type should be",
}
_QUANTIZED = frozenset(
    {TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.UINT16, TensorType.INT4}
)


def other_types(cases: Sequence[Case], operator: str) -> list[Case]:
    """For a case of each of an operator's types: the same with other types, not declared."""
    swept: dict[str, Case] = {}
    first = {case.types: case for case in reversed(cases) if case.operator == operator}
    for case in first.values():
        if isinstance(case.source, SingleOp):
            for kind in TYPES:
                changed = replace(case, source=_retyped(case.source, _main(case), kind), label="")
                if not _is_declared(changed):
                    swept[changed.name] = changed
    return list(swept.values())


def _is_declared(case: Case) -> bool:
    rows = DECLARED[case.operator]
    return any(means(pattern, case.types) for row in rows for pattern in patterns(row))


def _main(case: Case) -> TensorType:
    """The type of the values that the operator works on."""
    assert isinstance(case.source, SingleOp)
    operands = parse(DECLARED[case.operator][0]).inputs
    roles = [operand.role for operand in operands]
    position = roles.index("") if "" in roles else 0
    given = [operand for operand in case.source.inputs if operand is not None]
    return given[position].type


def _retyped(source: SingleOp, old: TensorType, new: TensorType) -> SingleOp:
    """The operator with every operand of the old type in the new one."""

    def change(operand: Operand) -> Operand:
        return _in_type(operand, new) if operand.type is old else operand

    inputs = [operand and change(operand) for operand in source.inputs]
    return replace(source, inputs=inputs, outputs=[change(operand) for operand in source.outputs])


def _in_type(operand: Operand, kind: TensorType) -> Operand:
    """The operand in another type, quantized if that type usually is."""
    values = operand.values
    if values is not None:
        limits = (-8, 7) if kind is TensorType.INT4 else (0, 100)
        values = np.clip(values, *limits).astype(dtype_of(kind))
    if kind not in _QUANTIZED:
        return replace(operand, type=kind, values=values, scales=(), zero_points=())
    scales, points = operand.scales or (0.125,), operand.zero_points or (0,)
    return replace(operand, type=kind, values=values, scales=scales, zero_points=points)
