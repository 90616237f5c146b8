"""`tinyml targets` as tables for people, and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType

from tinyml_cli.render.json_text import to_json
from tinyml_cli.render.parts import BLANK, line, table
from tinyml_cli.render.units import number, value_text
from tinyml_profiles.target import Target
from tinyml_profiles.target_figures import NamedFigure, target_figures


def listing(targets: Sequence[Target]) -> list[RenderableType]:
    """Boards, then cores."""
    boards = [target for target in targets if target.board is not None]
    cores = [target for target in targets if target.board is None]
    board_rows = [(one.name, one.core.name, *_board_cells(one)) for one in boards]
    core_rows = [(one.name, one.core.abi, one.core.title) for one in cores]
    return [
        table(
            ("board", "core", "MHz", "flash KiB", "RAM KiB", "kernels"),
            board_rows,
            (2, 3, 4),
            range(6),
        ),
        BLANK,
        table(("core", "ABI", "what"), core_rows, (), (0, 1)),
        line("A name shows every number of that target with its source."),
    ]


def _board_cells(target: Target) -> tuple[str, ...]:
    board = target.board
    if board is None:
        return ()
    ram = board.memories[board.placed.arena]
    return (
        f"{board.clock_hz.value / 1e6:g}",
        number(round(board.flash.bytes.value / 1024)),
        number(round(ram.bytes.value / 1024)),
        board.library,
    )


def one(target: Target) -> list[RenderableType]:
    """Every number of one target with its source."""
    core = target.core
    figures = target_figures(target)
    sources = list(dict.fromkeys(figure.figure.ref for figure in figures))
    rows = [
        (
            figure.name,
            value_text(figure.figure.value),
            figure.unit,
            figure.figure.evidence,
            f"[{sources.index(figure.figure.ref) + 1}]",
        )
        for figure in figures
    ]
    extensions = f" with {', '.join(sorted(core.extensions))}" if core.extensions else ""
    return [
        line(f"{target.name}: {target.title}", "bold"),
        line(f"core {core.name} ({core.isa}{extensions}), ABI {core.abi}"),
        *_placement(target),
        BLANK,
        table(("number", "value", "unit", "from", "source"), rows, (1,)),
        BLANK,
        *(line(f"[{place}] {source}") for place, source in enumerate(sources, 1)),
    ]


def _placement(target: Target) -> list[RenderableType]:
    board = target.board
    if board is None:
        return [line("memory never waits")]
    placed = board.placed
    return [
        line(
            f"code in {placed.code}, weights in {placed.weights}, arena in {placed.arena}; "
            f"{board.library} kernels"
        )
    ]


def listing_json(targets: Sequence[Target]) -> str:
    """All targets, with what tells them apart."""
    return to_json({"targets": [_entry(target) for target in targets]})


def one_json(target: Target) -> str:
    """One target with every number."""
    numbers = [_figure(figure) for figure in target_figures(target)]
    return to_json({**_entry(target), "figures": numbers})


def _entry(target: Target) -> dict[str, Any]:
    board = target.board
    return {
        "name": target.name,
        "kind": "core" if board is None else "board",
        "title": target.title,
        "core": target.core.name,
        "isa": target.core.isa,
        "abi": target.core.abi,
        "extensions": sorted(target.core.extensions),
        "kernels": None if board is None else board.library,
        "clock_hz": None if board is None else board.clock_hz.value,
        "memories": {}
        if board is None
        else {name: memory.bytes.value for name, memory in board.memories.items()},
    }


def _figure(named: NamedFigure) -> dict[str, Any]:
    return {
        "name": named.name,
        "value": named.figure.value,
        "unit": named.unit,
        "from": named.figure.evidence,
        "ref": named.figure.ref,
    }
