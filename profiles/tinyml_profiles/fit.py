"""Does a model fit a board? Arena, code, latency and energy against what there is.

>>> from tinyml_profiles import FitModel, fit_model
>>> from tinyml_runtime import load_model
>>> model = FitModel(load_model("examples/digits.tflite"))
>>> fit_model(model, "nucleo-l4r5zi").fits
True
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from tinyml_profiles.cycles import Conditions
from tinyml_profiles.fit_report import ENERGY, FLASH, LATENCY, RAM, Budgets, FitReport, Need
from tinyml_profiles.fit_words import notes, problem
from tinyml_profiles.flash import DEFAULT_OPTIONS, FlashOptions, FlashReport, image_flash
from tinyml_profiles.instructions import EVIDENCE
from tinyml_profiles.latency_report import LatencyReport
from tinyml_profiles.load import load_target
from tinyml_profiles.profile import profile_work
from tinyml_profiles.ram import RamReport, image_ram
from tinyml_profiles.shared_model import FitModel
from tinyml_profiles.target import NONE, Target
from tinyml_runtime.errors import UnsupportedModelError
from tinyml_runtime.library import base_name
from tinyml_runtime.planning.arena_plan import ArenaPlan

UNKNOWN = "unknown"
NO_BUDGETS = Budgets()


def fit_model(
    model: FitModel,
    target: Target | str,
    library: str | None = None,
    budgets: Budgets = NO_BUDGETS,
    options: FlashOptions = DEFAULT_OPTIONS,
) -> FitReport:
    """The verdict on `model` on a board, with the board's usual kernel library if none is named.

    `options` say how the image is built.

    A core alone has no memories and no clock: what it needs is known, the verdict is not, unless
    budgets say how much there is. A model that does not load is a verdict too.

    Raises:
        TargetError: there is no such target.
        LibraryError, ArenaUnknownError, AbiError: the library or its arena is not known.
    """
    target = load_target(target) if isinstance(target, str) else target
    name = library or ("reference" if target.board is None else target.board.library)
    try:
        plan = model.plan(target, name)
    except UnsupportedModelError as error:
        return FitReport(target, name, (), refused=error.lines)
    flash = image_flash(
        model.model, target, base_name(name), model_bytes=model.file_bytes, options=options
    )
    return _report(model, name, flash, plan, budgets)


def refit(
    model: FitModel, report: FitReport, budgets: Budgets, ram: Need, conditions: Conditions
) -> FitReport:
    """The verdict of `report` with another need of RAM, and the latency under `conditions`."""
    latency = profile_work(model.work(report.target, report.library), report.target, conditions)
    return _with_needs(replace(report, latency=latency), ram, budgets)


def _report(
    model: FitModel, library: str, flash: FlashReport, plan: ArenaPlan, budgets: Budgets
) -> FitReport:
    target, ram = flash.target, image_ram(flash, plan)
    latency = profile_work(model.work(target, library), target, Conditions(library))
    report = FitReport(target, library, (), ram, flash, latency)
    return _with_needs(report, _ram(ram, budgets), budgets)


def _with_needs(report: FitReport, ram_need: Need, budgets: Budgets) -> FitReport:
    """The report with all needs, and what they come to in words."""
    ram, flash, latency = report.ram, report.flash, report.latency
    assert ram is not None
    assert flash is not None
    assert latency is not None
    needs = [ram_need, _flash(flash, report.target, budgets), *_times(latency, budgets)]
    reasons = _reasons(ram, flash, latency)
    return replace(
        report,
        needs=needs,
        problems=[text for need in needs if (text := problem(need, reasons)) is not None],
        notes=list(_notes(needs, flash, latency)),
    )


def _reasons(ram: RamReport, flash: FlashReport, latency: LatencyReport) -> dict[str, str]:
    """Why a need is not known, where it is not."""
    unknown_parts = ", ".join(part.name for part in ram.parts if part.bytes is None)
    time = "; ".join(latency.notes)
    if not latency.clock_hz:
        time = "a core alone has no clock"
    power = "active_mw under [power] in a board's file says what the chip takes"
    return {
        RAM: f"nobody has measured {unknown_parts}",
        FLASH: "; ".join(flash.notes),
        LATENCY: time,
        ENERGY: time if latency.total.latency_ms is None else power,
    }


def _ram(ram: RamReport, budgets: Budgets) -> Need:
    return Need(
        RAM,
        "bytes",
        ram.needed_bytes,
        ram.evidence,
        ram.available_bytes,
        budgets.ram_bytes,
        is_limited=True,
        least=sum(part.bytes for part in ram.parts if part.bytes is not None),
    )


def _flash(flash: FlashReport, target: Target, budgets: Budgets) -> Need:
    return Need(
        FLASH,
        "bytes",
        flash.needed_bytes,
        flash.evidence,
        flash_available(target),
        budgets.flash_bytes,
        is_limited=True,
        least=flash.model_bytes,
        high=flash.high_bytes,
    )


def flash_available(target: Target) -> float | None:
    """What the memory of the image has beside what is reserved; None for a core alone.

    It is the flash that code or weights lie in, else any flash; without one, where code lies.
    """
    board = target.board
    if board is None:
        return None
    placed = board.placed
    names = (placed.code, placed.weights, *board.memories)
    flashes = (board.memories[name] for name in names if not board.memories[name].is_ram)
    memory = next(flashes, board.memories[placed.code])
    return max(0.0, memory.bytes.value - board.reserved_flash_bytes.value)


def _notes(needs: Sequence[Need], flash: FlashReport, latency: LatencyReport) -> Iterator[str]:
    for need in needs:
        yield from notes(need)
    board = latency.target.board
    if board is not None and board.reserved_ram_bytes is NONE:
        yield "RAM: what an operating system or a radio keeps is not known: [reserved] says it"
    yield from (f"flash: {note}" for note in flash.notes)
    yield from (f"latency: {note}" for note in latency.notes)


def _times(latency: LatencyReport, budgets: Budgets) -> Iterator[Need]:
    total, board = latency.total, latency.target.board
    power = None if board is None else board.power.active_mw
    yield Need(
        LATENCY,
        "ms",
        total.latency_ms,
        UNKNOWN if total.latency_ms is None else latency.evidence,
        budget=budgets.latency_ms,
        is_limited=budgets.latency_ms is not None,
        high=total.latency_high_ms,
    )
    is_known = power is not None and total.energy_uj is not None
    yield Need(
        ENERGY,
        "uJ",
        total.energy_uj,
        _weaker(latency.evidence, power.evidence) if is_known and power else UNKNOWN,
        budget=budgets.energy_uj,
        is_limited=budgets.energy_uj is not None,
    )


def _weaker(first: str, second: str) -> str:
    return max(first, second, key=EVIDENCE.index)
