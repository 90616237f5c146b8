"""What would make a model fit a board: each change made and computed, none guessed.

The smallest changes come first: those that leave the model's results as they are (another memory
plan, another order, other kernels, another memory), then those that need another model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from tinyml_profiles.arena_places import ArenaPlace, SlowTensor, ram_memories
from tinyml_profiles.fit import fit_in_place, fit_model
from tinyml_profiles.shared_model import FitModel
from tinyml_profiles.fit_report import FLASH, RAM, Budgets, FitReport
from tinyml_profiles.plan import USUAL_LIBRARIES
from tinyml_profiles.rewriting.errors import RewriteError
from tinyml_profiles.rewriting.narrow import narrowed, wide_types
from tinyml_profiles.rewriting.scale import image_size, scaled, smaller_sizes
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.planning.execution_order import reorder
from tinyml_runtime.planning.written_plan import write_smallest_plan

_SIZES_WITHOUT_HOPE = 3


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change, and the verdict with it; `how` is what to do.

    `slow` are the tensors that would lie in a memory that makes the core wait.
    """

    what: str
    how: str
    report: FitReport
    slow: Sequence[SlowTensor] = ()


@dataclass(frozen=True, slots=True)
class Remedies:
    """Changes that are enough, the smallest first; others, the best first; what cannot be done."""

    enough: Sequence[Remedy]
    not_enough: Sequence[Remedy]
    ruled_out: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Case:
    """A model on a board that it does not fit, and how long to search for orders and plans."""

    model: FitModel
    report: FitReport
    budgets: Budgets
    seconds: float

    def is_short_of(self, *names: str) -> bool:
        """Whether one of these needs is not met."""
        needs = (self.report.need(name) for name in names)
        return any(need is not None and need.is_met is False for need in needs)

    def with_model(self, model: FitModel, library: str | None = None) -> FitReport:
        """The verdict on another model, or with another library."""
        report = self.report
        return fit_model(model, report.target, library or report.library, self.budgets)


# A remedy, or why there is none.
_Way: TypeAlias = Callable[[_Case], Iterator[Remedy | str]]


def find_remedies(
    model: FitModel, report: FitReport, budgets: Budgets, time_limit_seconds: float
) -> Remedies:
    """What would make `report`, which is no yes, one.

    Plan and order are searched for at most `time_limit_seconds` each. If no change is enough and
    the model is not in int8, the others are tried on top of that.
    """
    case = _Case(model, report, budgets, time_limit_seconds)
    found = list(_tried(case, _WAYS))
    if not any(one.report.fits for one in found if isinstance(one, Remedy)):
        found += _after_narrowing(case)
    remedies = [one for one in found if isinstance(one, Remedy)]
    others = [one for one in remedies if not one.report.fits]
    return Remedies(
        [one for one in remedies if one.report.fits],
        sorted(others, key=lambda one: -_least_margin(one.report)),
        [one for one in found if isinstance(one, str)],
    )


def _tried(case: _Case, ways: Sequence[_Way]) -> Iterator[Remedy | str]:
    for way in ways:
        yield from way(case)


def _least_margin(report: FitReport) -> float:
    need = report.binding
    return -1e9 if need is None or need.margin is None else need.margin


def _after_narrowing(case: _Case) -> list[Remedy | str]:
    """The other ways on top of int8; only those that are enough."""
    if not wide_types(case.model.model):
        return []
    try:
        model = FitModel(narrowed(case.model.model))
        report = case.with_model(model)
    except TinymlError:
        return []  # the reason was given before
    on_top = replace(case, model=model, report=report)
    return [
        replace(one, what=f"int8, and {one.what}")
        for one in _tried(on_top, _WAYS)
        if isinstance(one, Remedy) and one.report.fits
    ]


def _better_plan(case: _Case) -> Iterator[Remedy | str]:
    if not case.is_short_of(RAM):
        return
    plan = case.model.plan(case.report.target, case.report.library)
    written = write_smallest_plan(plan, case.seconds)
    if written.carries_plan:
        yield Remedy(
            "a better memory plan",
            "tinyml plan --planner optimal --write OUT.tflite",
            case.with_model(FitModel(written.model)),
        )


def _other_order(case: _Case) -> Iterator[Remedy | str]:
    if not case.is_short_of(RAM):
        return
    model, library = case.model.model, case.report.library
    found = reorder(model, case.model.plan(case.report.target, library), library, case.seconds)
    if found.is_changed:
        yield Remedy(
            "another order of the operators",
            "tinyml plan --reorder --write OUT.tflite",
            case.with_model(FitModel(found.model)),
        )


def _other_library(case: _Case) -> Iterator[Remedy | str]:
    for library in USUAL_LIBRARIES.get(case.report.target.core.abi, ()):
        if library != case.report.library:
            report = case.with_model(case.model, library)
            if not report.refused:
                yield Remedy(f"the kernels of {library}", f"--kernels {library}", report)


def _other_memory(case: _Case) -> Iterator[Remedy | str]:
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
            report = fit_in_place(case.model, case.report, place, case.budgets)
            yield Remedy(what, how, report, place.slow)
    if not places:
        names = ", ".join(memory.name for memory in ram_memories(board)[1:])
        yield f"other memories: {f'no room in {names}' if names else 'the board has none'}"


def _place_in_words(place: ArenaPlace) -> tuple[str, str]:
    if not place.is_split:
        return f"the arena in {place.persistent_in}", "put tensor_arena into that memory"
    return (
        f"two arenas: activations in {place.nonpersistent_in}, the rest in {place.persistent_in}",
        "MicroAllocator::Create with two arenas",
    )


def _narrower(case: _Case) -> Iterator[Remedy | str]:
    wide = wide_types(case.model.model)
    if not wide:
        return
    try:
        report = case.with_model(FitModel(narrowed(case.model.model)))
    except RewriteError as error:
        yield f"int8: {error}"
        return
    if report.refused:
        yield f"int8: {report.refused[0]}"
        return
    yield Remedy(
        f"int8 instead of {' and '.join(wide)}", "convert with full integer quantization", report
    )


def _smaller_image(case: _Case) -> Iterator[Remedy | str]:
    """The largest image with which it fits; with flash too small, no image helps."""
    if case.report.refused or case.is_short_of(FLASH):
        return
    model = case.model.model
    try:
        height, width = image_size(model)
    except RewriteError as error:
        yield f"a smaller input: {error}"
        return
    reason, tried = "", ""
    for rows, columns in smaller_sizes(height, width):
        try:
            smaller = FitModel(scaled(model, rows, columns), case.model.file_bytes)
        except RewriteError as error:
            reason = reason or str(error)
            continue
        report = case.with_model(smaller)
        if report.fits:
            what = f"an input of {rows}x{columns} instead of {height}x{width}"
            yield Remedy(what, "train and convert for this size", report)
            return
        tried = f"not even {rows}x{columns} is enough"
    yield f"a smaller input: {tried or reason or f'{height}x{width} is small already'}"


def _without_kernel(case: _Case) -> Iterator[Remedy | str]:
    """Flash without the operator whose code takes most, and nothing else needs."""
    flash = case.report.flash
    if flash is None or not case.is_short_of(FLASH):
        return
    kernels = [kernel for kernel in flash.kernels if kernel.own_bytes]
    if not kernels:
        return
    largest = max(kernels, key=lambda kernel: kernel.own_bytes or 0)
    own = largest.own_bytes or 0
    needs = [
        replace(need, needed=need.needed - own)
        if need.name == FLASH and need.needed is not None
        else need
        for need in case.report.needs
    ]
    yield Remedy(
        f"without {largest.operator}, whose code is the largest ({own:,} bytes)",
        "another model, or the application does its work",
        replace(case.report, needs=needs),
    )


# From the smallest change to the largest.
_WAYS: Sequence[_Way] = (
    _better_plan,
    _other_order,
    _other_library,
    _other_memory,
    _narrower,
    _smaller_image,
    _without_kernel,
)
