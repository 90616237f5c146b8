"""The second formula by hand: instructions and traffic on small made-up targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from tinyml_profiles.cycles import Conditions, CyclePricer, Cycles, count_cycles
from tinyml_profiles.instructions import CLASSES, Instructions
from tinyml_profiles.target import (
    NONE,
    ONE,
    Board,
    Cache,
    Calibration,
    Core,
    Figure,
    Memory,
    Placement,
    Power,
    Target,
)
from tinyml_profiles.traffic import Traffic, Walk
from tinyml_runtime.errors import TargetError

USUAL = Conditions("reference")


def figure(value: float, evidence: str = "datasheet") -> Figure:
    return Figure(value, evidence, "made up")


def make_core(cycles: Mapping[str, float] = {}, paired: float = 0.0, scale: float = 1.0) -> Core:
    return Core(
        name="core",
        title="A core",
        isa="isa",
        abi="ilp32",
        extensions=frozenset(),
        source="datasheet: made up",
        loops_cores=("core",),
        loops_scale=figure(scale),
        float_loops=(),
        cycles={name: figure(cycles.get(name, 1.0)) for name in CLASSES}
        | {"branch_taken": figure(cycles.get("branch_taken", 0.0))},
        paired=figure(paired),
        instruction_bytes=figure(4),
        accelerated={},
    )


def make_board(wait: float = 10, line: float = 16, prefetch: float = 0, cache: float = 0) -> Board:
    flash = Memory("flash", figure(1e6), figure(wait), figure(line), figure(prefetch))
    sram = Memory("sram", figure(1e5), NONE, figure(4), NONE)
    caches = (Cache("all", figure(cache), frozenset({"flash"}), "both"),) if cache else ()
    return Board(
        name="board",
        title="A board",
        library="reference",
        clock_hz=figure(100e6),
        memories={"flash": flash, "sram": sram},
        caches=caches,
        placed=Placement("sram", "flash", "sram"),
        power=Power(),
        reserved_ram_bytes=NONE,
        reserved_flash_bytes=NONE,
        calibration=Calibration(),
    )


def instructions(**counts: float) -> Instructions:
    return Instructions(tuple(counts.get(name, 0.0) for name in CLASSES), "measured")


def price(
    target: Target, counts: Instructions, traffic: Traffic | None = None, asked: Conditions = USUAL
) -> Cycles:
    return count_cycles(counts, traffic or Traffic("CONV_2D"), target, asked)


def test_a_core_alone_pays_each_class_and_for_leaving_the_straight_line() -> None:
    target = Target("core", make_core({"load": 2, "mul": 3, "branch_taken": 2}))
    cycles = price(target, instructions(load=10, mul=5, alu=20, branch=4, branch_taken=3))
    # 10*2 + 5*3 + 20 + 4 + 3*2
    assert cycles.total == cycles.core == 65
    assert cycles.stalls == 0
    assert cycles.evidence == "datasheet"


def test_instructions_that_issue_in_pairs_save_a_cycle_each() -> None:
    target = Target("core", make_core(paired=0.25))
    # 40 instructions, a quarter of them beside another one; the overlay of branches is none.
    assert price(target, instructions(alu=36, branch=4, branch_taken=2)).total == 30


def test_a_core_with_shorter_code_executes_fewer_of_every_class() -> None:
    target = Target("core", make_core({"load": 2}, scale=0.5))
    assert price(target, instructions(load=10, alu=10)).total == 15


def test_an_accelerated_operator_costs_a_share_and_the_others_the_whole() -> None:
    core = replace(make_core(), accelerated={("esp-nn", "CONV_2D"): figure(0.1, "assumed")})
    target = Target("core", core)
    counts = instructions(alu=100)
    asked = Conditions("esp-nn")
    fast = price(target, counts, Traffic("CONV_2D"), asked)
    assert fast.total == pytest.approx(10)
    assert fast.evidence == "assumed"
    assert price(target, counts, Traffic("SOFTMAX"), asked).total == 100
    left_to_reference = replace(counts, is_own=False)
    assert price(target, left_to_reference, Traffic("CONV_2D"), asked).total == 100
    assert price(target, counts, Traffic("CONV_2D"), USUAL).total == 100


def test_channels_that_do_not_fill_vectors_have_a_share_of_their_own_if_there_is_one() -> None:
    shares = {("esp-nn", "CONV_2D"): figure(0.1), ("esp-nn", "CONV_2D_RAGGED"): figure(0.3)}
    target = Target("core", replace(make_core(), accelerated=shares))
    asked, counts = Conditions("esp-nn"), instructions(alu=100)
    ragged = Traffic("CONV_2D", is_ragged=True)
    assert price(target, counts, ragged, asked).total == pytest.approx(30)
    assert price(target, counts, Traffic("CONV_2D"), asked).total == pytest.approx(10)
    other = Target("core", replace(make_core(), accelerated={("esp-nn", "CONV_2D"): figure(0.1)}))
    assert price(other, counts, ragged, asked).total == pytest.approx(10)


def test_weights_without_a_cache_wait_for_every_line_that_is_read() -> None:
    target = Target("board", make_core(), make_board(wait=10, line=16))
    traffic = Traffic("CONV_2D", weights=Walk(160, 640, 160))
    # 640 bytes read in lines of 16, 10 cycles each.
    assert price(target, instructions(), traffic).weight_stalls == 400


def test_weights_that_a_cache_holds_wait_once() -> None:
    target = Target("board", make_core(), make_board(wait=10, line=16, cache=160))
    traffic = Traffic("CONV_2D", weights=Walk(160, 640, 160))
    assert price(target, instructions(), traffic).weight_stalls == 100


def test_a_round_half_again_as_large_as_the_cache_is_missed_by_half() -> None:
    target = Target("board", make_core(), make_board(wait=10, line=16, cache=160))
    traffic = Traffic("CONV_2D", weights=Walk(240, 1200, 240))
    # First 240 bytes, then half of the 960 that are read again: 720 bytes, 45 lines.
    assert price(target, instructions(), traffic).weight_stalls == 450


def test_what_is_fetched_ahead_does_not_wait() -> None:
    target = Target("board", make_core(), make_board(wait=10, line=16, prefetch=0.75))
    traffic = Traffic("CONV_2D", weights=Walk(160, 160, 160))
    assert price(target, instructions(), traffic).weight_stalls == 25


def test_code_in_flash_waits_for_straight_lines_and_for_jumps() -> None:
    board = replace(make_board(wait=10, line=16), placed=Placement("flash", "sram", "sram"))
    cycles = price(Target("board", make_core(), board), instructions(alu=80, branch_taken=5))
    # 80 instructions of 4 bytes are 20 lines, and 5 jumps go to another one each.
    assert cycles.fetch_stalls == 250


def test_code_that_a_cache_holds_waits_for_the_lines_of_the_kernel_once() -> None:
    board = replace(
        make_board(wait=10, line=16, cache=4096), placed=Placement("flash", "sram", "sram")
    )
    target = Target("board", make_core(), board)
    traffic = Traffic("CONV_2D", kernel_bytes=320, loop_bytes=100)
    assert price(target, instructions(alu=1000), traffic).fetch_stalls == 200
    # A kernel that is left early does not bring all of its code: 8 lines instead of 20.
    assert price(target, instructions(alu=32), traffic).fetch_stalls == 80


def test_a_slower_clock_waits_fewer_cycles_for_the_same_memory() -> None:
    target = Target("board", make_core(), make_board(wait=10, line=16))
    traffic = Traffic("CONV_2D", weights=Walk(160, 160, 160))
    slow = price(target, instructions(), traffic, Conditions("reference", clock_hz=50e6))
    assert slow.weight_stalls == 50


def test_weights_in_another_memory_wait_as_that_one_does() -> None:
    target = Target("board", make_core(), make_board())
    traffic = Traffic("CONV_2D", weights=Walk(160, 160, 160))
    asked = Conditions("reference", weights_in="sram")
    assert price(target, instructions(), traffic, asked).stalls == 0


def test_a_memory_that_is_not_there_is_told_with_those_that_are() -> None:
    target = Target("board", make_core(), make_board())
    with pytest.raises(TargetError, match=r"board has no memory 'psram' \(there are: flash, sram"):
        CyclePricer(target, Conditions("reference", weights_in="psram"))
    with pytest.raises(TargetError, match="core is a core alone"):
        CyclePricer(Target("core", make_core()), Conditions("reference", weights_in="sram"))


def test_a_calibration_scales_each_part_and_adds_to_every_operator() -> None:
    calibration = Calibration(
        core=figure(2), fetch=ONE, weights=figure(3), arena=ONE, operator_cycles=figure(7)
    )
    board = replace(make_board(wait=10, line=16), calibration=calibration)
    traffic = Traffic("CONV_2D", weights=Walk(160, 160, 160))
    cycles = price(Target("board", make_core(), board), instructions(alu=50), traffic)
    assert (cycles.core, cycles.weight_stalls, cycles.overhead) == (100, 300, 7)
    assert cycles.total == 407


def test_the_weakest_figure_that_entered_is_the_evidence() -> None:
    core = make_core()
    core = replace(core, cycles={**core.cycles, "div": figure(9, "assumed")})
    target = Target("core", core)
    assert price(target, instructions(alu=1)).evidence == "datasheet"
    assert price(target, instructions(alu=1, div=1)).evidence == "assumed"
