"""What TFLM refuses: types that no row of the declared table means, and options of single rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

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
_QUANTIZED = frozenset(
    {TensorType.INT8, TensorType.UINT8, TensorType.INT16, TensorType.UINT16, TensorType.INT4}
)


def other_types(cases: Sequence[Case]) -> list[Case]:
    """For a case of every operator and types: the same with other types that are not declared."""
    swept: dict[str, Case] = {}
    first = {(case.operator, case.types): case for case in reversed(cases)}
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


@dataclass(frozen=True)
class Unchecked:
    """Types that TFLM does not look at, so that it reads bytes as what they are not."""

    operator: str
    types: str
