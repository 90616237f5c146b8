"""The declared table, the table of kernels and the cases are in step."""

from __future__ import annotations

import pytest

from tests.conformance.declared_types import DECLARED, WITHOUT_KERNEL
from tests.conformance.signatures import means, pairs, patterns
from tests.conformance.suite import CASES
from tests.support.single_op import SingleOp
from tinyml_runtime.kernels import REFERENCE

LEAST_CASES = 1500


def test_every_kernel_is_declared() -> None:
    assert set(DECLARED) | WITHOUT_KERNEL == set(REFERENCE.kernels)


def test_every_declared_pair_has_a_case() -> None:
    seen = {(case.operator, case.types) for case in CASES}
    assert not [
        (operator, pattern)
        for operator, pattern in pairs(DECLARED)
        if not any(name == operator and means(pattern, types) for name, types in seen)
    ]


def test_no_case_has_types_that_are_not_declared() -> None:
    declared = {
        operator: [pattern for row in rows for pattern in patterns(row)]
        for operator, rows in DECLARED.items()
    }
    undeclared = [
        case.name
        for case in CASES
        if not any(means(pattern, case.types) for pattern in declared[case.operator])
    ]
    assert not undeclared


def test_there_are_enough_cases_of_one_operator() -> None:
    assert sum(isinstance(case.source, SingleOp) for case in CASES) >= LEAST_CASES


def test_every_case_has_a_name_of_its_own() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("T, T -> bool for int8 int32", ["int8 int8 -> bool", "int32 int32 -> bool"]),
        (
            "int16, bias int32|int64? -> int16",
            ["int16 int32 -> int16", "int16 int64 -> int16", "int16 -> int16"],
        ),
        ("T.. -> T for int8", ["int8.. -> int8"]),
        ("variable resource, T -> for bool", ["resource bool ->"]),
        ("-> resource", ["-> resource"]),
    ],
)
def test_a_row_means_all_its_combinations(row: str, expected: list[str]) -> None:
    assert patterns(row) == expected


def test_a_repeated_operand_is_one_or_more() -> None:
    assert means("int8.. -> int8", "int8 -> int8")
    assert means("int8.. -> int8", "int8 int8 int8 -> int8")
    assert not means("int8.. -> int8", "int8 int16 -> int8")
