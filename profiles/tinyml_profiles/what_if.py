"""The same model under other conditions: each computed, none guessed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tinyml_profiles.latency_report import LatencyReport
from tinyml_profiles.plan import USUAL_LIBRARIES
from tinyml_profiles.profile import profile_model
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.library import base_name
from tinyml_runtime.model.schema import Model


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Another condition and the latency then; `saved_ms` is below 0 where it takes longer."""

    what: str
    latency_ms: float
    saved_ms: float
    how: str


def find_what_ifs(model: Model, report: LatencyReport) -> list[WhatIf]:
    """Other kernel libraries, and weights in other memories, the fastest first."""
    if report.total.latency_ms is None:
        return []
    found = [*_libraries(model, report), *_memories(model, report)]
    return sorted(found, key=lambda one: one.latency_ms)


def _libraries(model: Model, report: LatencyReport) -> Iterator[WhatIf]:
    for library in USUAL_LIBRARIES.get(report.target.core.abi, ()):
        if library != base_name(report.library):
            yield from _compared(
                model, report, f"the kernels of {library}", f"--kernels {library}", library=library
            )


def _memories(model: Model, report: LatencyReport) -> Iterator[WhatIf]:
    board = report.target.board
    if board is None:
        return
    for name in board.memories:
        if name != board.placed.weights:
            yield from _compared(
                model, report, f"weights in {name}", f"--weights-in {name}", weights_in=name
            )


def _compared(
    model: Model,
    report: LatencyReport,
    what: str,
    how: str,
    *,
    library: str | None = None,
    weights_in: str | None = None,
) -> Iterator[WhatIf]:
    try:
        other = profile_model(
            model,
            report.target,
            library or report.library,
            clock_hz=report.clock_hz or None,
            weights_in=weights_in,
        )
    except TinymlError:
        return  # that library does not run the model
    before, after = report.total.latency_ms, other.total.latency_ms
    if before is not None and after is not None:
        yield WhatIf(what, after, before - after, how)
