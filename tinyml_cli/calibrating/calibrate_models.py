"""From logs and models to a calibrated target, and its file."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.destination import own_path, write_bytes
from tinyml_cli.measured_log import LogOptions, open_log, run_clock_hz, run_library
from tinyml_cli.model_file import STANDARD_INPUT, ModelFile, open_model
from tinyml_profiles.calibrate import calibrate
from tinyml_profiles.calibration.report import CalibrationReport, Run
from tinyml_profiles.calibration.target_file import target_toml
from tinyml_profiles.load import load_target
from tinyml_profiles.logs.measure import measure
from tinyml_profiles.target import Target
from tinyml_runtime.errors import InputError, TargetError
from tinyml_runtime.model.schema import Model

_HEADING = "Made by tinyml calibrate, which overwrites it."
_SUFFIX = ".toml"


@dataclass(frozen=True, slots=True)
class CalibrateRequest:
    """What the user asked for."""

    logs: Sequence[str]
    models: Sequence[str]
    target: str | None
    output: str | None
    kernels: str | None
    clock_mhz: float | None
    ticks: LogOptions
    force: bool


class CalibrateReport(NamedTuple):
    """The calibration, the files of the models by run, and the file that was written."""

    calibration: CalibrationReport
    models: Sequence[ModelFile]
    written: Path | None


def calibrate_models(request: CalibrateRequest) -> CalibrateReport:
    """Calibrate a board, and write its file; raises TinymlError for what cannot be."""
    timing = request.ticks.timing()
    target = _target(request.target)
    output = _output(request)
    models = _models(request)
    logs = [open_log(log, file) for log, (_, file) in zip(request.logs, models, strict=True)]
    clock_hz = run_clock_hz(logs, request.clock_mhz, target)
    library = run_library(logs, request.kernels, target)
    timing = replace(timing, clock_hz=clock_hz)
    runs = [
        Run(model, file.path, file.sha256, measure(log, model, timing))
        for log, (model, file) in zip(logs, models, strict=True)
    ]
    report = calibrate(runs, target, library, clock_hz or 0.0)
    if output is not None:
        based_on = _based_on(request.target or "", output)
        text = target_toml(report, output.stem, based_on, _HEADING)
        write_bytes(output, text.encode("utf-8", "replace"))
    return CalibrateReport(report, [file for _, file in models], output)


def _target(name: str | None) -> Target:
    if name is None:
        raise InputError("--target NAME says which board it ran on ('tinyml targets' lists them)")
    target = load_target(name)
    if target.board is None:
        raise TargetError(f"{name} is a core alone: calibrate a board ('tinyml targets' has them)")
    return target


def _models(request: CalibrateRequest) -> list[tuple[Model, ModelFile]]:
    """The model of each log: the one that there is, or those of the same places."""
    if not request.models:
        raise InputError("--model MODEL says what ran")
    if len(request.models) not in (1, len(request.logs)):
        raise InputError(
            f"{len(request.logs)} logs and {len(request.models)} models: give one model, or one "
            "for each log, in the same order"
        )
    if [*request.models, *request.logs].count(STANDARD_INPUT) > 1:
        raise InputError("standard input is one file; name the others")
    opened = [open_model(path) for path in request.models]
    return opened if len(opened) == len(request.logs) else opened * len(request.logs)


def _output(request: CalibrateRequest) -> Path | None:
    if request.output is None:
        return None
    read = [*request.models, *request.logs, request.target or ""]
    used = [Path(path) for path in read if path not in (STANDARD_INPUT, "")]
    return own_path(request.output, (_SUFFIX,), used, force=request.force)


def _based_on(target: str, output: Path) -> str:
    """The board's name, or where its file is, seen from the new one."""
    if not target.endswith(_SUFFIX):
        return target
    try:
        return Path(os.path.relpath(Path(target).resolve(), output.resolve().parent)).as_posix()
    except ValueError:  # on another drive
        return Path(target).resolve().as_posix()
