"""Mixes of loops that nobody has measured on a core: from those of a like core, or assumed."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping

from tinyml_profiles.instructions import CLASSES, INSTRUCTION_CLASSES, load_loops
from tinyml_runtime.resolver import OpResolver
from tinyml_runtime.workloads.generic import GENERIC

# A loop, and "entry" or "trip".
Column = tuple[str, str]
Costs = dict[Column, dict[str, float]]
# Few operators were measured on a core: others cost in proportion to those of another one.
LIKE = {"xtensa-lx106": "rv32imc"}
# A library takes many kernels of the reference, which cost much the same on a like core.
REFERENCE = {
    ("cmsis-nn", "cortex-m4"): "cortex-m4",
    ("cmsis-nn", "cortex-m7"): "cortex-m7",
    ("cmsis-nn", "cortex-m33"): "cortex-m7",
    ("cmsis-nn", "cortex-m55"): "cortex-m7",
    ("esp-nn", "rv32imc"): "rv32imc",
    ("muriscv-nn", "rv32imc"): "rv32imc",
}
# Libraries of which nothing but their own kernels was measured.
BORROWS = ("muriscv-nn",)
# Kernels of one template, for types of as many bytes: measured is the latter.
SAME_CODE = {"quantize_int8_uint8": "quantize_int8", "quantize_uint8_int8": "quantize_int8"}
ELEMENT = ".element"
# What an operator that nobody has counted runs, and kernels whose loops stand for one that moves.
CALL, ASSUMED, MOVE = f"{GENERIC}.call", f"{GENERIC}{ELEMENT}", f"{GENERIC}.move"
MOVING = ("strided_slice_of_", "transpose_of_", "transpose_s8")
DIGITS = 5


def alike(library: str, core: str, level: str = "O2") -> Costs:
    """The measured mixes of the like core, or of the reference's kernels; none without either.

    For another level than -O2, those of the core itself at -O2.
    """
    if level != "O2":
        table = load_loops(library, core)
    elif like := LIKE.get(core):
        table = load_loops(library, like)
    elif like := REFERENCE.get((library, core)):
        table = load_loops("reference", like)
    else:
        return {}
    if table is None:
        return {}
    return {
        (loop, part): {name: count for name, count in zip(CLASSES, mix, strict=True) if count}
        for loop, cost in table.loops.items()
        for part, mix in (("entry", cost.entry), ("trip", cost.trip))
        if cost.evidence == "measured" and any(mix)
    }


def is_borrowed(library: str, operator: str) -> bool:
    """Whether a library takes a kernel of the reference as it is, which was measured there."""
    return (
        library in BORROWS
        and OpResolver.for_library(library).library.find_workload(operator) is None
    )


def borrow(library: str, core: str, costs: Costs) -> Costs:
    """Mixes of the reference's loops on the core, where the library's own were measured alone."""
    if library not in BORROWS:
        return {}
    return {column: mix for column, mix in alike(library, core).items() if column not in costs}


def same_code(costs: Costs) -> Costs:
    """Mixes of kernels whose code is that of another one but for signs of bytes."""
    return {
        (f"{kernel}.{loop.partition('.')[2]}", part): mix
        for kernel, measured in SAME_CODE.items()
        for (loop, part), mix in costs.items()
        if loop.partition(".")[0] == measured
    }


def derive(library: str, core: str, costs: Costs) -> Costs:
    """Mixes of loops that were not measured on this core, from those of a like one."""
    theirs = alike(library, core) if core in LIKE else {}
    if not theirs:
        return {}
    both = [column for column in theirs if costs.get(column) and _size(theirs[column])]
    ratio = statistics.median(_size(costs[column]) / _size(theirs[column]) for column in both)
    return {
        column: {name: round(count * ratio, DIGITS) for name, count in mix.items()}
        for column, mix in theirs.items()
        if column not in costs
    }


def assumed(costs: Costs) -> Costs:
    """The mixes of the loops that stand for others: those in the middle by their instructions."""
    calls = _ending(costs, ".call", "entry")
    loops = _ending(costs, ELEMENT, "trip")
    moving = [mix for loop, mix in loops.items() if loop.startswith(MOVING)]
    return {
        (CALL, "entry"): _middle(calls.values()),
        (ASSUMED, "trip"): _middle(loops.values()),
        (MOVE, "trip"): _middle(moving or loops.values()),
    }


def _ending(costs: Costs, end: str, wanted: str) -> dict[str, dict[str, float]]:
    return {
        loop: mix
        for (loop, part), mix in costs.items()
        if loop.endswith(end) and part == wanted and mix
    }


def _middle(mixes: Iterable[dict[str, float]]) -> dict[str, float]:
    found = sorted(mixes, key=_size)
    return found[len(found) // 2] if found else {}


def _size(mix: Mapping[str, float]) -> float:
    return sum(mix.get(name, 0.0) for name in INSTRUCTION_CLASSES)
