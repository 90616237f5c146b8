"""Verdicts on models and boards: needs against limits, and what would change a no."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.support.graphs import Call, Graph, model_of
from tests.support.single_op import SingleOp, constant, fed
from tinyml_profiles import Budgets, FitModel, fit_model, load_target, plan_model, profile_model
from tinyml_profiles.fit import NO_BUDGETS
from tinyml_profiles.fit_report import (
    DOES_NOT_FIT,
    ENERGY,
    FITS,
    FLASH,
    LATENCY,
    RAM,
    UNKNOWN,
    FitReport,
    Need,
)
from tinyml_profiles.flash import FlashOptions, image_flash
from tinyml_profiles.ram import image_ram
from tinyml_profiles.remedies import Remedies, find_remedies
from tinyml_profiles.rewriting.scale import scaled
from tinyml_profiles.target import Figure, Memory, Power, Target
from tinyml_runtime import BuiltinOperator as Op
from tinyml_runtime import load_model
from tinyml_runtime.model.options import FullyConnectedOptions, ReducerOptions

EXAMPLES = Path(__file__).parents[2] / "examples"
DIGITS, FLOAT = EXAMPLES / "digits.tflite", EXAMPLES / "digits_float.tflite"
VWW = EXAMPLES / "shapes/vww_mobilenet_v1.tflite"
BOARD = "nucleo-l4r5zi"
SEARCH_SECONDS = 0.1


def opened(path: Path) -> FitModel:
    return FitModel(load_model(path), path.stat().st_size)


def resized(memory: Memory, size: int | None) -> Memory:
    return memory if size is None else replace(memory, bytes=Figure(float(size), "datasheet", ""))


def sized(ram: int | None = None, flash: int | None = None, **others: int) -> Target:
    """The board with other sizes, nothing reserved, and more memories like its SRAM."""
    target = load_target(BOARD)
    board = target.board
    assert board is not None
    sram, code = resized(board.memories["sram"], ram), resized(board.memories["flash"], flash)
    more = {name: replace(resized(sram, size), name=name) for name, size in others.items()}
    none = Figure(0.0, "datasheet", "nothing")
    board = replace(
        board,
        memories={"flash": code, "sram": sram, **more},
        reserved_ram_bytes=none,
        reserved_flash_bytes=none,
    )
    return replace(target, board=board)


def powered(evidence: str | None) -> Target:
    """The board with an active power of that evidence, or none."""
    target = sized()
    assert target.board is not None
    power = Power() if evidence is None else Power(Figure(50.0, evidence, ""))
    return replace(target, board=replace(target.board, power=power))


def needed(report: FitReport, name: str) -> float:
    need = report.need(name)
    assert need is not None
    assert need.needed is not None
    return need.needed


def remedies(model: FitModel, target: Target, budgets: Budgets = NO_BUDGETS) -> Remedies:
    report = fit_model(model, target, budgets=budgets)
    assert report.verdict == DOES_NOT_FIT
    return find_remedies(model, report, budgets, SEARCH_SECONDS)


def test_needs_are_those_of_the_plan_the_image_and_the_profile() -> None:
    report = fit_model(opened(DIGITS), BOARD)
    model = load_model(DIGITS)
    plan = plan_model(model, BOARD, "cmsis-nn")
    flash = image_flash(model, BOARD, "cmsis-nn", model_bytes=DIGITS.stat().st_size)
    profile = profile_model(model, BOARD, "cmsis-nn")
    assert report.verdict == FITS
    assert needed(report, RAM) == image_ram(flash, plan).needed_bytes
    assert needed(report, FLASH) == flash.needed_bytes
    assert needed(report, LATENCY) == profile.total.latency_ms
    assert needed(report, ENERGY) == profile.total.energy_uj


def test_what_boards_share_changes_no_figure() -> None:
    shared = opened(DIGITS)
    boards = ("nucleo-l4r5zi", "nano33ble", "esp32-devkit-v1", "nucleo-l4r5zi", "raspberry-pi-pico")
    for board in boards:
        by_itself, in_turn = fit_model(opened(DIGITS), board), fit_model(shared, board)
        assert [need.needed for need in in_turn.needs] == [n.needed for n in by_itself.needs]


def test_build_switches_of_a_library_change_no_size() -> None:
    usual = fit_model(opened(DIGITS), BOARD)
    switched = fit_model(opened(DIGITS), BOARD, "cmsis-nn:single-rounding")
    assert switched.library == "cmsis-nn:single-rounding"
    assert [need.needed for need in switched.needs] == [need.needed for need in usual.needs]


def test_one_byte_decides() -> None:
    model = opened(DIGITS)
    roomy = fit_model(model, sized())
    ram, flash = int(needed(roomy, RAM)), int(needed(roomy, FLASH))
    assert fit_model(model, sized(ram, flash)).fits
    assert fit_model(model, sized(ram - 1, flash)).verdict == DOES_NOT_FIT
    assert fit_model(model, sized(ram, flash - 1)).verdict == DOES_NOT_FIT


def test_what_is_not_known_but_surely_too_much_is_a_no() -> None:
    need = Need(FLASH, "bytes", None, UNKNOWN, available=100.0, is_limited=True, least=100.0)
    assert need.is_met is None
    assert replace(need, least=101.0).is_met is False
    assert replace(need, least=101.0).missing == 1
    assert replace(need, least=150.0).margin == -0.5
    assert need.margin is None
    assert replace(need, least=101.0, available=None).is_met is None


def test_the_image_lies_in_the_flash_that_weights_are_read_from() -> None:
    target = sized(2**20, 2**21)
    board = target.board
    assert board is not None
    outside = replace(resized(board.memories["flash"], 2**23), name="flash_outside")
    memories = {**board.memories, "flash_outside": outside}
    copied = replace(board.placed, code="sram", weights="flash_outside")
    moved = replace(target, board=replace(board, memories=memories, placed=copied))
    report = fit_model(opened(DIGITS), moved)
    flash, ram = report.need(FLASH), report.need(RAM)
    assert flash is not None
    assert flash.available == 2**23
    assert ram is not None
    assert report.flash is not None
    roomy = needed(fit_model(opened(DIGITS), target), RAM)
    assert ram.needed == roomy + (report.flash.code_bytes or 0)


def test_what_binds_is_the_need_with_the_least_left() -> None:
    model = opened(DIGITS)
    ram = int(needed(fit_model(model, sized()), RAM))
    report = fit_model(model, sized(ram + 10, 2**21))
    assert report.binding is report.need(RAM)
    budgets = Budgets(latency_ms=needed(report, LATENCY) * 1.00001)
    report = fit_model(model, sized(2**20, 2**21), budgets=budgets)
    assert report.binding is report.need(LATENCY)


@pytest.mark.parametrize("name", [RAM, FLASH, LATENCY, ENERGY])
def test_a_budget_holds_up_to_what_is_needed(name: str) -> None:
    model = opened(DIGITS)
    size = needed(fit_model(model, BOARD), name)
    key = {RAM: "ram_bytes", FLASH: "flash_bytes", LATENCY: "latency_ms", ENERGY: "energy_uj"}[name]
    assert fit_model(model, BOARD, budgets=Budgets(**{key: size})).fits
    broken = fit_model(model, BOARD, budgets=Budgets(**{key: size * 0.99}))
    assert broken.verdict == DOES_NOT_FIT
    (problem,) = broken.problems
    assert problem.startswith(f"{name} needs ")
    assert "more than the budget of" in problem


def test_an_interval_beyond_a_budget_is_a_note_and_no_problem() -> None:
    model = opened(DIGITS)
    report = fit_model(model, BOARD)
    budgets = Budgets(latency_ms=needed(report, LATENCY) * 1.001)
    report = fit_model(model, BOARD, budgets=budgets)
    assert report.fits
    assert any(note.startswith("latency may be as much as") for note in report.notes)


def test_a_core_alone_has_no_verdict_until_budgets_say_how_much_there_is() -> None:
    model = opened(DIGITS)
    report = fit_model(model, "cortex-m4")
    assert report.verdict == UNKNOWN
    assert not report.fits
    assert needed(report, RAM) > 0
    assert all("how much there is is unknown" in problem for problem in report.problems)
    enough = Budgets(ram_bytes=2**20, flash_bytes=2**20)
    assert fit_model(model, "cortex-m4", budgets=enough).fits
    assert fit_model(model, "cortex-m4", budgets=replace(enough, ram_bytes=1)).verdict == (
        DOES_NOT_FIT
    )


def test_a_budget_of_what_is_not_known_is_no_yes() -> None:
    assert fit_model(opened(DIGITS), powered(None)).fits
    report = fit_model(opened(DIGITS), powered(None), budgets=Budgets(energy_uj=1e9))
    assert report.verdict == UNKNOWN
    assert report.problems == [
        "energy is unknown: active_mw under [power] in a board's file says what the chip takes"
    ]


def test_a_model_that_does_not_load_is_a_verdict_with_all_reasons() -> None:
    case = SingleOp("Nonesuch", [fed((1, 2), np.float32)], [fed((1, 2), np.float32)])
    report = fit_model(FitModel(case.model()), BOARD)
    assert report.verdict == DOES_NOT_FIT
    assert report.needs == ()
    assert "Nonesuch" in report.refused[0]


def test_the_weakest_evidence_of_latency_and_power_is_that_of_the_energy() -> None:
    report = fit_model(opened(DIGITS), powered("measured"))
    assert report.latency is not None
    energy_uj, evidence = report.latency.total.energy_uj, report.latency.evidence
    assert report.need(ENERGY) == Need(ENERGY, "uJ", energy_uj, evidence)
    assumed = fit_model(opened(DIGITS), powered("assumed")).need(ENERGY)
    assert assumed is not None
    assert assumed.evidence == "assumed"
    unknown = fit_model(opened(DIGITS), powered(None)).need(ENERGY)
    assert unknown == Need(ENERGY, "uJ", None, UNKNOWN)


def test_int8_is_found_for_a_float_model_that_is_too_large() -> None:
    model = opened(FLOAT)
    small = int(needed(fit_model(opened(DIGITS), sized()), RAM)) + 64
    found = remedies(model, sized(small, 2**21))
    (remedy,) = [one for one in found.enough if one.what == "int8 instead of float32"]
    assert needed(remedy.report, RAM) == needed(fit_model(opened(DIGITS), sized()), RAM)
    assert needed(remedy.report, LATENCY) < needed(fit_model(model, sized()), LATENCY) / 2


def test_two_arenas_are_found_where_neither_memory_has_room_for_all() -> None:
    model = opened(VWW)
    whole = int(needed(fit_model(model, sized()), RAM))
    found = remedies(model, sized(whole - 1000, 2**21, sram2=30_000))
    split = next(one for one in found.enough if one.what.startswith("two arenas"))
    assert split.what == "two arenas: activations in sram, the rest in sram2"
    assert not split.slow


def test_tensors_in_slow_memory_are_named_and_take_longer() -> None:
    model = opened(VWW)
    target = sized(40_000, 2**21, psram=2**23)
    board = target.board
    assert board is not None
    psram = replace(
        board.memories["psram"],
        wait_cycles=Figure(100.0, "assumed", ""),
        line_bytes=Figure(32.0, "assumed", ""),
    )
    target = replace(target, board=replace(board, memories={**board.memories, "psram": psram}))
    found = remedies(model, target)
    moved = next(one for one in found.enough if one.what == "the arena in psram")
    assert moved.slow
    assert all(tensor.memory == "psram" for tensor in moved.slow)
    assert needed(moved.report, LATENCY) > needed(fit_model(model, sized()), LATENCY) * 1.2


def test_the_largest_image_that_fits_is_found() -> None:
    model = opened(VWW)
    target = sized(70_000, 2**21)
    found = remedies(model, target)
    smaller = next(one for one in found.enough if one.what.startswith("an input of"))
    assert smaller.what == "an input of 64x64 instead of 96x96"
    for side, is_enough in ((64, True), (72, False)):
        image = FitModel(scaled(model.model, side, side), model.file_bytes)
        assert fit_model(image, target).fits is is_enough


def test_a_smaller_image_helps_a_budget_of_latency() -> None:
    model = opened(VWW)
    budgets = Budgets(latency_ms=needed(fit_model(model, BOARD), LATENCY) / 2)
    found = remedies(model, load_target(BOARD), budgets)
    assert [one.what for one in found.enough] == ["an input of 64x64 instead of 96x96"]


def test_flash_without_the_largest_kernel_is_less_by_its_code() -> None:
    model = opened(DIGITS)
    report = fit_model(model, BOARD)
    flash = int(needed(report, FLASH))
    budgets = Budgets(flash_bytes=flash - 100)
    found = remedies(model, load_target(BOARD), budgets)
    without = next(one for one in found.enough if one.what.startswith("without"))
    assert report.flash is not None
    largest = max(kernel.own_bytes or 0 for kernel in report.flash.kernels)
    assert needed(without.report, FLASH) == flash - largest


def test_kernels_for_int8_alone_take_less_flash() -> None:
    model = opened(DIGITS)
    budgets = Budgets(flash_bytes=needed(fit_model(model, BOARD), FLASH) - 100)
    found = remedies(model, load_target(BOARD), budgets)
    (smaller,) = [one for one in found.enough if one.what == "kernels for int8 alone"]
    size = DIGITS.stat().st_size
    options = FlashOptions(is_int8_only=True)
    image = image_flash(model.model, BOARD, "cmsis-nn", model_bytes=size, options=options)
    assert needed(smaller.report, FLASH) == image.needed_bytes


def test_what_cannot_be_done_says_why() -> None:
    found = remedies(opened(EXAMPLES / "sine.tflite"), sized(500, 2**21))
    assert not found.enough
    assert "a smaller input: no input has a height and a width" in found.ruled_out
    assert "other memories: the board has none" in found.ruled_out
    nowhere = remedies(opened(VWW), sized(1_000, 2**21))
    assert "a smaller input: not even 8x8 is enough" in nowhere.ruled_out


def test_changes_that_leave_results_as_they_are_come_first() -> None:
    model = opened(VWW)
    whole = int(needed(fit_model(model, sized()), RAM))
    found = remedies(model, sized(whole - 1000, 2**21, sram2=30_000))
    kinds = [one.what.split()[0] for one in found.enough]
    assert kinds == ["a", "two", "an"]


def test_where_no_change_is_enough_two_of_them_may_be() -> None:
    """Float weights are too many for the flash, and int8 activations for the RAM."""
    wide = (2_000, 3)
    tensors = {
        "image": fed((1, 64, 64, 3), np.float32),
        "active": fed((1, 64, 64, 3), np.float32),
        "axes": constant(np.array([1, 2], np.int32)),
        "mean": fed((1, 3), np.float32),
        "weights": constant(np.ones(wide, np.float32)),
        "out": fed((1, 2_000), np.float32),
    }
    calls = [
        Call(Op.RELU, ["image"], ["active"]),
        Call(Op.MEAN, ["active", "axes"], ["mean"], ReducerOptions()),
        Call(Op.FULLY_CONNECTED, ["mean", "weights"], ["out"], FullyConnectedOptions()),
    ]
    model = FitModel(model_of(Graph(tensors, ["image"], ["out"], calls)))
    flash = int(needed(fit_model(model, sized()), FLASH))
    found = remedies(model, sized(25_000, flash - 10_000))
    pair = "int8 instead of float32, and an input of 56x56 instead of 64x64"
    (smaller,) = [one for one in found.enough if one.what == pair]
    assert smaller.report.fits
    assert all(", and " in one.what for one in found.enough)


def test_nothing_at_all_is_a_limit_too() -> None:
    need = Need(RAM, "bytes", 50.0, "assumed", available=0.0, is_limited=True)
    assert need.is_met is False
    assert need.margin is not None
    assert need.margin < 0
