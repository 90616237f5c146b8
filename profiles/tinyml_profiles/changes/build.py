"""Changes that leave the results of a model as they are: its plan, its kernels, its memories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinyml_profiles.arena_places import ArenaPlace, ram_memories
from tinyml_profiles.changes.case import Case, Remedy
from tinyml_profiles.cycles import Conditions
from tinyml_profiles.fit import refit
from tinyml_profiles.fit_report import ENERGY, FLASH, LATENCY, RAM, FitReport
from tinyml_profiles.plan import USUAL_LIBRARIES
from tinyml_profiles.ram import ARENA
from tinyml_profiles.shared_model import FitModel
from tinyml_runtime.library import base_name
from tinyml_runtime.planning.execution_order import reorder
from tinyml_runtime.planning.written_plan import write_smallest_plan

_BUILDS = (
    (
        "kernels for int8 alone",
        "AddConv2D(Register_CONV_2D_INT8()) and the like",
        {"is_int8_only": True},
    ),
    ("no texts of errors", "-DTF_LITE_STRIP_ERROR_STRINGS", {"is_stripped": True}),
)


def better_plan(case: Case) -> Iterator[Remedy | str]:
    """Offsets of tensors that take less than those of TFLM's planner."""
    if not case.is_short_of(RAM):
        return
    plan = case.model.plan(case.report.target, case.report.library)
    written = write_smallest_plan(plan, case.seconds)
    if written.carries_plan:
        yield case.changed(
            "a better memory plan",
            "tinyml plan --planner optimal --write OUT.tflite",
            FitModel(written.model),
        )


def other_order(case: Case) -> Iterator[Remedy | str]:
    """An order of execution with a smaller peak, by itself and with a better plan."""
    if not case.is_short_of(RAM):
        return
    model, library = case.model.model, case.report.library
    found = reorder(model, case.model.plan(case.report.target, library), library, case.seconds)
    if found.is_changed:
        other = FitModel(found.model)
        yield case.changed(
            "another order of the operators", "tinyml plan --reorder --write OUT.tflite", other
        )
        plan = other.plan(case.report.target, library)
        yield case.changed(
            "another order and a better memory plan",
            "tinyml plan --reorder --planner optimal --write OUT.tflite",
            FitModel(write_smallest_plan(plan, case.seconds).model),
        )


def smaller_code(case: Case) -> Iterator[Remedy | str]:
    """Kernels for int8 alone, and no texts of errors: each where it takes less flash."""
    flash = case.report.flash
    if flash is None or flash.needed_bytes is None or not case.is_short_of(FLASH):
        return
    for what, how, change in _BUILDS:
        report = case.with_options(replace(case.options, **change))
        needed = None if report.flash is None else report.flash.needed_bytes
        if needed is not None and needed < flash.needed_bytes:
            yield Remedy(what, how, report)


def other_library(case: Case) -> Iterator[Remedy | str]:
    """The kernels of every other library of the ABI."""
    for library in USUAL_LIBRARIES.get(case.report.target.core.abi, ()):
        if library != base_name(case.report.library):
            report = case.with_model(case.model, library)
            if not report.refused:
                yield Remedy(f"the kernels of {library}", f"--kernels {library}", report)


def other_memory(case: Case) -> Iterator[Remedy | str]:
    """The arena where there is room: in one other memory, or in two."""
    ram, board = case.report.ram, case.report.target.board
    if ram is None or board is None or not ram.places or ram.places[0].fits:
        return
    places = ram.places[1:]
    whole = next((place for place in places if not place.is_split), None)
    split = next((place for place in places if place.is_split), None)
    for place in (whole, split):
        if place is not None:
            what, how = _place_in_words(place)
            yield Remedy(what, how, _in_place(case, place), slow=place.slow)
    if not places:
        names = ", ".join(memory.name for memory in ram_memories(board)[1:])
        yield f"other memories: {f'no room in {names}' if names else 'the board has none'}"


def _in_place(case: Case, place: ArenaPlace) -> FitReport:
    """The verdict with the arena in another place, and the latency of there."""
    ram, board, need = case.report.ram, case.report.target.board, case.report.need(RAM)
    assert ram is not None
    assert board is not None
    assert need is not None
    others = {place.persistent_in, place.nonpersistent_in} - {board.placed.arena}
    more = sum(board.memories[name].bytes.value for name in others)
    arena = place.persistent_bytes + place.nonpersistent_bytes
    need = replace(
        need,
        needed=arena + sum(part.bytes or 0 for part in ram.parts if part.name != ARENA),
        available=None if need.available is None else need.available + more,
    )
    conditions = Conditions(case.report.library, arena_in=place.nonpersistent_in)
    return refit(case.model, case.report, case.budgets, need, conditions)


def weights_elsewhere(case: Case) -> Iterator[Remedy | str]:
    """The model where it takes no RAM, or in RAM where it is read faster."""
    board, need = case.report.target.board, case.report.need(RAM)
    if board is None or need is None or need.needed is None:
        return
    placed, size = board.placed, case.model.file_bytes
    for name, memory in board.memories.items():
        if name == placed.weights or (name != placed.arena and memory.bytes.value < size):
            continue
        grows = size * ((name == placed.arena) - (placed.weights == placed.arena))
        if not (case.is_short_of(LATENCY, ENERGY) or (grows < 0 and case.is_short_of(RAM))):
            continue
        moved = replace(need, needed=need.needed + grows)
        conditions = Conditions(case.report.library, weights_in=name)
        report = refit(case.model, case.report, case.budgets, moved, conditions)
        yield Remedy(f"the model in {name}", "put its array into that memory", report)


def _place_in_words(place: ArenaPlace) -> tuple[str, str]:
    if not place.is_split:
        return f"the arena in {place.persistent_in}", "put tensor_arena into that memory"
    return (
        f"two arenas: activations in {place.nonpersistent_in}, the rest in {place.persistent_in}",
        "MicroAllocator::Create with two arenas",
    )
