"""The table of loops that a core is taken to run: its own, or that of a core that comes near.

A loop has one name in all tables, so that those of a library which the reference's tables have too
are loops of the reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
    """The table of the first core, with what it lacks from the others."""
    tables = _tables(library, cores)
    floats = [table for table in _tables(REFERENCE, float_cores) if table is not tables[0]]
    return replace(
        tables[0],
        loops=_CompletedLoops(tables, library, cores, float_cores),
        spreads=_merged([t.spreads for t in tables], [t.spreads for t in floats]),
        fed_spreads=_merged([t.fed_spreads for t in tables], [t.fed_spreads for t in floats]),
    )


def _merged(
    spreads: Sequence[Mapping[str, float]], of_floats: Sequence[Mapping[str, float]]
) -> Mapping[str, float]:
    """The first that is told of each kernel; of floats the last."""
    merged: dict[str, float] = {}
    for each in reversed(spreads):
        merged.update(each)
    for each in of_floats:
        merged.update((name, share) for name, share in each.items() if _FLOAT in name)
    return merged


class _CompletedLoops(Mapping[str, LoopCost]):
    """The loops of the first table, with what it lacks from the others; made when asked for.

    Where a library takes a kernel of the reference that was not measured with it, its loops are
    those that were measured with the reference. Float loops are those of `float_cores`, which are
    the reference's: no other library has any.
    """

    def __init__(
        self,
        tables: Sequence[LoopTable],
        library: str,
        cores: Sequence[str],
        float_cores: Sequence[str],
    ) -> None:
        self._tables = tables
        self._is_reference = library == REFERENCE
        self._reference = [] if self._is_reference else _tables(REFERENCE, cores)
        self._floats = [one for one in _tables(REFERENCE, float_cores) if one is not tables[0]]
        self._same_core = None if self._is_reference else load_loops(REFERENCE, tables[0].core)
        self._costs: dict[str, LoopCost] = {}

    def __getitem__(self, name: str) -> LoopCost:
        if name not in self._costs:
            self._costs[name] = self._float(name) or self._own(name)
        return self._costs[name]

    def __contains__(self, name: object) -> bool:
        return any(name in table.loops for table in (*self._tables, *self._reference)) or any(
            name in table.loops for table in self._floats if _FLOAT in str(name)
        )

    def __iter__(self) -> Iterator[str]:
        tables = (*self._tables, *self._reference)
        names = dict.fromkeys(name for table in tables for name in table.loops)
        floats = (name for table in self._floats for name in table.loops if _FLOAT in name)
        return iter({**names, **dict.fromkeys(floats)})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _float(self, name: str) -> LoopCost | None:
        """A float loop: of the last core that has it."""
        if _FLOAT not in name:
            return None
        costs = [table.loops[name] for table in self._floats if name in table.loops]
        return replace(_weaker(costs[-1]), is_own=False) if costs else None

    def _own(self, name: str) -> LoopCost:
        """A loop of the library; the reference's figures where it has none of this core."""
        first, *others = self._tables
        if name in first.loops:
            cost = first.loops[name]
        else:
            tables = (*others, *self._reference)
            found = next((table for table in tables if name in table.loops), None)
            if found is None:
                raise KeyError(name)
            cost = _weaker(found.loops[name])
        if self._is_reference:
            return cost
        reference = self._same_core
        if reference is not None and name in reference.loops and cost.evidence != EVIDENCE[0]:
            return replace(reference.loops[name], is_own=False)
        return replace(cost, is_own=all(name not in table.loops for table in self._reference))


def _tables(library: str, cores: Sequence[str]) -> list[LoopTable]:
    return [table for core in cores if (table := load_loops(library, core)) is not None]


def _weaker(cost: LoopCost) -> LoopCost:
    weakest = max(EVIDENCE.index(cost.evidence), EVIDENCE.index("derived"))
    return replace(cost, evidence=EVIDENCE[weakest])
