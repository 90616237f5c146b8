"""Every target that is shipped: plausible as a piece of hardware, and each number has a source."""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest

from tinyml_profiles import load_target
from tinyml_profiles.instructions import CLASSES, EVIDENCE, load_loops
from tinyml_profiles.load import board_names, core_names
from tinyml_profiles.target import Figure, Target
from tinyml_profiles.uncertainty import interval
from tinyml_runtime.kernels import LIBRARIES

TARGETS = (*core_names(), *board_names())


def figures(value: Any) -> Iterator[Figure]:
    """All numbers inside a target."""
    if isinstance(value, Figure):
        yield value
    elif isinstance(value, dict):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from figures(item)
    elif isinstance(value, tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from figures(item)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            yield from figures(getattr(value, field.name))


@pytest.mark.parametrize("name", TARGETS)
def test_every_number_has_evidence_and_a_reference(name: str) -> None:
    found = list(figures(load_target(name)))
    assert found
    for figure in found:
        assert figure.evidence in EVIDENCE
        assert len(figure.ref) > 3


@pytest.mark.parametrize("name", core_names())
def test_a_core_takes_about_a_cycle_for_simple_instructions(name: str) -> None:
    core = load_target(name).core
    assert set(core.cycles) == set(CLASSES)
    assert 0.5 <= core.cycles["alu"].value <= 1.5
    assert 1 <= core.cycles["load"].value <= 3
    assert 0.5 <= core.cycles["store"].value <= 2
    assert 1 <= core.cycles["mul"].value <= 4
    assert 1 <= core.cycles["div"].value <= 40
    assert 0 <= core.cycles["branch_taken"].value <= 5
    assert 2 <= core.instruction_bytes.value <= 4
    assert set(core.loops_cores) <= set(core_names())
    assert len(set(core.loops_cores)) == len(core.loops_cores)


@cache
def libraries() -> frozenset[str]:
    return frozenset(library.name for library in LIBRARIES)


@pytest.mark.parametrize("name", board_names())
def test_a_board_is_a_plausible_piece_of_hardware(name: str) -> None:
    target = load_target(name)
    board = target.board
    assert board is not None
    assert board.library in libraries()
    assert 16e6 <= board.clock_hz.value <= 1e9
    assert str(round(board.clock_hz.value / 1e6)) in board.title
    for memory in board.memories.values():
        assert 4 * 1024 <= memory.bytes.value <= 2**30
        assert memory.bytes.value % 1024 == 0
        # No memory takes longer than 5 microseconds for a line.
        assert memory.wait_cycles.value / board.clock_hz.value < 5e-6
        assert memory.line_bytes.value in (4, 8, 16, 32, 64)
    for cache_ in board.caches:
        largest = max(board.memories[memory].bytes.value for memory in cache_.memories)
        assert cache_.bytes.value < largest
    arena = board.memories[board.placed.arena]
    assert board.reserved_ram_bytes.value < arena.bytes.value


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_has_an_interval(name: str) -> None:
    target = load_target(name)
    library = target.board.library if target.board else "reference"
    factors = interval(target, library)
    assert factors is not None
    assert 0.5 < factors.low < 1 < factors.high < 2
    assert factors.of


def test_what_runs_on_known_boards_has_a_narrower_interval_than_what_does_not() -> None:
    def width(target: Target, library: str) -> float:
        factors = interval(target, library)
        assert factors is not None
        return factors.high

    measured = load_target("nucleo-l4r5zi")
    assert width(measured, "cmsis-nn") < width(load_target("nucleo-f446re"), "cmsis-nn")
    assert width(measured, "cmsis-nn") < width(measured, "reference")


def test_boards_with_the_same_chip_agree() -> None:
    for names in (
        ("nucleo-u575zi-q", "b-u585i-iot02a"),
        ("nucleo-f746zg", "disco-f746ng"),
        ("esp32-devkit-v1", "esp32-cam", "esp32-eye"),
        ("esp32-s3-devkitc", "xiao-esp32s3", "esp32-s3-eye"),
    ):
        boards = [load_target(name).board for name in names]
        flashes = [board.memories["flash"] for board in boards if board is not None]
        assert len({flash.wait_cycles.value for flash in flashes}) == 1


def test_names_of_files_are_names_of_targets() -> None:
    for kind in ("cores", "boards"):
        folder = files("tinyml_profiles") / "data" / kind
        for file in folder.iterdir():
            data = tomllib.loads(file.read_text("utf-8"))
            assert data["name"] == file.name.removesuffix(".toml")


def test_a_core_stands_first_among_those_whose_loops_it_runs_if_it_was_measured() -> None:
    for name in core_names():
        core = load_target(name).core
        measured = any(load_loops(library, name) for library in libraries())
        assert not measured or core.loops_core == name
