"""The same model under other conditions: each computed, none guessed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tinyml_profiles.latency_report import LatencyReport
from tinyml_profiles.plan import USUAL_LIBRARIES
from tinyml_profiles.profile import profile_model
from tinyml_profiles.wider import widen
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.library import base_name
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array

# Channels that libraries take at once: loops of 4 in CMSIS-NN, vectors of 8 and 16 in ESP-NN's.
MULTIPLES = (4, 8, 16)


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Another condition and the latency then; `saved_ms` is below 0 where it takes longer."""

    what: str
    latency_ms: float
    saved_ms: float
    how: str


class WhatIfs(NamedTuple):
    """The conditions that were computed, the fastest first, and what there is to say of others."""

    rows: Sequence[WhatIf] = ()
    notes: Sequence[str] = ()


def find_what_ifs(model: Model, report: LatencyReport, samples: Sequence[Array] = ()) -> WhatIfs:
    """Other kernel libraries, weights in other memories, and more channels where that is faster.

    `samples` are those that `report` is for, if it is for any.
    """
    if report.total.latency_ms is None:
        return WhatIfs()
    wider = list(_channels(model, report, samples))
    faster = [row for row in wider if row.saved_ms > 0]
    found = [
        *_libraries(model, report, samples),
        *_memories(model, report, samples),
        *faster[:1],
    ]
    notes = [] if faster else [_no_channels(wider)]
    return WhatIfs(sorted(found, key=lambda one: one.latency_ms), notes)


def _channels(model: Model, report: LatencyReport, samples: Sequence[Array]) -> Iterator[WhatIf]:
    """The model with channels rounded up to multiples, the fastest first."""
    found: list[WhatIf] = []
    for multiple in MULTIPLES:
        wider = widen(model, multiple)
        other = None if wider is None else _profiled(wider, report, samples)
        if other is not None:
            more = other.total.macs / max(1, report.total.macs) - 1
            what = f"channels in multiples of {multiple} ({more:+.0%} MACs)"
            found += _compared(report, other, what, "widen and train again")
    yield from sorted(found, key=lambda row: row.latency_ms)


def _no_channels(tried: Sequence[WhatIf]) -> str:
    """Why there is no row for other numbers of channels."""
    if not tried:
        return f"no channels to round up: all that may change are multiples of {MULTIPLES[-1]}"
    multiples = " or ".join(map(str, MULTIPLES))
    return f"channels rounded up to a multiple of {multiples} would not be faster"


def _libraries(model: Model, report: LatencyReport, samples: Sequence[Array]) -> Iterator[WhatIf]:
    for library in USUAL_LIBRARIES.get(report.target.core.abi, ()):
        if library != base_name(report.library):
            other = _profiled(model, report, samples, library=library)
            what, how = f"the kernels of {library}", f"--kernels {library}"
            yield from _compared(report, other, what, how)


def _memories(model: Model, report: LatencyReport, samples: Sequence[Array]) -> Iterator[WhatIf]:
    board = report.target.board
    if board is None:
        return
    for name in board.memories:
        if name != board.placed.weights:
            other = _profiled(model, report, samples, weights_in=name)
            yield from _compared(report, other, f"weights in {name}", f"--weights-in {name}")


def _profiled(
    model: Model,
    report: LatencyReport,
    samples: Sequence[Array],
    *,
    library: str | None = None,
    weights_in: str | None = None,
) -> LatencyReport | None:
    try:
        return profile_model(
            model,
            report.target,
            library or report.library,
            clock_hz=report.clock_hz or None,
            weights_in=weights_in,
            opt=report.opt,
            samples=samples,
        )
    except TinymlError:
        return None  # that library does not run the model


def _compared(
    report: LatencyReport, other: LatencyReport | None, what: str, how: str
) -> Iterator[WhatIf]:
    before = report.total.latency_ms
    after = None if other is None else other.total.latency_ms
    if before is not None and after is not None:
        yield WhatIf(what, after, before - after, how)
