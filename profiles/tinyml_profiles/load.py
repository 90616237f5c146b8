"""Targets from their TOML files: cores, boards, and files of the user's own."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from tinyml_profiles.load_board import read_board, read_calibration
from tinyml_profiles.load_core import read_core
from tinyml_profiles.target import Memory, Target
from tinyml_profiles.toml_table import TomlTable
from tinyml_runtime.errors import TargetError, TargetFileError

_SUFFIX = ".toml"
_MOST_NEAR = 6


def target_names() -> tuple[str, ...]:
    """All targets, cores and boards, sorted."""
    return tuple(sorted({*_files("cores"), *_files("boards")}))


def core_names() -> tuple[str, ...]:
    """The targets that are cores with memory that never waits, sorted."""
    return tuple(sorted(_files("cores")))


def board_names() -> tuple[str, ...]:
    """The targets that are boards, sorted."""
    return tuple(sorted(_files("boards")))


def load_target(name: str) -> Target:
    """The target of that name, or that of a TOML file if `name` is the path of one.

    Raises:
        TargetError: there is none of that name (the nearest are told), or its file has a key that
            is missing, not known or out of range.
    """
    return _load_file(Path(name)) if name.endswith(_SUFFIX) else _load_named(name)


@cache
def _load_named(name: str) -> Target:
    if (file := _files("cores").get(name)) is not None:
        return Target(name, read_core(_table(file)))
    if (file := _files("boards").get(name)) is not None:
        return _target(_table(file))
    raise TargetError(f"no target '{name}' ({_instead(name)})")


def _load_file(path: Path, seen: tuple[Path, ...] = ()) -> Target:
    """A core if the file names an instruction set, a board otherwise; `seen` are based on it."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise TargetFileError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TargetFileError(f"{path}: not a TOML file: {error}") from None
    table = TomlTable(str(path), data)
    if "isa" in data:
        core = read_core(table)
        return Target(core.name, core)
    return _changed(table, path, seen) if "based_on" in data else _target(table)


def _target(table: TomlTable) -> Target:
    core = table.choice("core", _files("cores"))
    board = read_board(table)
    return Target(board.name, _load_named(core).core, board)


def _changed(table: TomlTable, path: Path, seen: tuple[Path, ...]) -> Target:
    """A board like another one, with a calibration of its own, and maybe another clock."""
    target = _base(table, path, seen)
    board = target.board
    if board is None:
        table.fail("based_on", "is not a board")
    clock = table.table("clock", is_optional=True)
    clock_hz = clock.figure("core_hz", 1e5, 1e10, board.clock_hz)
    clock.close()
    ratio = clock_hz.value / board.clock_hz.value
    name = table.text("name")
    board = replace(
        board,
        name=name,
        title=table.text("title", f"{target.title}, calibrated"),
        library=table.text("library", board.library),
        clock_hz=clock_hz,
        memories={key: _slower(memory, ratio) for key, memory in board.memories.items()},
        calibration=read_calibration(table.table("calibration")),
    )
    table.close()
    return Target(name, target.core, board, target.based_on or target.name)


def _base(table: TomlTable, path: Path, seen: tuple[Path, ...]) -> Target:
    """The target that a file changes: by name, or by the path of another file from where it is."""
    named = table.text("based_on")
    if not named.endswith(_SUFFIX):
        return _load_named(table.choice("based_on", board_names()))
    own = path.resolve()
    if own in seen:
        table.fail("based_on", "goes round in a circle")
    return _load_file(path.parent / named, (*seen, own))


def _slower(memory: Memory, ratio: float) -> Memory:
    """A memory whose wait, the same in time, is `ratio` times as many cycles."""
    wait = memory.wait_cycles
    return replace(memory, wait_cycles=replace(wait, value=wait.value * ratio))


def _instead(name: str) -> str:
    from difflib import get_close_matches

    names, word = target_names(), name.lower()
    near = [one for one in names if word and word in one][:_MOST_NEAR]
    near = near or get_close_matches(word, names, 3, 0.7) or _of_title(word)
    near = near or get_close_matches(word, names, 3, 0.5)
    if near:
        return f"near: {', '.join(near)}"
    return f"there are: {', '.join(names)}"


def _of_title(word: str) -> list[str]:
    """Targets in whose title, which names the chip, a word occurs."""
    if not word:
        return []
    found = [name for name in target_names() if word in _load_named(name).title.lower()]
    return found[:_MOST_NEAR]


@cache
def _files(kind: str) -> Mapping[str, Traversable]:
    folder = files("tinyml_profiles") / "data" / kind
    return {
        file.name.removesuffix(_SUFFIX): file
        for file in folder.iterdir()
        if file.name.endswith(_SUFFIX)
    }


def _table(file: Traversable) -> TomlTable:
    data: dict[str, Any] = tomllib.loads(file.read_text("utf-8"))
    return TomlTable(file.name, data)
