"""How large the structures are that TFLM puts into the arena: a table for each ABI and build.

An arena is exact only for a named runtime: a revision of TFLM, an ABI, a kernel library. The same
structure has other sizes where pointers have 8 bytes, or where enumerations have as few bytes as
they need (Arm's embedded ABI).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from tinyml_runtime.errors import AbiError


@dataclass(frozen=True, slots=True)
class Layout:
    """Size and alignment of a structure, in bytes."""

    bytes: int
    alignment: int


@dataclass(frozen=True, slots=True)
class Abi:
    """The structures of one build of TFLM. `tflm` names the revision; `source` says where from."""

    name: str
    tflm: str
    source: str
    has_compression: bool
    pointer: Layout
    structs: Mapping[str, Layout]

    def layout(self, struct: str) -> Layout:
        """The layout of a structure, by its name in TFLM; AbiError for one that is not known."""
        layout = self.structs.get(struct)
        if layout is None:
            raise AbiError(
                f"the size of TFLM's structure {struct} is not known for the ABI {self.name} "
                f"(TFLM {self.tflm})"
            )
        return layout


def abi_names() -> tuple[str, ...]:
    """The ABIs that there is a table for, sorted."""
    return tuple(sorted({name.partition("@")[0] for name in _tables()}))


def tflm_revisions(abi: str) -> tuple[str, ...]:
    """The revisions of TFLM that there is a table for, the default first."""
    tables = [_read(name) for name in _tables() if name.partition("@")[0] == abi]
    return tuple(str(table["tflm"]) for table in tables)


@cache
def load_abi(name: str, tflm: str | None = None, *, compression: bool | None = None) -> Abi:
    """The table of an ABI for a revision of TFLM, the default one if none is given.

    `compression` says whether TFLM is built with support for compressed models, which makes some
    structures larger; None takes what is usual for that build.

    Raises:
        AbiError: there is no such table.
    """
    if name not in abi_names():
        raise AbiError(f"no ABI '{name}' (there are: {', '.join(abi_names())})")
    for candidate in _tables():
        table = _read(candidate)
        if candidate.partition("@")[0] == name and tflm in (None, table["tflm"]):
            return _make(table, compression)
    known = ", ".join(tflm_revisions(name))
    raise AbiError(f"no structure sizes of TFLM {tflm} for the ABI {name} (there are: {known})")


def _tables() -> list[str]:
    """The tables by name; `lp64@...` belongs to another revision and comes after `lp64`."""
    folder = files("tinyml_runtime.memory") / "abis"
    names = (entry.name for entry in folder.iterdir())
    return sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml"))


@cache
def _read(name: str) -> dict[str, Any]:
    text = (files("tinyml_runtime.memory") / "abis" / f"{name}.toml").read_text("utf-8")
    table = tomllib.loads(text)
    base = table.get("extends")
    if base is None:
        return table
    merged = {**_read(base), **table}
    for part in ("structs", "compression"):
        merged[part] = {**_read(base).get(part, {}), **table.get(part, {})}
    return merged


def _make(table: Mapping[str, Any], compression: bool | None) -> Abi:
    has_compression = bool(table["has_compression"]) if compression is None else compression
    sizes: dict[str, list[int]] = {**table["structs"]}
    if has_compression:
        sizes.update(table["compression"])
    return Abi(
        name=table["name"],
        tflm=table["tflm"],
        source=f"{table['from']}: {table['ref']}",
        has_compression=has_compression,
        pointer=Layout(*table["pointer"]),
        structs={name: Layout(*size) for name, size in sizes.items()},
    )
