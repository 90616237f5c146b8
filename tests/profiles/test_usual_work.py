"""Work for which nobody gives samples: means, or counts of a run on the reference input."""

from __future__ import annotations

import numpy as np
import pytest

from tests.runtime.kernels.test_control_flow import plus_or_times
from tests.runtime.kernels.test_gather import gather
from tests.support.layers import dense
from tinyml_profiles import FitModel, fit_model, load_target, profile_model, usual_work
from tinyml_profiles.fed_work import fed_work
from tinyml_profiles.instructions import Values
from tinyml_profiles.reference_input import reference_input
from tinyml_runtime import Interpreter
from tinyml_runtime.model.schema import Model
from tinyml_runtime.resolver import OpResolver

WITHOUT_FPU, WITH_FPU = load_target("cortex-m0"), load_target("cortex-m4")
NOTE = "reference input"


def floats() -> Model:
    return dense("float32", depth=8, units=2, weights="float32", bias="float32").model()


def values_of(model: Model, core: str) -> Values:
    (work,) = usual_work.usual_work(model, load_target(core).core).nodes
    return work.values


def test_floats_without_an_fpu_are_counted_on_the_reference_input() -> None:
    model = floats()
    (work,) = usual_work.usual_work(model, WITHOUT_FPU.core).nodes
    samples = reference_input(Interpreter(model).inputs)
    (given,) = fed_work(model, WITHOUT_FPU.core, "reference", samples).nodes
    assert (work.values, work.loops) == (Values.REFERENCE, given.loops)


def test_a_note_is_for_what_values_change() -> None:
    assert not any(NOTE in note for note in profile_model(floats(), "cortex-m4").notes)
    assert any(NOTE in note for note in profile_model(floats(), "cortex-m0").notes)


@pytest.mark.parametrize(("limit", "just_enough"), [("MOST_MACS", 16), ("MOST_ELEMENTS", 10)])
def test_a_large_model_does_not_run(
    limit: str, just_enough: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(usual_work, limit, just_enough - 1)
    assert values_of(floats(), "cortex-m0") is Values.ALL
    monkeypatch.setattr(usual_work, limit, just_enough)
    assert values_of(floats(), "cortex-m0") is Values.REFERENCE


def test_a_model_that_calls_others_does_not_run() -> None:
    works = usual_work.usual_work(plus_or_times(), WITHOUT_FPU.core).nodes
    assert all(work.values is Values.ALL for work in works)


def test_where_the_reference_input_is_refused_the_mean_is_told() -> None:
    # Four indices of the reference input are 0 to 3.
    for rows, values in ((4, Values.REFERENCE), (3, Values.ALL)):
        model = gather((rows, 2), (4,), (4, 2), kind=np.float32).model()
        assert values_of(model, "cortex-m0") is values


def test_the_report_says_so_and_allows_for_other_inputs() -> None:
    model = floats()
    report = profile_model(model, "cortex-m0")
    given = profile_model(model, "cortex-m0", samples=reference_input(Interpreter(model).inputs))
    assert any(NOTE in note for note in report.notes)
    assert not any(NOTE in note for note in given.notes)
    assert not any(NOTE in note for note in profile_model(model, "cortex-m4").notes)
    here, there = report.nodes[0].instructions, given.nodes[0].instructions
    assert here is not None
    assert there is not None
    assert here.mix == there.mix
    assert here.spread > there.spread


def test_targets_share_the_work_of_the_model_that_was_asked_for_last() -> None:
    recent = usual_work.RecentWork()
    model, other = floats(), floats()
    work = recent.of(model, WITHOUT_FPU.core, "reference")
    assert recent.of(model, load_target("cortex-m3").core, "reference") is work
    assert recent.of(model, WITH_FPU.core, "reference") is not work  # another extension
    assert recent.of(model, WITHOUT_FPU.core, "cmsis-nn") is not work
    assert recent.of(other, WITHOUT_FPU.core, "reference") is not work
    own = OpResolver.for_library("reference").library
    assert recent.of(other, WITHOUT_FPU.core, own) is not recent.of(other, WITHOUT_FPU.core, own)


def test_a_fit_has_the_latency_of_the_profile() -> None:
    model = floats()
    shared = FitModel(model)
    for target in (WITHOUT_FPU, WITH_FPU, WITHOUT_FPU):
        latency = fit_model(shared, target).latency
        assert latency is not None
        assert latency.total.cycles == profile_model(model, target).total.cycles


def test_the_reference_input_goes_evenly_through_each_type() -> None:
    (sample,) = reference_input(Interpreter(dense("int8", depth=256, units=1).model()).inputs)
    assert sorted(sample.reshape(-1).tolist()) == list(range(-128, 128))
    (sample,) = reference_input(Interpreter(dense("float32", depth=256, units=1).model()).inputs)
    assert sample.dtype == np.float32
    assert (sample.min(), sample.max()) == (-1, 127 / 128)
