"""How wrong a latency may be: factors of a 90 % interval, from what was measured.

The factors stand in `data/intervals.toml`, made by `profiles/fit/fit_boards.py` from the errors
that predictions make on boards that were left out: by how much is known of the target. What values
of activations do comes on top.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import hypot
from typing import Any

from tinyml_profiles.instructions import INSTRUCTION_CLASSES, LoopTable
from tinyml_profiles.target import Target

_ELEMENT = ".element"
# The ends of a range that has nine in ten.
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """Factors on a latency, below 1 and above; `of` says what they are from, in words."""

    low: float
    high: float
    of: str


def interval(target: Target, library: str, spread: float = 0.0) -> Interval | None:
    """The interval around the latencies of a target; None where nobody can say.

    `spread` is the share of a latency by which values may make it longer or shorter.
    """
    board = target.board
    if board is not None and board.calibration.interval is not None and library == board.library:
        own = board.calibration.interval
        return _widened(Interval(1 / own.value, own.value, own.ref), spread)
    table = _intervals()
    kind = "core" if target.board is None else "board"
    names = f"{target.based_on or target.name}/{library}", f"{target.core.name}/{library}"
    for key in (*names, kind):
        if key in table:
            found = table[key]
            known = Interval(float(found["low"]), float(found["high"]), found["of"])
            return _widened(known, spread)
    return None


def _widened(known: Interval, spread: float) -> Interval:
    low, high = max(0.0, 1 - hypot(1 - known.low, spread)), 1 + hypot(known.high - 1, spread)
    return Interval(low, high, known.of)


def element_bounds(table: LoopTable) -> tuple[float, float]:
    """What an element costs in the cheapest loops and in the dearest, beside the middle ones."""
    classes = len(INSTRUCTION_CLASSES)
    sizes = sorted(
        sum(cost.trip[:classes]) for name, cost in table.loops.items() if name.endswith(_ELEMENT)
    )
    if not sizes or not sizes[len(sizes) // 2]:
        return 1.0, 1.0
    low, middle, high = (sizes[int(share * len(sizes))] for share in (_LOW, 0.5, _HIGH))
    return low / middle, high / middle


@cache
def _intervals() -> Mapping[str, Any]:
    file = files("tinyml_profiles") / "data" / "intervals.toml"
    return tomllib.loads(file.read_text("utf-8")) if file.is_file() else {}
