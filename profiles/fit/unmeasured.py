"""Mixes of loops that nobody has measured on a core: from those of a like core, or assumed."""

from __future__ import annotations

import statistics
from collections.abc import Mapping

from tinyml_profiles.instructions import CLASSES, INSTRUCTION_CLASSES, load_loops
from tinyml_runtime.workloads.generic import GENERIC

# A loop, and "entry" or "trip".
Column = tuple[str, str]
Costs = dict[Column, dict[str, float]]
# Few operators were measured on a core: others cost in proportion to those of another one.
LIKE = {"xtensa-lx106": "rv32imc"}
ELEMENT = ".element"
# What an operator that nobody has described runs.
ASSUMED = f"{GENERIC}{ELEMENT}"
DIGITS = 5


def alike(library: str, core: str) -> Costs:
    """The measured mixes of the like core; none where there is no such core."""
    like = LIKE.get(core, "")
    table = load_loops(library, like) if like else None
    if table is None:
        return {}
    return {
        (loop, part): {name: count for name, count in zip(CLASSES, mix, strict=True) if count}
        for loop, cost in table.loops.items()
        for part, mix in (("entry", cost.entry), ("trip", cost.trip))
        if cost.evidence == "measured" and any(mix)
    }


def derive(library: str, core: str, costs: Costs) -> Costs:
    """Mixes of loops that were not measured on this core, from those of a like one."""
    theirs = alike(library, core)
    if not theirs:
        return {}
    both = [column for column in theirs if costs.get(column)]
    ratio = statistics.median(_size(costs[column]) / _size(theirs[column]) for column in both)
    return {
        column: {name: round(count * ratio, DIGITS) for name, count in mix.items()}
        for column, mix in theirs.items()
        if column not in costs
    }


def assumed(costs: Costs) -> dict[str, float]:
    """The mix of the loop over elements that is the middle one by its instructions."""
    loops = sorted(
        (mix for (loop, part), mix in costs.items() if loop.endswith(ELEMENT) and part == "trip"),
        key=_size,
    )
    return loops[len(loops) // 2] if loops else {}


def _size(mix: Mapping[str, float]) -> float:
    return sum(mix.get(name, 0.0) for name in INSTRUCTION_CLASSES)
