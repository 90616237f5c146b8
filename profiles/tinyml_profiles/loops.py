"""The table of loops that a core is taken to run: its own, or that of a core that comes near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from tinyml_profiles.instructions import EVIDENCE, LoopCost, LoopTable, load_loops
from tinyml_profiles.target import Core


@dataclass(frozen=True, slots=True)
class FoundLoops:
    """A table, the core that it was measured on, and how much that says about this core.

    `evidence` is "measured" on the core itself, "derived" on the one that stands for it, "assumed"
    on any other. Loops that nobody met on that core are those of the next one, as "derived".
    """

    table: LoopTable
    core: str
    evidence: str


def find_loops(core: Core, library: str) -> FoundLoops | None:
    """The loops of `library` for `core`; None where no core that comes near was measured."""
    for place, name in enumerate(core.loops_cores):
        if load_loops(library, name) is None:
            continue
        table = _completed(library, core.loops_cores[place:])
        if name == core.name:
            return FoundLoops(table, name, "measured")
        return FoundLoops(table, name, "derived" if place == 0 else "assumed")
    return None


@cache
def _completed(library: str, cores: Sequence[str]) -> LoopTable:
    """The table of the first core, with what it lacks from the others."""
    first, *others = (table for core in cores if (table := load_loops(library, core)) is not None)
    loops, spreads = dict(first.loops), dict(first.spreads)
    for other in others:
        spreads = {**other.spreads, **spreads}
        for name, cost in other.loops.items():
            loops.setdefault(name, _weaker(cost))
    return replace(first, loops=loops, spreads=spreads)


def _weaker(cost: LoopCost) -> LoopCost:
    weakest = max(EVIDENCE.index(cost.evidence), EVIDENCE.index("derived"))
    return replace(cost, evidence=EVIDENCE[weakest])
