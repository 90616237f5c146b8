"""A core from its TOML table."""

from __future__ import annotations

from collections.abc import Mapping

from tinyml_profiles.instructions import CLASSES
from tinyml_profiles.target import NONE, ONE, Core, Figure
from tinyml_profiles.toml_table import TomlTable

_MOST_CYCLES = 2000.0


def read_core(table: TomlTable) -> Core:
    """The core that `table` describes; TargetError for what is missing, unknown or implausible."""
    loops = table.table("loops")
    core = Core(
        name=table.text("name"),
        title=table.text("title"),
        isa=table.text("isa"),
        abi=table.text("abi"),
        extensions=table.names("extensions"),
        source=table.source,
        loops_cores=(loops.text("core"), *loops.texts("near")),
        loops_scale=loops.figure("scale", 0.3, 2, ONE),
        float_loops=loops.texts("floats"),
        cycles=_cycles(table.table("cycles")),
        paired=table.figure("paired", 0, 0.5, NONE),
        instruction_bytes=table.figure("instruction_bytes", 2, 8),
        accelerated=_accelerated(table.table("accelerated", is_optional=True)),
    )
    loops.close()
    table.close()
    return core


def _cycles(table: TomlTable) -> Mapping[str, Figure]:
    """Cycles of each class: those that are not named cost as much as `other`."""
    other = table.figure("other", 0, _MOST_CYCLES)
    cycles = {name: table.figure(name, 0, _MOST_CYCLES, other) for name in CLASSES}
    table.close()
    return cycles


def _accelerated(table: TomlTable) -> Mapping[tuple[str, str], Figure]:
    found: dict[tuple[str, str], Figure] = {}
    for library, operators in table.tables():
        for operator in operators.entries():
            found[library, operator] = operators.figure(operator, 0.005, 2)
    return found
