"""`tinyml compare` from request to report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from tinyml_cli.comparing.accuracy import OutputRecorder
from tinyml_cli.comparing.against import find_against
from tinyml_cli.comparing.report import CompareReport, Tolerance
from tinyml_cli.comparing.repro import check_folder, write_repros
from tinyml_cli.comparing.samples import FedSamples, feed
from tinyml_cli.inputs.gather import InputRequest
from tinyml_cli.inputs.labels import Expectation, find_expectation
from tinyml_cli.model_file import STANDARD_INPUT, open_model
from tinyml_cli.render.units import plural
from tinyml_cli.running.execute import OnProgress
from tinyml_runtime import InputError, Interpreter, Model
from tinyml_runtime.comparison.compare import Against, Comparison, Conditions
from tinyml_runtime.comparison.foreign import DEFAULT_SECONDS
from tinyml_runtime.comparison.metrics import FLOAT_TOLERANCE

if TYPE_CHECKING:
    from tinyml_runtime.comparison.findings import Finding
    from tinyml_runtime.comparison.layers import LayerComparison


class CompareRequest(NamedTuple):
    """What the user asked for; paths as they were typed."""

    model: str
    inputs: InputRequest = InputRequest()
    samples: int | None = None
    kernels: str = "reference"
    against: str | None = None
    layers: bool = False
    health: bool = False
    tolerance: Tolerance = Tolerance(0, FLOAT_TOLERANCE)
    expected: str | None = None
    reset_between: bool = False
    seconds: int = DEFAULT_SECONDS
    repro: str | None = None
    force: bool = False


def compare_models(request: CompareRequest, on_progress: OnProgress) -> CompareReport:
    """Load, feed and compare both sides; TinymlError for all that a user can mend."""
    folder = None if request.repro is None else check_folder(request.repro, force=request.force)
    if request.model == STANDARD_INPUT == request.against:
        raise InputError("standard input is one model; name the other")
    model, file = open_model(request.model)
    against = find_against(request.against, request.kernels if request.health else None)
    if folder is not None and against.model is not None:
        raise InputError("--write-repro is for the same model on both sides, not for another one")
    interpreter = Interpreter(model, request.kernels)
    fed = feed(request.inputs, request.samples, interpreter)
    expected = request.expected
    expectation = None if expected is None else find_expectation(expected, interpreter)
    conditions = Conditions(
        library=request.kernels,
        layers=_needs_layers(request, against),
        record=request.health,
        reset_between=request.reset_between,
        seconds=request.seconds,
    )
    comparison = Comparison(model, file.content, against, conditions)
    try:
        recorder = _run(comparison, fed, expectation, on_progress)
        layers = comparison.layers()
    finally:
        comparison.close()
    report = CompareReport(
        model=file,
        kernels=request.kernels,
        against=against.name,
        samples=fed.samples,
        source=fed.source,
        tolerance=request.tolerance,
        outputs=comparison.outputs(),
        layers=layers if request.layers or folder else None,
        health=_health(model, comparison, layers) if request.health else None,
        scores=None if recorder is None else recorder.scores(interpreter),
        notes=[*fed.notes, *_notes(comparison, fed, request), *comparison.notes],
    )
    if folder is None:
        return report
    return report._replace(written=write_repros(folder, model, report))


def _run(
    comparison: Comparison, fed: FedSamples, expectation: Expectation | None, tell: OnProgress
) -> OutputRecorder | None:
    recorder = None
    if expectation is not None:
        recorder = OutputRecorder(expectation, comparison.output_forms(expectation.output))
    size = comparison.part_samples
    for start in range(0, fed.samples, size):
        tell(start, fed.samples)
        part = [array[start : start + size] for array in fed.inputs]
        ours, theirs = comparison.add(part)
        if recorder is not None:
            recorder.add(ours, theirs)
    tell(fed.samples, fed.samples)
    return recorder


def _health(
    model: Model, comparison: Comparison, layers: Sequence[LayerComparison] | None
) -> Sequence[Finding]:
    from tinyml_cli.comparing.health import find_health  # most comparisons have no use for it

    return find_health(model, comparison, layers or ())


def _needs_layers(request: CompareRequest, against: Against) -> bool:
    """Layers are also where reproductions are from, and what is lost against a float model."""
    is_about_loss = request.health and against.model is not None
    return request.layers or request.repro is not None or is_about_loss


def _notes(comparison: Comparison, fed: FedSamples, request: CompareRequest) -> list[str]:
    notes: list[str] = []
    if comparison.is_stateful and fed.samples > 1 and not request.reset_between:
        notes.append(
            "the model keeps state: the samples are one sequence (--reset-between separates them)"
        )
    recording = comparison.recording
    if recording is not None and recording.samples < fed.samples:
        notes.append(f"--health looks at the first {plural(recording.samples, 'sample')}")
    if recording is not None and not request.inputs.files:
        notes.append("--health is about random samples: typical ones (-i) say more")
    return notes
