"""The table of loops that a core is taken to run: its own, or that of a core that comes near."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_profiles.instructions import LoopTable, load_loops
from tinyml_profiles.target import Core


@dataclass(frozen=True, slots=True)
class FoundLoops:
    """A table, the core that it was measured on, and how much that says about this core.

    `evidence` is "measured" on the core itself, "derived" on the one that stands for it, "assumed"
    on any other.
    """

    table: LoopTable
    core: str
    evidence: str


def find_loops(core: Core, library: str) -> FoundLoops | None:
    """The loops of `library` for `core`; None where no core that comes near was measured."""
    for place, name in enumerate(core.loops_cores):
        table = load_loops(library, name)
        if table is not None:
            if name == core.name:
                return FoundLoops(table, name, "measured")
            return FoundLoops(table, name, "derived" if place == 0 else "assumed")
    return None
