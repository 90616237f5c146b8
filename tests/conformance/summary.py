"""What a run of the suite shows, from the reports of its tests: cases, oracles, coverage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

FILE = "tests/conformance/test_conformance.py"
BESIDE_TFLM, BESIDE_LITERT = "test_gives_what_tflm_gives", "test_litert_differs_only_as_declared"


def lines(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Lines on the tests that passed; none where the suite did not run beside TFLM."""
    passed = [report for report in reports if report.nodeid.startswith(FILE)]
    names = set(_cases(passed, BESIDE_TFLM))
    return [_beside_tflm(names), _beside_litert(passed)] if names else []


def _beside_tflm(names: set[str]) -> str:
    # Needed here only: a run of other tests does not wait for the tables.
    from tests.conformance.declared_types import DECLARED
    from tests.conformance.signatures import means, pairs
    from tests.conformance.suite import CASES

    ran = [case for case in CASES if case.name in names]
    types = {(case.operator, case.types) for case in ran}
    declared = pairs(DECLARED)
    covered = sum(
        any(name == operator and means(pattern, seen) for name, seen in types)
        for operator, pattern in declared
    )
    operators = len({case.operator for case in ran})
    return (
        f"{len(ran)} cases of {operators} operators give what TFLM gives; they cover {covered} of "
        f"{len(declared)} declared pairs of operator and types ({100 * covered // len(declared)} %)"
    )


def _beside_litert(passed: Iterable[pytest.TestReport]) -> str:
    counts = Counter(
        str(value)
        for report in passed
        if _test(report) == BESIDE_LITERT
        for name, value in report.user_properties
        if name == "litert"
    )
    if not counts:
        return "LiteRT did not run"
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    return f"LiteRT's reference kernels: {told}; every difference is declared"


def _cases(reports: Iterable[pytest.TestReport], test: str) -> Iterator[str]:
    """The names of the cases that such tests were about."""
    for report in reports:
        if _test(report) == test:
            yield report.nodeid.partition("[")[2].removesuffix("]")


def _test(report: pytest.TestReport) -> str:
    return report.nodeid.partition("[")[0].rpartition("::")[2]
