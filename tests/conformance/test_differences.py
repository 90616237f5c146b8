"""The declared differences between the oracles are true, and have an example each."""

from __future__ import annotations

import pytest

from tests.conformance import differences
from tests.conformance.differences import Difference, Example
from tests.conformance.oracles import Oracle, Refusal
from tests.conformance.runner import Outputs, form_of, in_shapes_of, run_there
from tests.conformance.suite import CASES

BY_NAME = {case.name: case for case in CASES}
ENTRIES = differences.load()
every_entry = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.reason)


@every_entry
def test_a_difference_names_a_case_that_it_is_about(entry: Difference) -> None:
    case = BY_NAME[entry.case]
    assert entry.is_about(case.operator, case.types)
    assert [bool(entry.words), bool(entry.example), entry.corrupts].count(True) == 1


@pytest.mark.oracle
@every_entry
def test_an_example_is_what_the_oracles_give(
    entry: Difference, tflm: Oracle, litert: Oracle
) -> None:
    case = BY_NAME[entry.case]
    if entry.corrupts:
        return
    theirs = run_there(case, litert)
    if entry.words:
        assert isinstance(theirs, Refusal)
        assert entry.words in theirs.reason
        return
    assert entry.example
    assert not isinstance(theirs, Refusal)
    ours = run_there(case, tflm)
    assert not isinstance(ours, Refusal)
    found = [_part(results, entry.example) for results in (ours, in_shapes_of(ours, theirs))]
    expected = [entry.example.tflm, entry.example.litert]
    if isinstance(entry.example.tflm, str):
        assert found == expected
    else:
        assert found == pytest.approx(expected, rel=1e-5)


def _part(results: Outputs, example: Example) -> object:
    """What the example is about: one element, or the form of an output."""
    array = results[example.step][example.output]
    if isinstance(example.tflm, str):
        return form_of(array)
    return array.reshape(-1)[example.element].item()
