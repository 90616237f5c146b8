"""What TFLM refuses is refused here, whatever it is; and nothing else but what is declared runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance import cases_refused
from tests.conformance.cases import Case
from tests.conformance.oracles import Oracle, Refusal
from tests.conformance.refusals import UNCHECKED, other_types
from tests.conformance.runner import run_here, run_there
from tests.conformance.suite import CASES
from tinyml_runtime.errors import UnsupportedModelError

REFUSED = cases_refused.CASES
every_operator = pytest.mark.parametrize("operator", sorted({case.operator for case in CASES}))
every_refusal = pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])


def _without_feeds(case: Case) -> Case:
    """Not every type can be fed; what is refused need not be."""
    return replace(case, given=((),))


def _is_refused(case: Case) -> bool:
    """Whether we refuse it, with a way out."""
    try:
        run_here(case)
    except UnsupportedModelError as refusal:
        return all(problem.remedy for problem in refusal.problems)
    return False


@every_operator
def test_types_that_are_not_declared_are_refused(operator: str) -> None:
    cases = [_without_feeds(case) for case in other_types(CASES, operator)]
    running = [case.name for case in cases if not _is_refused(case)]
    # What TFLM does not look at may run here too.
    assert not running or operator in UNCHECKED


@pytest.mark.oracle
@every_operator
def test_tflm_refuses_types_that_are_not_declared(operator: str, tflm: Oracle) -> None:
    cases = [_without_feeds(case) for case in other_types(CASES, operator)]
    refused = [case for case in cases if isinstance(run_there(case, tflm), Refusal)]
    assert len(refused) == len(cases) or operator in UNCHECKED
    assert not [case.name for case in refused if not _is_refused(case)]


@every_refusal
def test_options_shapes_and_operands_that_tflm_refuses_are_refused(case: Case) -> None:
    assert _is_refused(_without_feeds(case))


@pytest.mark.oracle
@every_refusal
def test_tflm_refuses_those_options_shapes_and_operands(case: Case, tflm: Oracle) -> None:
    assert isinstance(run_there(_without_feeds(case), tflm), Refusal)
