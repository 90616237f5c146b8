"""What TFLM refuses is refused here, whatever it is; and nothing else but what is declared runs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from tests.conformance import cases_refused
from tests.conformance.cases import Case
from tests.conformance.oracles import Oracle, Refusal
from tests.conformance.refusals import UNCHECKED, other_types
from tests.conformance.runner import run_here, run_there
from tests.conformance.suite import CASES
from tinyml_runtime.errors import UnsupportedModelError

OTHER_TYPES = other_types(CASES)
REFUSED = cases_refused.CASES


def _without_feeds(case: Case) -> Case:
    """Not every type can be fed; what is refused need not be."""
    return replace(case, given=((),))


def _names(cases: list[Case]) -> list[str]:
    return [case.name for case in cases]


@pytest.mark.parametrize("case", OTHER_TYPES, ids=_names(OTHER_TYPES))
def test_types_that_are_not_declared_are_refused(case: Case) -> None:
    if case.operator in UNCHECKED:
        # TFLM runs some of them.
        with suppress(UnsupportedModelError):
            run_here(_without_feeds(case))
        return
    with pytest.raises(UnsupportedModelError):
        run_here(_without_feeds(case))


@pytest.mark.oracle
@pytest.mark.parametrize("case", OTHER_TYPES, ids=_names(OTHER_TYPES))
def test_tflm_refuses_types_that_are_not_declared(case: Case, tflm: Oracle) -> None:
    theirs = run_there(_without_feeds(case), tflm)
    assert isinstance(theirs, Refusal) or case.operator in UNCHECKED
    if isinstance(theirs, Refusal):
        with pytest.raises(UnsupportedModelError):
            run_here(_without_feeds(case))


@pytest.mark.parametrize("case", REFUSED, ids=_names(REFUSED))
def test_options_shapes_and_operands_that_tflm_refuses_are_refused(case: Case) -> None:
    with pytest.raises(UnsupportedModelError):
        run_here(_without_feeds(case))


@pytest.mark.oracle
@pytest.mark.parametrize("case", REFUSED, ids=_names(REFUSED))
def test_tflm_refuses_those_options_shapes_and_operands(case: Case, tflm: Oracle) -> None:
    assert isinstance(run_there(_without_feeds(case), tflm), Refusal)
