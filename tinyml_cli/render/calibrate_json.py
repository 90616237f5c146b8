"""`tinyml calibrate` as JSON."""

from __future__ import annotations

from typing import Any

from tinyml_cli.calibrating.calibrate_models import CalibrateReport
from tinyml_cli.model_file import ModelFile
from tinyml_cli.render.json_text import measured_entry, model_entry, to_json
from tinyml_profiles.calibration.report import Compared, Errors, Fitted, Run
from tinyml_profiles.uncertainty import Interval


def calibration(report: CalibrateReport) -> str:
    """The calibration as one JSON object."""
    found = report.calibration
    return to_json(
        {
            "target": found.target.name,
            "core": found.target.core.name,
            "kernels": found.library,
            "clock_hz": found.clock_hz,
            "logs": [_log(*each) for each in zip(found.runs, report.models, strict=True)],
            "parameters": [_parameter(one) for one in found.parameters],
            "errors": {
                "before": _errors(found.before),
                "after": _errors(found.after),
                "left_out": None if found.left_out is None else _errors(found.left_out),
                "left_out_is": found.left_out_is,
            },
            "interval": {
                "before": _interval(found.interval_before),
                "after": _interval(found.interval),
            },
            "measurements": [_compared(one) for one in found.compared],
            "written": None if report.written is None else str(report.written),
            "notes": list(found.notes),
        }
    )


def _log(run: Run, model: ModelFile) -> dict[str, Any]:
    return {**measured_entry(run.measurement), "model": model_entry(model)}


def _parameter(one: Fitted) -> dict[str, Any]:
    return {
        "name": one.name,
        "before": one.before.value,
        "after": one.after,
        "is_fitted": one.is_fitted,
    }


def _errors(errors: Errors) -> dict[str, Any]:
    return {
        "operator_median": errors.median,
        "operator_worst": errors.worst,
        "whole_worst": errors.whole,
    }


def _interval(interval: Interval | None) -> dict[str, Any] | None:
    """Factors on a latency."""
    if interval is None:
        return None
    return {"low": interval.low, "high": interval.high, "of": interval.of}


def _compared(one: Compared) -> dict[str, Any]:
    return {
        "model": one.model,
        "name": one.name,
        "is_whole": one.is_whole,
        "measured_ms": one.measured_ms,
        "before_ms": one.before_ms,
        "after_ms": one.after_ms,
        "left_out_ms": one.left_out_ms,
    }
