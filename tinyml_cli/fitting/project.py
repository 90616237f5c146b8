"""The project file, `tinyml.toml`: which models on which boards, within which budgets.

models = ["models/wake.tflite"]
boards = ["nucleo-l4r5zi", "boards/mine.toml"]
kernels = "cmsis-nn"

[budgets]
latency_ms = 50
ram = "64k"
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tinyml_cli.arguments import byte_size, positive_number
from tinyml_cli.inputs.paths import existing_file, read_text
from tinyml_profiles.fit_report import Budgets
from tinyml_profiles.toml_table import PlainTable, is_number
from tinyml_runtime.errors import InputError

NAME = "tinyml.toml"
_OWN_BOARD = ".toml"
_SIZE = 'bytes (65536) or a size ("64k", "256KiB", "1M")'


@dataclass(frozen=True, slots=True)
class Project:
    """What a project file asks for; paths are those from where the command runs."""

    models: tuple[str, ...]
    boards: tuple[str, ...]
    kernels: str | None
    budgets: Budgets


class _ProjectTable(PlainTable):
    error = InputError


def read_project(path_text: str | None) -> Project:
    """The project file at a path, or in the working folder; InputError for what is wrong in it."""
    text = path_text or NAME
    path = existing_file(text)
    try:
        data = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{text}: not a TOML file: {error}") from None
    table = _ProjectTable(text, data)
    project = Project(
        tuple(str(path.parent / model) for model in _listed(table, "models")),
        tuple(_board(path.parent, board) for board in _listed(table, "boards")),
        table.text("kernels") if table.has("kernels") else None,
        _budgets(_ProjectTable(text, table.inner("budgets", is_optional=True), "budgets")),
    )
    table.close()
    return project


def _listed(table: _ProjectTable, key: str) -> tuple[str, ...]:
    table.value(key)
    names = table.texts(key)
    if not names:
        table.fail(key, "is empty")
    return names


def _board(folder: Path, name: str) -> str:
    """A name as it is; a file of the user's own from where the project is."""
    return str(folder / name) if name.endswith(_OWN_BOARD) else name


def _budgets(table: _ProjectTable) -> Budgets:
    milliseconds = partial(positive_number, option="latency_ms", unit="ms")
    microjoules = partial(positive_number, option="energy_uj", unit="uJ")
    size = partial(byte_size, option="")
    budgets = Budgets(
        latency_ms=_budget(table, "latency_ms", milliseconds, "a number of ms above 0"),
        ram_bytes=_budget(table, "ram", size, _SIZE),
        flash_bytes=_budget(table, "flash", size, _SIZE),
        energy_uj=_budget(table, "energy_uj", microjoules, "a number of uJ above 0"),
    )
    table.close()
    return budgets


def _budget(
    table: _ProjectTable, key: str, read: Callable[[str], float], takes: str
) -> float | None:
    """What `read` makes of a number or a text; None where there is none."""
    if not table.has(key):
        return None
    value = table.value(key)
    if is_number(value) or isinstance(value, str):
        try:
            return read(str(value))
        except InputError:
            pass
    table.fail(key, f"is {value!r}; it takes {takes}")
