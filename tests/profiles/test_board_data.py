"""What boards say for a verdict: their banks of RAM, their flash, what is reserved, their power."""

from __future__ import annotations

import pytest

from tinyml_profiles import load_target
from tinyml_profiles.arena_places import ram_memories
from tinyml_profiles.load import board_names
from tinyml_profiles.target import NONE, Board

KIB = 1024
BOARDS = board_names()


def board_named(name: str) -> Board:
    board = load_target(name).board
    assert board is not None
    return board


FAMILIES = """
nucleo-f0 nucleo-f1 nucleo-f4 nucleo-f7 nucleo-g0 nucleo-g4 nucleo-h5 nucleo-h7 nucleo-l4
nucleo-l5 nucleo-u5 nrf52-dk nrf52840 nrf5340 raspberry-pi-pico raspberry-pi-pico2 esp32-c3
esp32-c6 esp32-p4 esp32-s2 esp32-s3 nodemcu-esp8266 samd21 adafruit-feather-m4 sparkfun-edge
teensy nano33ble portenta arduino-uno-r4 microbit ek-ra mimxrt lpcxpresso xg24 cy8cproto
corstone-300 longan-nano ch32v pinecone-bl602
"""


def test_there_are_boards_of_every_family() -> None:
    assert len(BOARDS) >= 83
    for family in FAMILIES.split():
        assert any(name.startswith(family) for name in BOARDS), family


# Sizes from the data sheets: flash, and all RAM that an arena may lie in, in KiB.
SIZES = {
    "nucleo-h743zi2": (2048, {"sram": 512, "dtcm": 128, "sram_d2": 288, "sram4": 64, "itcm": 64}),
    "nucleo-f446re": (512, {"sram": 128}),
    "nucleo-l476rg": (1024, {"sram": 96, "sram2": 32}),
    "nucleo-u575zi-q": (2048, {"sram": 768, "sram4": 16}),
    "nrf52840-dk": (1024, {"sram": 256}),
    "nrf5340-dk": (1024, {"sram": 512}),
    "raspberry-pi-pico": (2048, {"sram": 264}),
    "raspberry-pi-pico2": (4096, {"sram": 520}),
    "esp32-s3-devkitc": (8192, {"sram": 512, "psram": 8192}),
    "teensy-4.1": (7936, {"sram": 512, "ocram": 512}),
    "nano33ble": (1024, {"sram": 256}),
    "disco-f407vg": (1024, {"sram": 128, "ccm": 64}),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_the_data_sheet(name: str) -> None:
    board = board_named(name)
    flash, banks = SIZES[name]
    assert board.flash.bytes.value == flash * KIB
    found = {memory.name: memory.bytes.value / KIB for memory in ram_memories(board)}
    assert found == banks


@pytest.mark.parametrize("name", BOARDS)
def test_a_minimal_application_leaves_room(name: str) -> None:
    board = board_named(name)
    for figure, memory in (
        (board.reserved_ram_bytes, board.memories[board.placed.arena]),
        (board.reserved_flash_bytes, board.flash),
    ):
        assert 0 <= figure.value < memory.bytes.value * 0.75, name
        # What nobody knows is absent, not 0.
        assert figure is NONE or figure.value > 0


@pytest.mark.parametrize("name", BOARDS)
def test_power_is_a_microcontrollers_and_says_of_what(name: str) -> None:
    active = board_named(name).power.active_mw
    if active is None:
        return
    assert 0.5 <= active.value <= 1000
    assert len(active.ref) > 20


def test_boards_with_a_radio_reserve_flash_for_it() -> None:
    for name in BOARDS:
        if name.startswith(("esp32", "xiao", "nrf5", "nano33", "raspberry-pi-pico-w", "pinecone")):
            assert board_named(name).reserved_flash_bytes.value >= 100_000, name


def test_the_usual_memory_comes_first_and_flash_is_none() -> None:
    memories = [memory.name for memory in ram_memories(board_named("nucleo-h743zi2"))]
    assert memories[0] == "sram"
    assert "flash" not in memories
