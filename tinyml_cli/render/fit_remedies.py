"""What would make a model fit, as a table for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from tinyml_cli.render.parts import line, table
from tinyml_cli.render.units import bytes_text, number, plural
from tinyml_profiles.amounts import amount
from tinyml_profiles.changes.case import Remedy
from tinyml_profiles.fit_report import FLASH, LATENCY, RAM, UNKNOWN, FitReport
from tinyml_profiles.remedies import Remedies

_SHOWN = 6
_SHOWN_SLOW = 3
_NAME_LENGTH = 24


def remedies(found: Remedies, board: str) -> Iterator[RenderableType]:
    """What is enough, the smallest change first; else what comes nearest; and what is no way."""
    shown = (found.enough or found.not_enough)[:_SHOWN]
    if found.enough:
        known = "" if all(way.report.fits for way in shown) else " as far as is known"
        yield line(f"What would make it fit {board}{known}, smallest change first:", "bold")
    else:
        yield line(f"No change that was tried makes it fit {board}.", "bold")
        if shown:
            yield line("What comes nearest:")
    if shown:
        yield _table(shown)
    yield from (line(f"{way.what}: {_slow(way)}") for way in shown if way.slow)
    yield from (line(f"no way: {reason}") for reason in found.ruled_out)


def _table(ways: Sequence[Remedy]) -> RenderableType:
    rows = [
        (way.what, _bytes(way.report, RAM), _bytes(way.report, FLASH), _latency(way), way.how)
        for way in ways
    ]
    return table(("change", "RAM bytes", "flash bytes", "ms", "how"), rows, (1, 2, 3), (1, 2, 3))


def _bytes(report: FitReport, name: str) -> str:
    need = report.need(name)
    return UNKNOWN if need is None or need.needed is None else number(int(need.needed))


def _latency(way: Remedy) -> str:
    need = way.report.need(LATENCY)
    return UNKNOWN if need is None or need.needed is None else amount(need.needed)


def _slow(way: Remedy) -> str:
    """The largest tensors that would lie in slow memory."""
    largest = sorted(way.slow, key=lambda tensor: -tensor.bytes)[:_SHOWN_SLOW]
    names = ", ".join(f"{_short(tensor.name)} ({bytes_text(tensor.bytes)})" for tensor in largest)
    more = len(way.slow) - len(largest)
    return f"slow are {names}" + (f" and {plural(more, 'more tensor')}" if more > 0 else "")


def _short(name: str) -> str:
    """The end of a name that a converter put together from many."""
    return name if len(name) <= _NAME_LENGTH else f"...{name[-_NAME_LENGTH:]}"
