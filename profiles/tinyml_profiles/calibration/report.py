"""What a calibration found out: factors, and predictions beside measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_profiles.logs.measure import Measurement
from tinyml_profiles.target import Figure, Target
from tinyml_profiles.uncertainty import Interval
from tinyml_runtime.model.schema import Model


@dataclass(frozen=True, slots=True)
class Run:
    """A model, the name and checksum of its file, and one log of it."""

    model: Model
    name: str
    sha256: str
    measurement: Measurement


@dataclass(frozen=True, slots=True)
class Compared:
    """What was measured beside the prediction before and after; `left_out_ms` without it.

    `name` is that of a node, of an operator where only sums were measured, or of the whole.
    """

    model: str
    name: str
    measured_ms: float
    before_ms: float
    after_ms: float
    left_out_ms: float | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Errors:
    """Absolute errors of operators, and of whole models, as shares; None where there are none."""

    median: float | None
    worst: float | None
    whole: float | None


@dataclass(frozen=True, slots=True)
class Fitted:
    """A parameter before and after; `is_fitted` says whether the measurements tell it."""

    name: str
    before: Figure
    after: float
    is_fitted: bool


@dataclass(frozen=True, slots=True)
class CalibrationReport:
    """The fit, its errors before and after, and those of what was left out of it.

    `unpredicted` are operators of which nobody knows what they cost. `interval` is that around the
    latencies of the new target; `interval_before` is that of the one that it is based on.
    """

    target: Target
    library: str
    clock_hz: float
    runs: Sequence[Run]
    parameters: Sequence[Fitted]
    compared: Sequence[Compared]
    before: Errors
    after: Errors
    left_out: Errors | None
    left_out_is: str
    interval_before: Interval | None
    interval: Interval | None
    unpredicted: Sequence[str]
    notes: Sequence[str]
