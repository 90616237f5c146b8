"""From what the user asked for to the profiles of all models on all targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from tinyml_cli.model_file import STANDARD_INPUT, ModelFile, open_model
from tinyml_profiles.instructions import EVIDENCE
from tinyml_profiles.kinds import KindLatency, by_operator
from tinyml_profiles.latency_report import LatencyReport
from tinyml_profiles.load import core_names, load_target
from tinyml_profiles.optimization import LEVELS, USUAL
from tinyml_profiles.profile import profile_model
from tinyml_runtime.errors import InputError, RunError, TargetError
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array

if TYPE_CHECKING:
    from tinyml_cli.inputs.gather import GatheredInputs, InputRequest
    from tinyml_cli.running.execute import OnProgress
    from tinyml_profiles.logs.measure import Measurement
    from tinyml_profiles.what_if import WhatIfs


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """What the user asked for; `kernels` is None where each target's usual library is meant.

    Without `inputs` nothing runs. `ticks` are unit, ticks per second and invocations of the log
    `measured`, as they were typed.
    """

    models: Sequence[str]
    targets: Sequence[str]
    all_cores: bool = False
    kernels: str | None = None
    clock_mhz: float | None = None
    weights_in: str | None = None
    opt: str | None = None
    period_seconds: float | None = None
    what_if: bool = False
    inputs: InputRequest | None = None
    measured: str | None = None
    ticks: tuple[str | None, str | None, str | None] = (None, None, None)


class ProfileReport(NamedTuple):
    """One model on one target; `fed` are the samples that it has run on, if any."""

    model: ModelFile
    latency: LatencyReport
    kinds: Sequence[KindLatency]
    what_ifs: WhatIfs | None = None
    period_seconds: float | None = None
    measured: Measurement | None = None
    fed: GatheredInputs | None = None

    @property
    def duty(self) -> float | None:
        """The share of the period in which the core computes."""
        latency = self.latency.total.latency_ms
        if self.period_seconds is None or latency is None:
            return None
        return latency / (1000.0 * self.period_seconds)

    @property
    def average_mw(self) -> float | None:
        """Power over the period, computing for a part of it and asleep for the rest."""
        board, duty = self.latency.target.board, self.duty
        if board is None or duty is None or duty > 1:
            return None
        active, asleep = board.power.active_mw, board.power.sleep_mw
        if active is None or asleep is None:
            return None
        return duty * active.value + (1 - duty) * asleep.value

    @property
    def power_evidence(self) -> str | None:
        """The weaker evidence of the two powers of which that is made."""
        board = self.latency.target.board
        if self.average_mw is None or board is None:
            return None
        used = (board.power.active_mw, board.power.sleep_mw)
        return max((one.evidence for one in used if one is not None), key=EVIDENCE.index)


def profile_models(request: ProfileRequest, on_progress: OnProgress) -> list[ProfileReport]:
    """Profile every model on every target; raises TinymlError for what cannot be."""
    names = [*request.targets, *(core_names() if request.all_cores else ())]
    if not names:
        raise InputError("--target NAME says where it runs ('tinyml targets' lists them)")
    if request.measured is None:
        return [
            _profile(request, model, file, name, on_progress)
            for model, file in map(open_model, request.models)
            for name in names
        ]
    if len(names) > 1 or len(request.models) > 1:
        raise InputError("--measured stands beside one model on one target")
    model, file = open_model(request.models[0])
    return [_beside_log(request, model, file, names[0], request.measured, on_progress)]


def _beside_log(
    request: ProfileRequest,
    model: Model,
    file: ModelFile,
    name: str,
    path: str,
    on_progress: OnProgress,
) -> ProfileReport:
    """The profile under the conditions of a measured run, and the run."""
    from tinyml_cli.measured_log import LogOptions, open_log, run_clock_hz, run_library
    from tinyml_profiles.logs.measure import measure

    if path == STANDARD_INPUT == file.path:
        raise InputError("standard input is one file; name the other")
    timing = LogOptions(*request.ticks).timing()
    target, log = load_target(name), open_log(path, file)
    clock_hz = run_clock_hz([log], request.clock_mhz, target)
    measured = measure(log, model, replace(timing, clock_hz=clock_hz))
    here = replace(
        request,
        kernels=run_library([log], request.kernels, target),
        clock_mhz=None if clock_hz is None else clock_hz / 1e6,
        opt=request.opt or (log.facts.opt if log.facts.opt in LEVELS else None),
    )
    return _profile(here, model, file, name, on_progress)._replace(measured=measured)


def _profile(
    request: ProfileRequest, model: Model, file: ModelFile, name: str, on_progress: OnProgress
) -> ProfileReport:
    target = load_target(name)
    usual = "reference" if target.board is None else target.board.library
    if request.weights_in is not None and target.board is None:
        raise TargetError(f"{name} is a core alone: --weights-in needs a board with memories")
    fed = None if request.inputs is None else _fed(model, request.inputs)
    samples = () if fed is None else [each.values for each in fed.inputs]
    try:
        latency = profile_model(
            model,
            target,
            request.kernels or usual,
            clock_hz=None if request.clock_mhz is None else request.clock_mhz * 1e6,
            weights_in=request.weights_in,
            opt=request.opt or USUAL,
            samples=samples,
            on_progress=on_progress,
        )
    except RunError as error:
        raise RunError(f"{model.source}: {error}") from None
    return ProfileReport(
        file,
        latency,
        by_operator(latency),
        _what_ifs(model, latency, samples) if request.what_if else None,
        request.period_seconds,
        fed=fed,
    )


def _fed(model: Model, request: InputRequest) -> GatheredInputs:
    from tinyml_cli.inputs.gather import gather_inputs  # most profiles run nothing
    from tinyml_cli.inputs.names import input_names
    from tinyml_runtime import Interpreter

    return gather_inputs(request, input_names(model, Interpreter(model).inputs))


def _what_ifs(model: Model, latency: LatencyReport, samples: Sequence[Array]) -> WhatIfs:
    from tinyml_profiles.what_if import find_what_ifs  # plans too, which takes long to import

    return find_what_ifs(model, latency, samples)
