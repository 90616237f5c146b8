"""The table of loops that a core is taken to run: its own, or that of a core that comes near.

A loop has one name in all tables, so that those of a library which the reference's tables have too
are loops of the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from tinyml_profiles.instructions import EVIDENCE, LoopCost, LoopTable, load_loops
from tinyml_profiles.target import Core

REFERENCE = "reference"
# What the names of loops over floating-point numbers have in them.
_FLOAT = "float32"


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
        table = _completed(library, core.loops_cores[place:], core.float_loops)
        if name == core.name:
            return FoundLoops(table, name, "measured")
        return FoundLoops(table, name, "derived" if place == 0 else "assumed")
    return None


@cache
def _completed(library: str, cores: Sequence[str], float_cores: Sequence[str]) -> LoopTable:
    """The table of the first core, with what it lacks from the others.

    Float loops are those of `float_cores`, which are the reference's: no other library has any.
    """
    first, *others = _tables(library, cores)
    loops, spreads = dict(first.loops), dict(first.spreads)
    for other in others:
        spreads = {**other.spreads, **spreads}
        for name, cost in other.loops.items():
            loops.setdefault(name, _weaker(cost))
    if library != REFERENCE:
        shared = {name for table in _tables(REFERENCE, cores) for name in table.loops}
        loops = {name: replace(cost, is_own=name not in shared) for name, cost in loops.items()}
        _take_from_reference(loops, load_loops(REFERENCE, first.core))
    for table in _tables(REFERENCE, float_cores):
        if table is not first:
            loops.update((name, _weaker(cost)) for name, cost in _floats(table))
            spreads.update((name, each) for name, each in table.spreads.items() if _FLOAT in name)
    return replace(first, loops=loops, spreads=spreads)


def _take_from_reference(loops: dict[str, LoopCost], reference: LoopTable | None) -> None:
    """Put the reference's figures where the library's are not of this core either."""
    for name, cost in reference.loops.items() if reference else ():
        if name in loops and loops[name].evidence != EVIDENCE[0]:
            loops[name] = replace(cost, is_own=False)


def _floats(table: LoopTable) -> Iterator[tuple[str, LoopCost]]:
    return ((n, replace(c, is_own=False)) for n, c in table.loops.items() if _FLOAT in n)


def _tables(library: str, cores: Sequence[str]) -> list[LoopTable]:
    return [table for core in cores if (table := load_loops(library, core)) is not None]


def _weaker(cost: LoopCost) -> LoopCost:
    weakest = max(EVIDENCE.index(cost.evidence), EVIDENCE.index("derived"))
    return replace(cost, evidence=EVIDENCE[weakest])
