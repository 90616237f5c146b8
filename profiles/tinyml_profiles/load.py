"""Targets from their TOML files; a key that is missing or not known is an error that names it."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from tinyml_profiles.target import Core, Target
from tinyml_runtime.errors import TargetError

_CORE_KEYS = {
    "name": str,
    "title": str,
    "isa": str,
    "abi": str,
    "extensions": list,
    "from": str,
    "ref": str,
}
EVIDENCE = ("measured", "datasheet", "derived", "assumed")


def target_names() -> tuple[str, ...]:
    """All targets, sorted."""
    return tuple(sorted(_core_files()))


@cache
def load_target(name: str) -> Target:
    """The target of that name; TargetError with the nearest names for one that is not known."""
    file = _core_files().get(name)
    if file is None:
        raise TargetError(f"no target '{name}' ({_instead(name)})")
    return Target(name, _core(file))


def _instead(name: str) -> str:
    from difflib import get_close_matches

    names = target_names()
    near = get_close_matches(name.lower(), names, 3, 0.5)
    if near:
        return f"near: {', '.join(near)}"
    return f"there are: {', '.join(names)}"


def _core_files() -> dict[str, Traversable]:
    folder = files("tinyml_profiles") / "data" / "cores"
    return {
        file.name.removesuffix(".toml"): file
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    }


def _core(file: Traversable) -> Core:
    data = tomllib.loads(file.read_text("utf-8"))
    _check_keys(file.name, data)
    return Core(
        name=data["name"],
        title=data["title"],
        isa=data["isa"],
        abi=data["abi"],
        extensions=frozenset(data["extensions"]),
        source=f"{data['from']}: {data['ref']}",
    )


def _check_keys(file: str, data: dict[str, Any]) -> None:
    for key in data:
        if key not in _CORE_KEYS:
            raise TargetError(f"{file}: unknown key '{key}' (there are: {', '.join(_CORE_KEYS)})")
    for key, kind in _CORE_KEYS.items():
        if not isinstance(data.get(key), kind):
            raise TargetError(f"{file}: '{key}' must be given, as a {kind.__name__}")
    if data["from"] not in EVIDENCE:
        raise TargetError(f"{file}: 'from' must be one of {', '.join(EVIDENCE)}")
