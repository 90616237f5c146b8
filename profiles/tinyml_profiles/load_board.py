"""A board from its TOML table."""

from __future__ import annotations

from collections.abc import Mapping

from tinyml_profiles.target import (
    NONE,
    ONE,
    Board,
    Cache,
    Calibration,
    Figure,
    Memory,
    Placement,
    Power,
)
from tinyml_profiles.toml_table import TomlTable

_MOST_BYTES = 2.0**32
_HELD = ("code", "data", "both")
_NO_WAIT = Figure(0.0, "assumed", "no waits are known of")
_A_WORD = Figure(4.0, "assumed", "a word at a time")


def read_board(table: TomlTable) -> Board:
    """The board that `table` describes, but for `core`; TargetError for what is wrong in it."""
    memories = _memories(table.table("memory"))
    reserved = table.table("reserved", is_optional=True)
    clock = table.table("clock")
    board = Board(
        name=table.text("name"),
        title=table.text("title"),
        library=table.text("library"),
        clock_hz=clock.figure("core_hz", 1e5, 1e10),
        memories=memories,
        caches=_caches(table.table("cache", is_optional=True), memories),
        placed=_placement(table.table("placed"), memories),
        power=_power(table.table("power", is_optional=True)),
        reserved_ram_bytes=reserved.figure("ram_bytes", 0, _MOST_BYTES, NONE),
        reserved_flash_bytes=reserved.figure("flash_bytes", 0, _MOST_BYTES, NONE),
        calibration=read_calibration(table.table("calibration", is_optional=True)),
    )
    for part in (reserved, clock, table):
        part.close()
    return board


def read_calibration(table: TomlTable) -> Calibration:
    """Factors on the parts of an estimate."""
    calibration = Calibration(
        core=table.figure("core", 0.1, 10, ONE),
        fetch=table.figure("fetch", 0, 20, ONE),
        weights=table.figure("weights", 0, 20, ONE),
        arena=table.figure("arena", 0, 20, ONE),
        operator_cycles=table.figure("operator_cycles", 0, 1e6, NONE),
        interval=_optional(table.figure("interval", 1, 10, NONE)),
    )
    table.close()
    return calibration


def _memories(table: TomlTable) -> Mapping[str, Memory]:
    memories: dict[str, Memory] = {}
    for name, entry in table.tables():
        memories[name] = Memory(
            name,
            entry.figure("bytes", 256, _MOST_BYTES),
            entry.figure("wait_cycles", 0, 20_000, _NO_WAIT),
            entry.figure("line_bytes", 1, 256, _A_WORD),
            entry.figure("prefetch", 0, 1, NONE),
        )
        entry.close()
    return memories


def _caches(table: TomlTable, memories: Mapping[str, Memory]) -> tuple[Cache, ...]:
    caches: list[Cache] = []
    for name, entry in table.tables():
        before = entry.names("of")
        for memory in sorted(before - set(memories)):
            entry.fail("of", f"names the memory '{memory}' (there are: {', '.join(memories)})")
        size = entry.figure("bytes", 16, 2**24)
        caches.append(Cache(name, size, before, entry.choice("holds", _HELD)))
        entry.close()
    return tuple(caches)


def _placement(table: TomlTable, memories: Mapping[str, Memory]) -> Placement:
    placed = Placement(
        code=table.choice("code", memories),
        weights=table.choice("weights", memories),
        arena=table.choice("arena", memories),
    )
    table.close()
    return placed


def _power(table: TomlTable) -> Power:
    active = table.figure("active_mw", 0, 1e5, NONE)
    sleep = table.figure("sleep_mw", 0, 1e5, NONE)
    table.close()
    return Power(_optional(active), _optional(sleep))


def _optional(figure: Figure) -> Figure | None:
    return None if figure is NONE else figure
