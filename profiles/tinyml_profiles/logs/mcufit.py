"""`MCUFIT_RESULT {...}` and `MCUFIT_LAYER {...}` lines of mcufit-bench: microseconds, as JSON.

A capture may have several models: those that carry the name or checksum asked for are taken.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Any

from tinyml_profiles.logs.lines import Line
from tinyml_profiles.logs.records import Facts, Lap, Log, TagTotal
from tinyml_runtime.errors import InputError

_LINE = re.compile(r"MCUFIT_(?P<kind>RESULT|LAYER)\s+(?P<json>\{.*)$")
# The compiler's optimisation of the kernels that predictions are of, unless others are asked for.
_TABLES = "O2"
_WHOLE_US = ("p50_us", "mean_us")


def read(lines: Sequence[Line], source: str, model: str, sha256: str) -> Log | None:
    """The log, or None if nothing of it is in this format; InputError for one of other models."""
    records = list(_records(lines, source))
    if not records:
        return None
    wanted = _of_model(records, source, model, sha256)
    layers = [(line, record) for line, kind, record in wanted if kind == "LAYER"]
    results = [(line, record) for line, kind, record in wanted if kind == "RESULT"]
    totals = [
        TagTotal(
            line.number,
            str(record.get("op", "")),
            _number(source, line, record, "us_per_inference"),
            _calls(record.get("calls_per_inference")),
        )
        for line, record in layers
    ]
    laps = [Lap(line.number, _whole(source, line, record)) for line, record in results]
    facts = _facts([r for _, _, r in wanted])
    notes = () if facts.opt in (None, _TABLES) else (f"it ran kernels compiled with -{facts.opt}",)
    return Log(source, "mcufit-bench", (), totals, laps, "us", facts, notes)


def _records(lines: Sequence[Line], source: str) -> Iterator[tuple[Line, str, dict[str, Any]]]:
    for line in lines:
        match = _LINE.search(line.text)
        if match is None:
            continue
        try:
            record = json.loads(match["json"])
        except (ValueError, RecursionError):
            raise InputError(
                f"{source}: line {line.number}: no JSON after MCUFIT_{match['kind']}; the line was "
                "cut: capture the run again"
            ) from None
        yield line, match["kind"], record


def _of_model(
    records: Sequence[tuple[Line, str, dict[str, Any]]], source: str, model: str, sha256: str
) -> list[tuple[Line, str, dict[str, Any]]]:
    """The records of one model: by its checksum, else by its name; all where there is but one."""
    names = {str(record.get("model", "")) for _, _, record in records}
    same = {str(r.get("model", "")) for _, _, r in records if r.get("model_sha256") == sha256}
    if not same:
        same = {name for name in names if name and PurePath(name).stem == PurePath(model).stem}
    if not same and len(names) == 1:
        same = names
        sums = {str(r["model_sha256"]) for _, _, r in records if r.get("model_sha256")}
        if sums:
            raise InputError(
                f"{source}: it ran another file than {model}: its checksum is {min(sums)[:12]}..., "
                f"not {sha256[:12]}..."
            )
    if not same:
        raise InputError(f"{source}: it has the models {', '.join(sorted(names))}, not {model}")
    return [entry for entry in records if str(entry[2].get("model", "")) in same]


def _whole(source: str, line: Line, record: dict[str, Any]) -> float:
    key = next((key for key in _WHOLE_US if key in record), _WHOLE_US[0])
    return _number(source, line, record, key)


def _number(source: str, line: Line, record: dict[str, Any], key: str) -> float:
    value = record.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise InputError(f"{source}: line {line.number}: '{key}' is no number")


def _calls(value: object) -> int | None:
    return value if isinstance(value, int) and value > 0 else None


def _facts(records: Sequence[dict[str, Any]]) -> Facts:
    def first(key: str, kind: type | tuple[type, ...]) -> Any:
        return next((r[key] for r in records if isinstance(r.get(key), kind) and r[key]), None)

    opt = first("opt_level", str)
    return Facts(
        first("cpu_mhz", (int, float)),
        first("kernels", str),
        first("model", str),
        first("model_sha256", str),
        None if opt is None else opt.removeprefix("-"),
    )
