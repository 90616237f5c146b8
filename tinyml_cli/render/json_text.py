"""What all JSON reports share: one object, a version first, null for what is unknown."""

from __future__ import annotations

import json
import math
from typing import Any, cast

from tinyml_cli.model_file import ModelFile

SCHEMA = 1


def to_json(content: dict[str, Any]) -> str:
    """The report as one JSON object, with the version of its shape."""
    return json.dumps(_finite({"schema": SCHEMA, **content}), allow_nan=False)


def model_entry(model: ModelFile) -> dict[str, Any]:
    """The file that a report is about."""
    return {"path": model.path, "sha256": model.sha256, "bytes": len(model.content)}


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
