"""Every case of the tables, here and in both oracles."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance import differences
from tests.conformance.cases import Case
from tests.conformance.oracles import Oracle, Refusal
from tests.conformance.runner import (
    gap_between,
    in_shapes_of,
    run_here,
    run_there,
    stacked_gap,
)
from tests.conformance.suite import CASES

# How a report tells what LiteRT made of a case.
LITERT = "litert"
DIFFERENCES = differences.load()
every_case = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
OPERATORS = sorted({case.operator for case in CASES})


@pytest.mark.oracle
@every_case
def test_gives_what_tflm_gives(case: Case, tflm: Oracle) -> None:
    theirs = run_there(case, tflm)
    assert not isinstance(theirs, Refusal), theirs.reason
    gap = gap_between(case, run_here(case), theirs)
    assert gap is None, str(gap)


@pytest.mark.oracle
@every_case
def test_litert_differs_only_as_declared(
    case: Case, litert: Oracle, record_property: Callable[[str, object], None]
) -> None:
    about = DIFFERENCES, case.operator, case.types
    if differences.is_better_not_run(*about):
        record_property(LITERT, "not run")
        return
    theirs = run_there(case, litert)
    if isinstance(theirs, Refusal):
        record_property(LITERT, "refused")
        assert differences.of_refusal(*about, theirs.reason), f"not declared: {theirs.reason}"
        return
    ours = run_here(case)
    gap = gap_between(case, ours, in_shapes_of(ours, theirs))
    record_property(LITERT, "different" if gap else "alike")
    assert gap is None or differences.of_gap(*about, gap.largest), f"not declared: {gap}"


@pytest.mark.parametrize("operator", OPERATORS)
def test_samples_together_give_what_they_give_alone(operator: str) -> None:
    for case in CASES:
        if case.operator == operator and case.steps == 1 and case.feeds[0]:
            gap = stacked_gap(case, run_here(case))
            assert gap is None, f"{case.name}: {gap}"
