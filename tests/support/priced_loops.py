"""Loops that all have a price, so that tests of what follows do not hang on measured tables."""

from __future__ import annotations

import pytest

from tinyml_profiles.instructions import CLASSES, LoopCost, LoopTable, Mix
from tinyml_profiles.loops import FoundLoops
from tinyml_profiles.target import Core


def price_all_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every loop of every library executes the same few instructions on every core."""
    monkeypatch.setattr("tinyml_profiles.profile.find_loops", _find)


def no_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has measured any loop."""

    def find(core: Core, library: str) -> None:
        return None

    monkeypatch.setattr("tinyml_profiles.profile.find_loops", find)


class _AllLoops(dict[str, LoopCost]):
    def get(self, key: str, default: object = None) -> LoopCost:  # pyright: ignore[reportIncompatibleMethodOverride]
        return _COST


def _find(core: Core, library: str) -> FoundLoops:
    table = LoopTable(library, core.name, "measured: for tests", _AllLoops())
    return FoundLoops(table, core.name, "measured")


def _mix(**counts: float) -> Mix:
    return tuple(counts.get(name, 0.0) for name in CLASSES)


_COST = LoopCost(
    _mix(load=9, store=4, alu=20, branch=4, branch_taken=2),
    _mix(load=2, mac=1, alu=2, branch=1, branch_taken=1),
    "measured",
)
