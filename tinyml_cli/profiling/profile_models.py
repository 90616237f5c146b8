"""From what the user asked for to the profiles of all models on all targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tinyml_cli.model_file import ModelFile, open_model
from tinyml_profiles.kinds import KindLatency, by_kind
from tinyml_profiles.latency_report import LatencyReport
from tinyml_profiles.load import core_names, load_target
from tinyml_profiles.profile import profile_model
from tinyml_profiles.what_if import WhatIf, find_what_ifs
from tinyml_runtime.errors import InputError, TargetError
from tinyml_runtime.model.schema import Model


@dataclass(frozen=True, slots=True)
class ProfileRequest:
    """What the user asked for; `kernels` is None where each target's usual library is meant."""

    models: Sequence[str]
    targets: Sequence[str]
    all_cores: bool = False
    kernels: str | None = None
    clock_mhz: float | None = None
    weights_in: str | None = None
    period_seconds: float | None = None
    what_if: bool = False


class ProfileReport(NamedTuple):
    """One model on one target; `duty` is the share of the period that it computes."""

    model: ModelFile
    latency: LatencyReport
    kinds: Sequence[KindLatency]
    what_ifs: Sequence[WhatIf] = ()
    period_seconds: float | None = None

    @property
    def duty(self) -> float | None:
        """The share of the period in which the core computes."""
        latency = self.latency.total.latency_ms
        if self.period_seconds is None or latency is None:
            return None
        return latency / (1000.0 * self.period_seconds)


def profile_models(request: ProfileRequest) -> list[ProfileReport]:
    """Profile every model on every target; raises TinymlError for what cannot be."""
    names = [*request.targets, *(core_names() if request.all_cores else ())]
    if not names:
        raise InputError("--target NAME says where it runs ('tinyml targets' lists them)")
    return [
        _profile(request, model, file, name)
        for model, file in map(open_model, request.models)
        for name in names
    ]


def _profile(request: ProfileRequest, model: Model, file: ModelFile, name: str) -> ProfileReport:
    target = load_target(name)
    usual = "reference" if target.board is None else target.board.library
    if request.weights_in is not None and target.board is None:
        raise TargetError(f"{name} is a core alone: --weights-in needs a board with memories")
    latency = profile_model(
        model,
        target,
        request.kernels or usual,
        clock_hz=None if request.clock_mhz is None else request.clock_mhz * 1e6,
        weights_in=request.weights_in,
    )
    return ProfileReport(
        file,
        latency,
        by_kind(latency),
        find_what_ifs(model, latency) if request.what_if else (),
        request.period_seconds,
    )
