"""Loops are read one by one when they are asked for: the same as in the file as a whole."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from tinyml_profiles.instructions import CLASSES, EVIDENCE, load_loops
from tinyml_profiles.load import core_names, load_target
from tinyml_profiles.loops import find_loops

TABLES = sorted(
    file.name.removesuffix(".toml")
    for file in (files("tinyml_profiles") / "data" / "loops").iterdir()
    if file.name.endswith(".toml")
)
LIBRARIES = ("reference", "cmsis-nn", "esp-nn", "muriscv-nn")


@pytest.mark.parametrize("name", TABLES)
def test_a_loop_is_what_the_whole_file_says(name: str) -> None:
    text = (files("tinyml_profiles") / "data" / "loops" / f"{name}.toml").read_text("utf-8")
    data = tomllib.loads(text)
    library = next(one for one in LIBRARIES if name.startswith(f"{one}-"))
    table = load_loops(library, name.removeprefix(f"{library}-"))
    assert table is not None
    assert (table.library, table.core) == (data["library"], data["core"])
    assert list(table.loops) == list(data["loop"])
    assert len(table.loops) == len(data["loop"])
    for loop, entry in data["loop"].items():
        cost = table.loops[loop]
        for mix, part in ((cost.entry, "entry"), (cost.trip, "trip")):
            assert dict(zip(CLASSES, mix, strict=True)) == {
                **dict.fromkeys(CLASSES, 0.0),
                **entry.get(part, {}),
            }
        assert cost.evidence == entry.get("from", data["from"])


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_completed_table_has_what_it_names_and_nothing_else(library: str) -> None:
    for name in core_names():
        found = find_loops(load_target(name).core, library)
        if found is None:
            continue
        loops = found.table.loops
        names = list(loops)
        assert len(names) == len(set(names)) == len(loops)
        assert all(one in loops for one in names)
        assert {loops[one].evidence for one in names} <= set(EVIDENCE)
        assert "no.such_loop" not in loops
        assert loops.get("no.such_loop") is None
