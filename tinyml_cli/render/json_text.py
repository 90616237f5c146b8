"""What all JSON reports share: one object, a version first, null for what is unknown."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, cast

from tinyml_cli.model_file import ModelFile

if TYPE_CHECKING:
    from tinyml_profiles.logs.measure import Measurement

SCHEMA = 1


def to_json(content: dict[str, Any]) -> str:
    """The report as one JSON object, with the version of its shape."""
    return json.dumps(_finite({"schema": SCHEMA, **content}), allow_nan=False)


def model_entry(model: ModelFile) -> dict[str, Any]:
    """The file that a report is about."""
    return {"path": model.path, "sha256": model.sha256, "bytes": len(model.content)}


def measured_entry(measured: Measurement) -> dict[str, Any]:
    """The log of measured runs that a report is about."""
    return {
        "path": measured.source,
        "format": measured.format,
        "unit": measured.unit,
        "invocations": measured.invocations,
        "measured_ms": measured.total_ms,
        "notes": list(measured.notes),
    }


def _finite(value: Any) -> Any:
    """The same with null for NaN and infinities, which JSON does not have."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        entries = cast("dict[str, Any]", value)
        return {key: _finite(entry) for key, entry in entries.items()}
    if isinstance(value, list):
        return [_finite(item) for item in cast("list[Any]", value)]
    return value
