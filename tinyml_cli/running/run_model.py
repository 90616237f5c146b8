"""`tinyml run` from request to report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tinyml_cli.inputs.gather import GatheredInputs, InputRequest, gather_inputs
from tinyml_cli.inputs.labels import Expectation, find_expectation, read_labels
from tinyml_cli.inputs.names import input_names
from tinyml_cli.inputs.paths import existing_file
from tinyml_cli.model_file import STANDARD_INPUT, open_model
from tinyml_cli.running.classes import class_count, is_classifier, labels_for, rank
from tinyml_cli.running.execute import Execution, ExecutionOptions, OnProgress, execute
from tinyml_cli.running.report import (
    ArenaRun,
    ClassScore,
    ErrorScore,
    InputReport,
    OutputReport,
    Port,
    RunReport,
)
from tinyml_cli.running.saving import check_destination, save_outputs
from tinyml_cli.running.scoring import score
from tinyml_runtime import InputError, Interpreter, Model, RunError, Tensor
from tinyml_runtime.interpreter import DEFAULT_MAX_NESTED_INVOCATIONS
from tinyml_runtime.quantization import dequantize, is_quantized

if TYPE_CHECKING:
    from tinyml_runtime.planning.arena_plan import ArenaPlan


class RunRequest(NamedTuple):
    """What the user asked for; paths as they were typed."""

    model: str
    inputs: InputRequest = InputRequest()
    kernels: str = "reference"
    execution: ExecutionOptions = ExecutionOptions()
    labels: str | None = None
    expected: str | None = None
    save_to: str | None = None
    max_nested_invocations: int = DEFAULT_MAX_NESTED_INVOCATIONS
    in_arena: bool = False


def run_model(request: RunRequest, on_progress: OnProgress) -> RunReport:
    """Load, prepare, feed, invoke, save and score; TinymlError for all that a user can mend."""
    model, file = open_model(request.model)
    plan = _plan(model, request.kernels) if request.in_arena else None
    interpreter = Interpreter(
        model,
        request.kernels,
        max_nested_invocations=request.max_nested_invocations,
        arena_plan=plan,
    )
    interpreter.allocate_tensors()
    gathered = gather_inputs(request.inputs, input_names(model, interpreter.inputs))
    labels = _labels(request.labels, interpreter)
    expected = request.expected
    expectation = None if expected is None else find_expectation(expected, interpreter)
    destination = _destination(request, gathered, expectation)
    values = [samples.values for samples in gathered.inputs]
    try:
        execution = execute(interpreter, values, gathered.samples, request.execution, on_progress)
    except RunError as error:
        raise RunError(f"{model.source}: {error}") from None
    outputs = _outputs(interpreter, execution, labels)
    if destination is not None:
        save_outputs(destination, [output.values for output in outputs])
    return RunReport(
        model=file,
        kernels=request.kernels,
        samples=gathered.samples,
        inputs=_inputs(interpreter, gathered),
        outputs=outputs,
        invoke_ms=execution.invoke_ms,
        timed_invokes=execution.timed_invokes,
        notes=_notes(interpreter, gathered, request.execution),
        trace=execution.trace,
        score=_score(interpreter, expectation, outputs, gathered.samples, labels),
        saved_to=destination,
        arena=None if plan is None else _arena(plan),
    )


def _plan(model: Model, kernels: str) -> ArenaPlan:
    from tinyml_profiles.plan import plan_model  # most runs have no use for a planner

    return plan_model(model, library=kernels)


def _arena(plan: ArenaPlan) -> ArenaRun:
    return ArenaRun(plan.arena.nonpersistent_bytes, plan.profile.abi.name, plan.profile.core)


def _labels(path: str | None, interpreter: Interpreter) -> Sequence[str]:
    if path is None:
        return ()
    labels = read_labels(existing_file(path))
    outputs = range(len(interpreter.outputs))
    if not any(labels_for(interpreter, output, labels) for output in outputs):
        counts = ", ".join(f"output {k} has {class_count(interpreter, k)}" for k in outputs)
        raise InputError(f"{path}: {len(labels)} labels for as many classes, but {counts}")
    return labels


def _destination(
    request: RunRequest, gathered: GatheredInputs, expectation: Expectation | None
) -> Path | None:
    if request.save_to is None:
        return None
    used = [*gathered.files]
    if request.model != STANDARD_INPUT:
        used.append(Path(request.model))
    if expectation is not None:
        used.append(expectation.path)
    return check_destination(request.save_to, used)


def _notes(
    interpreter: Interpreter, gathered: GatheredInputs, options: ExecutionOptions
) -> list[str]:
    notes = [*gathered.notes]
    for index, samples in enumerate(gathered.inputs):
        notes += [f"input {index}: {samples.source}: {note}" for note in samples.notes]
    if interpreter.is_stateful and gathered.samples > 1 and not options.reset_between:
        notes.append(
            "the model keeps state: the samples are one sequence (--reset-between separates them)"
        )
    return notes


def _inputs(interpreter: Interpreter, gathered: GatheredInputs) -> list[InputReport]:
    return [
        InputReport(_port(index, tensor), samples.source, samples.notes)
        for index, (tensor, samples) in enumerate(
            zip(interpreter.inputs, gathered.inputs, strict=True)
        )
    ]


def _outputs(
    interpreter: Interpreter, execution: Execution, labels: Sequence[str]
) -> list[OutputReport]:
    reports: list[OutputReport] = []
    for index, (tensor, values) in enumerate(
        zip(interpreter.outputs, execution.outputs, strict=True)
    ):
        real = dequantize(values, tensor)
        own_labels = labels_for(interpreter, index, labels)
        is_labelled = bool(own_labels) and class_count(interpreter, index) == len(own_labels)
        ranks = is_labelled or is_classifier(interpreter, index)
        top = rank(real, len(values), own_labels) if ranks else ()
        shape = _shape_of(len(values), tensor.shape)
        port = _port(index, tensor)
        reports.append(OutputReport(port, values.reshape(shape), real.reshape(shape), top))
    return reports


def _shape_of(samples: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    if samples == 1:
        return shape
    return (samples, *(shape[1:] if shape[:1] == (1,) else shape))


def _port(index: int, tensor: Tensor) -> Port:
    return Port(
        index=index,
        name=tensor.name,
        shape=tensor.shape,
        dtype=tensor.type.name.lower(),
        scale=tensor.scale if is_quantized(tensor) else None,
        zero_point=tensor.zero_point if is_quantized(tensor) else None,
    )


def _score(
    interpreter: Interpreter,
    expectation: Expectation | None,
    outputs: Sequence[OutputReport],
    samples: int,
    labels: Sequence[str],
) -> ClassScore | ErrorScore | None:
    if expectation is None:
        return None
    output = expectation.output
    real = outputs[output].real
    own_labels = labels_for(interpreter, output, labels)
    where = str(expectation.path)
    return score(
        interpreter,
        output,
        real.reshape(samples, real.size // samples),
        expectation.values,
        own_labels,
        where,
    )
