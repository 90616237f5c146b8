"""Every number of a target with its name, unit and source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyml_profiles.target import NONE, Board, Core, Figure, Target


@dataclass(frozen=True, slots=True)
class NamedFigure:
    """A number of a target: what it is, with its unit, its evidence and reference."""

    name: str
    unit: str
    figure: Figure


def target_figures(target: Target) -> list[NamedFigure]:
    """All numbers of the board, then those of the core."""
    board = [] if target.board is None else list(_board(target.board))
    return [*board, *_core(target.core)]


def _board(board: Board) -> Iterator[NamedFigure]:
    yield NamedFigure("clock", "Hz", board.clock_hz)
    for name, memory in board.memories.items():
        yield NamedFigure(f"{name}: size", "bytes", memory.bytes)
        yield NamedFigure(f"{name}: wait for a line", "cycles", memory.wait_cycles)
        yield NamedFigure(f"{name}: line", "bytes", memory.line_bytes)
        yield NamedFigure(f"{name}: wait hidden by prefetch", "share", memory.prefetch)
    for cache in board.caches:
        held = ", ".join(sorted(cache.memories))
        yield NamedFigure(f"cache '{cache.name}' of {held}: size", "bytes", cache.bytes)
    reserved = {"RAM": board.reserved_ram_bytes, "flash": board.reserved_flash_bytes}
    for name, figure in reserved.items():
        if figure is not NONE:
            yield NamedFigure(f"reserved {name}", "bytes", figure)
    for name, figure in (("active", board.power.active_mw), ("sleep", board.power.sleep_mw)):
        if figure is not None:
            yield NamedFigure(f"power, {name}", "mW", figure)
    factors = board.calibration
    yield NamedFigure("calibration: core", "factor", factors.core)
    yield NamedFigure("calibration: fetching code", "factor", factors.fetch)
    yield NamedFigure("calibration: reading weights", "factor", factors.weights)
    yield NamedFigure("calibration: reading the arena", "factor", factors.arena)
    yield NamedFigure("calibration: each operator", "cycles", factors.operator_cycles)
    if factors.interval is not None:
        yield NamedFigure("calibration: end of the 90 % interval", "factor", factors.interval)


def _core(core: Core) -> Iterator[NamedFigure]:
    for name, figure in core.cycles.items():
        yield NamedFigure(f"cycles of '{name}'", "cycles", figure)
    yield NamedFigure("issued together with another", "share", core.paired)
    yield NamedFigure("length of an instruction", "bytes", core.instruction_bytes)
    yield NamedFigure("instructions for each that was counted", "factor", core.loops_scale)
    for (library, operator), figure in core.accelerated.items():
        yield NamedFigure(f"{library}, {operator}: cycles of its loops", "factor", figure)
