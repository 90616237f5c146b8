"""A former report beside this one: what changed, per model and board."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, cast

from tinyml_cli.inputs.paths import existing_file, read_text
from tinyml_runtime.errors import InputError

# What is compared: the name, the unit, and where it stands in a result.
_FIGURES = (
    ("RAM", "bytes", ("ram", "needed_bytes")),
    ("flash", "bytes", ("flash", "needed_bytes")),
    ("latency", "ms", ("latency_ms",)),
    ("energy", "uJ", ("energy_uj",)),
)
_LARGEST = 1e15
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A figure or a verdict that is not what it was; None where there is or was none.

    `unit` is empty for verdicts, which are texts.
    """

    model: str
    board: str
    what: str
    unit: str
    before: float | str | None
    after: float | str | None


def read_baseline(text: str) -> list[Entry]:
    """The models of a report of `tinyml fit --json`; InputError where the file is none."""
    path: Path = existing_file(text)
    try:
        report: Any = json.loads(read_text(path))
    except (ValueError, RecursionError):
        raise InputError(f"{text}: not JSON; save what 'tinyml fit --json' prints") from None
    models = fits_of(report)
    if models is None:
        raise InputError(f"{text}: not a report of 'tinyml fit --json'")
    return models


def fits_of(report: Any) -> list[Entry] | None:
    """The models of a report, each with `model` and `results`; None where it has another shape."""
    if not isinstance(report, dict):
        return None
    whole = cast("dict[str, Any]", report)
    models = whole.get("fits", [whole])
    return models if isinstance(models, list) and all(map(_is_model, models)) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def changes(before: Sequence[Entry], after: Sequence[Entry]) -> list[Change]:
    """What differs between two reports, in the order of the second.

    Models match by path; where no path does, by the file's name.
    """
    former = {key: result for model in before for key, result in _results(model)}
    by_name = {(PurePath(path).name, board): (path, board) for path, board in former}
    found: list[Change] = []
    met: set[tuple[str, str]] = set()
    for (path, board), result in (pair for model in after for pair in _results(model)):
        name = PurePath(path).name
        key = (path, board) if (path, board) in former else by_name.get((name, board))
        if key is not None:
            met.add(key)
        found += _changes((name, board), None if key is None else former[key], result)
    for key, result in former.items():
        if key not in met:
            name = PurePath(key[0]).name
            found.append(Change(name, key[1], "verdict", "", _verdict(result), None))
    return found


def _changes(key: tuple[str, str], before: Entry | None, after: Entry) -> Iterator[Change]:
    if before is None:
        yield Change(*key, "verdict", "", None, _verdict(after))
        return
    if _verdict(before) != _verdict(after):
        yield Change(*key, "verdict", "", _verdict(before), _verdict(after))
    for name, unit, path in _FIGURES:
        old, new = _figure(before, path), _figure(after, path)
        if old != new:
            yield Change(*key, name, unit, old, new)


def _results(model: Entry) -> Iterator[tuple[tuple[str, str], Entry]]:
    path = str(model["model"].get("path", ""))
    for result in model["results"]:
        yield (path, str(result["board"])), result


def _verdict(result: Entry) -> str:
    return str(result.get("verdict", "unknown"))


def _figure(result: Entry, path: Sequence[str]) -> float | None:
    value: Any = result
    for key in path:
        value = cast("Entry", value).get(key) if isinstance(value, dict) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and abs(value) < _LARGEST else None


def _is_model(entry: Any) -> bool:
    """Whether an entry has what is compared here."""
    if not isinstance(entry, dict):
        return False
    one = cast("dict[str, Any]", entry)
    results: Any = one.get("results")
    return (
        isinstance(one.get("model"), dict)
        and isinstance(results, list)
        and all(isinstance(r, dict) and "board" in r for r in cast("list[Any]", results))
    )
