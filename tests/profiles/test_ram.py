"""The RAM of an image, and where on a board its arena may lie."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.resources import files

import pytest

from tests.support.sample_models import tiny_model
from tinyml_profiles import load_target, plan_model
from tinyml_profiles.code_table import load_code
from tinyml_profiles.flash import image_flash
from tinyml_profiles.ram import ARENA, STACK_BYTES, RamReport, image_ram
from tinyml_profiles.target import Board, Figure, Memory, Target
from tinyml_runtime import load_model

DIGITS = load_model("examples/digits.tflite")


def figure(value: float) -> Figure:
    return Figure(value, "datasheet", "a test")


def memory(name: str, size: int, wait: float = 0.0) -> Memory:
    return Memory(name, figure(size), figure(wait), figure(4), figure(0))


def board_with(*memories: Memory) -> Target:
    """A board of our own with a Cortex-M4, that reserves 1000 bytes."""
    base = load_target("nucleo-l4r5zi")
    assert base.board is not None
    flash = base.board.memories["flash"]
    board: Board = replace(
        base.board,
        memories={one.name: one for one in (flash, *memories)},
        placed=replace(base.board.placed, arena=memories[0].name),
        reserved_ram_bytes=figure(1000),
    )
    return Target("a-board", base.core, board)


def report_on(target: Target | str, library: str = "cmsis-nn") -> RamReport:
    flash = image_flash(DIGITS, target, library, model_bytes=8000)
    return image_ram(flash, plan_model(DIGITS, target, library))


def part(report: RamReport, name: str) -> int:
    return next(part.bytes for part in report.parts if part.name == name) or 0


ARENA_BYTES = plan_model(DIGITS, "cortex-m4", "cmsis-nn").arena.recommended_bytes
BESIDE_BYTES = (report_on("cortex-m4").needed_bytes or 0) - ARENA_BYTES


def test_the_parts_add_up_and_each_says_where_it_is_from() -> None:
    report = report_on("nucleo-l4r5zi")
    assert part(report, ARENA) == ARENA_BYTES
    assert part(report, "stack") == STACK_BYTES
    assert report.needed_bytes == sum(part.bytes or 0 for part in report.parts)
    assert all(part.ref for part in report.parts)
    assert report.evidence == "derived"
    assert report_on("esp32-s3-devkitc", "esp-nn").evidence == "assumed"
    assert report.fits
    assert report.available_bytes == 640 * 1024 - 4096


def test_a_resolver_has_room_for_the_operators_that_are_needed() -> None:
    # MicroMutableOpResolver<1> has 48 bytes on Arm, MicroInterpreter 208.
    model = tiny_model()
    flash = image_flash(model, "cortex-m4", model_bytes=1)
    report = image_ram(flash, plan_model(model, "cortex-m4"))
    assert part(report, "operator resolver") == 48
    assert part(report, "interpreter") == 208


def test_a_core_alone_has_no_limit() -> None:
    report = report_on("cortex-m4")
    assert report.available_bytes is None
    assert report.fits is None
    assert report.places == ()


def test_one_memory_that_is_large_enough_is_the_only_place() -> None:
    report = report_on(board_with(memory("sram", ARENA_BYTES + BESIDE_BYTES + 1000)))
    assert [place.fits for place in report.places] == [True]
    assert report.fits


def test_a_byte_less_is_too_little() -> None:
    report = report_on(board_with(memory("sram", ARENA_BYTES + BESIDE_BYTES + 999)))
    assert report.fits is False
    assert [place.missing_bytes for place in report.places] == [1]
    assert report.fitting_place is None


def test_another_bank_takes_the_whole_arena_and_slow_tensors_are_named() -> None:
    small = memory("sram", BESIDE_BYTES + 1100)
    report = report_on(board_with(small, memory("psram", 2**20, wait=100)))
    place = report.fitting_place
    assert place is not None
    assert not place.is_split
    assert place.persistent_in == place.nonpersistent_in == "psram"
    names = {tensor.name for tensor in place.slow}
    assert {buffer.name for buffer in report.plan.buffers if buffer.name} <= names
    assert place.slow_bytes == sum(buffer.bytes for buffer in report.plan.buffers)


def test_two_banks_that_are_too_small_alone_take_a_split_arena() -> None:
    split = _split_sizes()
    first = memory("sram", split[0] + BESIDE_BYTES + 1000)
    second = memory("sram2", split[1])
    report = report_on(board_with(first, second))
    place = report.fitting_place
    assert report.fits is False
    assert place is not None
    assert place.is_split
    assert {place.persistent_in, place.nonpersistent_in} == {"sram", "sram2"}
    assert place.slow == []
    assert max(split) < place.persistent_bytes + place.nonpersistent_bytes


def test_flash_is_no_place_for_an_arena() -> None:
    report = report_on(board_with(memory("sram", 2048)))
    assert report.fitting_place is None
    assert {place.nonpersistent_in for place in report.places} == {"sram"}


def test_code_and_weights_that_run_from_ram_count_there() -> None:
    flash = image_flash(DIGITS, "teensy-4.1", "cmsis-nn", model_bytes=8000)
    report = report_on("teensy-4.1")
    assert part(report, "code, copied") == flash.code_bytes
    assert part(report, "model, copied") == 8000


@pytest.mark.parametrize("core", ["cortex-m4", "rv32imc"])
def test_static_data_grow_with_the_operators(core: str) -> None:
    library = "reference"
    flash = image_flash(DIGITS, core, library, model_bytes=8000)
    report = image_ram(flash, plan_model(DIGITS, core, library))
    name = "static data of runtime, kernels and C library"
    # Linked images of five operators have 200 to 400 bytes with the resolver.
    assert 0 < part(report, name) < 400


def test_static_data_are_those_of_linked_images() -> None:
    file = files("tinyml_profiles") / "data" / "measurements" / "flash.csv"
    rows = list(csv.DictReader(file.read_text("utf-8").splitlines()))
    compared = 0
    for row in rows:
        table = load_code(row["library"], row["core"], row["is_stripped"] == "True")
        if table is None or not row["core"].startswith("cortex") or row["is_logging"] == "True":
            continue
        operators = row["operators"].split()
        ours = sum(part.ram_bytes[row["libc"]] for part in table.linked(operators))
        # Those images have their resolver in static data, and four bytes of their own.
        ours += 12 + 36 * len(operators)
        assert 0 <= int(row["ram_bytes"]) - ours <= 24
        compared += 1
    assert compared > 50


def _split_sizes() -> tuple[int, int]:
    """The split of the arena, persistent part first, from a board where only that helps."""
    tiny = memory("a", BESIDE_BYTES + 1000 + 16)
    report = report_on(board_with(tiny, memory("b", 2**20)))
    whole = report.plan
    from tinyml_runtime.memory.greedy_planner import GreedyPlanner
    from tinyml_runtime.planning.several_arenas import split_graph

    split = split_graph(whole.graph, whole.profile, GreedyPlanner())
    return split.persistent_bytes, split.nonpersistent_bytes
