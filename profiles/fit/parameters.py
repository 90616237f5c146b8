"""The few numbers of cores and boards that no manual gives, and what is believed of them before.

Each has a start with a reason, and a spread: the standard deviation of its logarithm, as far as it
is believed. What was measured moves it from there, inside the range that is plausible at all.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number at `key` of files below data/, given without suffix, which are alike in it."""

    files: tuple[str, ...]
    key: str
    start: float
    spread: float
    low: float
    high: float
    reason: str


_LOAD_M = "2 cycles, 1 behind another load"
_TAKEN_M = "1 to 3 cycles to refill the pipeline"
_SIMD = "two beats a cycle, four an instruction, which overlap with those of the next"
_ESP_NN = "ESP-NN README, its optimised kernels beside its C ones"
_FLASH = "the manual's wait states and width"
_U5 = ("boards/nucleo-u575zi-q", "boards/b-u585i-iot02a")
_F746 = ("boards/disco-f746ng", "boards/nucleo-f746zg")
_ESP32 = ("boards/esp32-devkit-v1", "boards/esp32-cam", "boards/esp32-eye")

PARAMETERS = (
    Parameter(("cores/cortex-m4",), "cycles.load", 1.8, 0.1, 1, 2, _LOAD_M),
    Parameter(("cores/cortex-m4",), "cycles.branch_taken", 2, 0.25, 1, 3, _TAKEN_M),
    Parameter(("cores/cortex-m33",), "cycles.load", 1.7, 0.1, 1, 2, _LOAD_M),
    Parameter(("cores/cortex-m33",), "cycles.branch_taken", 2, 0.25, 1, 3, _TAKEN_M),
    Parameter(("cores/cortex-m33",), "paired", 0.04, 0.5, 0.005, 0.2, "few pairs issue together"),
    Parameter(("cores/cortex-m7",), "paired", 0.25, 0.25, 0.05, 0.45, "two a cycle at most"),
    Parameter(("cores/cortex-m7",), "cycles.load", 1.2, 0.2, 1, 2, "a bubble before the use"),
    Parameter(("cores/cortex-m85",), "paired", 0.25, 0.25, 0.05, 0.45, "two a cycle at most"),
    Parameter(("cores/cortex-m85",), "cycles.simd_load", 1.3, 0.15, 1, 2, _SIMD),
    Parameter(("cores/cortex-m85",), "cycles.simd_mac", 1.3, 0.15, 1, 2, _SIMD),
    Parameter(("cores/cortex-m85",), "cycles.simd_other", 1.3, 0.15, 1, 2, _SIMD),
    Parameter(("cores/xtensa-lx6",), "loops.scale", 0.8, 0.15, 0.5, 1, "shorter code than LX106's"),
    Parameter(("cores/esp32s3",), "accelerated.esp-nn.CONV_2D", 0.085, 0.3, 0.02, 0.5, _ESP_NN),
    Parameter(
        ("cores/esp32s3",), "accelerated.esp-nn.DEPTHWISE_CONV_2D", 0.19, 0.3, 0.05, 0.8, _ESP_NN
    ),
    Parameter(("cores/esp32p4",), "accelerated.esp-nn.CONV_2D", 0.2, 0.3, 0.05, 0.8, _ESP_NN),
    Parameter(
        ("cores/esp32p4",), "accelerated.esp-nn.DEPTHWISE_CONV_2D", 0.5, 0.3, 0.1, 1, _ESP_NN
    ),
    Parameter(("cores/vexriscv",), "cycles.load", 2, 0.2, 1, 3, "the result is there in the third"),
    Parameter(("cores/vexriscv",), "cycles.mul", 2, 0.3, 1, 4, "the product is there in the third"),
    Parameter(
        ("cores/vexriscv",), "cycles.branch_taken", 3, 0.3, 0.5, 5, "known in the third stage"
    ),
    Parameter(("boards/nucleo-l4r5zi",), "memory.flash.wait_cycles", 5, 0.15, 2, 10, _FLASH),
    Parameter(_U5, "memory.flash.wait_cycles", 6, 0.3, 2, 12, _FLASH),
    Parameter(("boards/nucleo-h7a3zi-q",), "memory.flash.wait_cycles", 12, 0.3, 4, 20, _FLASH),
    Parameter(_F746, "memory.flash.wait_cycles", 7, 0.2, 3, 14, _FLASH),
    Parameter(("boards/cy8cproto-062-4343w",), "memory.flash.wait_cycles", 8, 0.3, 3, 16, _FLASH),
    Parameter(
        ("boards/cy8cproto-062-4343w",), "calibration.core", 1, 0.15, 0.7, 1.5, "no SRAM waits"
    ),
    Parameter(
        ("boards/ek-ra8d1",),
        "memory.flash.wait_cycles",
        16,
        0.3,
        4,
        40,
        "the bus to flash is slower",
    ),
    Parameter(
        _ESP32,
        "memory.flash.wait_cycles",
        900,
        0.2,
        300,
        1500,
        "DIO at 40 MHz: some 150 clocks of the flash for a line",
    ),
    Parameter(
        ("boards/arty-vexriscv",),
        "memory.dram.wait_cycles",
        30,
        0.3,
        10,
        80,
        "DDR3 behind LiteDRAM",
    ),
)
