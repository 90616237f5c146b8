"""Instructions of a workload: the first of the two formulas.

    instructions = sum over loops of (entries x entry mix + trips x trip mix)

A mix says how many instructions of each class are executed once. It is a property of a compiled
kernel library on an instruction set: measured, and the same on every chip.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import Any, TypeAlias

from tinyml_runtime.errors import TargetError
from tinyml_runtime.workload import LoopWork

# In this order everywhere. `branch_taken` are those of `branch`, and loads that return, that leave
# the straight line; all others add up to the instructions.
CLASSES = (
    "load",
    "store",
    "mul",
    "mac",
    "div",
    "alu",
    "branch",
    "fp_load",
    "fp_store",
    "fp_alu",
    "fp_mul",
    "fp_mac",
    "fp_div",
    "simd_load",
    "simd_store",
    "simd_mac",
    "simd_other",
    "branch_taken",
)
_OVERLAYS = 1
# What stands before the loops in a file.
_LOOPS, _SPREADS, _FED_SPREADS = "[loop]\n", "[spread]\n", "[fed_spread]\n"
INSTRUCTION_CLASSES = CLASSES[:-_OVERLAYS]
# From strong to weak.
EVIDENCE = ("measured", "derived", "datasheet", "assumed")

# Two inputs differ by more than one differs from the mean of all: their variances add up.
_BETWEEN_TWO = sqrt(2.0)

Mix: TypeAlias = tuple[float, ...]
NOTHING: Mix = (0.0,) * len(CLASSES)


class Values(Enum):
    """Which values a workload was counted for: the mean over all, or what a node had in a run."""

    ALL = auto()
    REFERENCE = auto()
    GIVEN = auto()


@dataclass(frozen=True, slots=True)
class LoopCost:
    """What one entry of a loop executes, and one turn.

    `is_own` says that it is a loop of the library's own code, and not one of the reference.
    """

    entry: Mix
    trip: Mix
    evidence: str
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class LoopTable:
    """The mixes of a kernel library's loops on a core.

    `beside_usual` are the least and the most instructions of an operator for each that it executes
    with the usual optimisation of the compiler.
    `spreads` has the share of a kernel's instructions by which it is off at most, either way, in
    nine of ten operators, where values of activations make that much; `fed_spreads` the same of
    loops that were counted for known values.
    """

    library: str
    core: str
    source: str
    loops: Mapping[str, LoopCost]
    spreads: Mapping[str, float] = field(default_factory=dict[str, float])
    fed_spreads: Mapping[str, float] = field(default_factory=dict[str, float])
    beside_usual: tuple[float, float] = (1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Instructions:
    """Executed instructions by class; `unpriced` are loops that the table does not know.

    `spread` is the share by which values of activations may make them more or fewer.
    `is_own` says that the library's own code is among them, and not the reference's alone.
    """

    mix: Mix
    evidence: str
    unpriced: tuple[str, ...] = ()
    spread: float = 0.0
    is_own: bool = True

    @property
    def total(self) -> float:
        """All instructions."""
        return sum(self.mix[:-_OVERLAYS])

    def of(self, *classes: str) -> float:
        """Instructions of some classes."""
        return sum(self.mix[CLASSES.index(name)] for name in classes)


def count_instructions(
    workload: Iterable[LoopWork], table: LoopTable, values: Values = Values.ALL
) -> Instructions:
    """The instructions of a workload that was counted for `values`.

    The evidence is the weakest that entered. The spread is that of other values than the counted
    ones, unless they were given.
    """
    totals = [0.0] * len(CLASSES)
    weakest = 0
    is_own = False
    unpriced: list[str] = []
    works = list(workload)
    for work in works:
        if not work.entries and not work.trips:
            continue  # what never runs needs no price
        cost = table.loops.get(work.loop)
        if cost is None:
            unpriced.append(work.loop)
            continue
        weakest = max(weakest, EVIDENCE.index(cost.evidence))
        is_own |= cost.is_own
        for times, mix in ((work.entries, cost.entry), (work.trips, cost.trip)):
            if times:
                for place, each in enumerate(mix):
                    totals[place] += times * each
    # The first loop is the kernel's own; others may be those of what it calls.
    kernel = works[0].loop.partition(".")[0] if works else ""
    spread = (table.fed_spreads if values is Values.GIVEN else table.spreads).get(kernel, 0.0)
    if values is Values.REFERENCE:
        spread *= _BETWEEN_TWO
    return Instructions(tuple(totals), EVIDENCE[weakest], tuple(unpriced), spread, is_own)


@cache
def load_loops(library: str, core: str, level: str = "O2") -> LoopTable | None:
    """The table of a library on a core at a level of optimisation; None where nobody measured it.

    Raises:
        TargetError: the file lacks a key.
    """
    name = f"{library}-{core}.toml" if level == "O2" else f"{library}-{core}-{level}.toml"
    file = files("tinyml_profiles") / "data" / "loops" / name
    if not file.is_file():
        return None
    head, _, rest = file.read_text("utf-8").partition(_LOOPS)
    lines, _, rest = rest.partition(_SPREADS)
    spreads, _, fed_spreads = rest.partition(_FED_SPREADS)
    data = tomllib.loads(head)
    try:
        loops = _Loops(lines, data["from"], file.name)
        beside = data.get("beside_o2", {"least": 1.0, "most": 1.0})
        return LoopTable(
            data["library"],
            data["core"],
            f"{data['from']}: {data['ref']}",
            loops,
            tomllib.loads(spreads),
            tomllib.loads(fed_spreads),
            (beside["least"], beside["most"]),
        )
    except KeyError as error:
        raise TargetError(f"{file.name}: missing key {error}") from None


class _Loops(Mapping[str, LoopCost]):
    """The loops of a file, each in a line of its own that is read when it is first asked for.

    A table has some 600, a model runs a few dozen of them, and reading all takes longer than the
    rest of a profile.
    """

    def __init__(self, text: str, evidence: str, file: str) -> None:
        self._evidence, self._file = evidence, file
        pairs = (line.partition(" = ") for line in text.splitlines() if line.startswith('"'))
        self._lines = {name.strip('"'): value for name, _, value in pairs}
        self._costs: dict[str, LoopCost] = {}

    def __getitem__(self, name: str) -> LoopCost:
        if name not in self._costs:
            entry = tomllib.loads(f"loop = {self._lines[name]}")["loop"]
            try:
                self._costs[name] = _cost(entry, self._evidence)
            except KeyError as error:
                raise TargetError(f"{self._file}: '{name}' has an unknown key {error}") from None
        return self._costs[name]

    def __contains__(self, name: object) -> bool:
        return name in self._lines

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)


def _cost(entry: Mapping[str, Any], evidence: str) -> LoopCost:
    return LoopCost(
        _mix(entry.get("entry", {})), _mix(entry.get("trip", {})), entry.get("from", evidence)
    )


def _mix(counts: Mapping[str, float]) -> Mix:
    values = [0.0] * len(CLASSES)
    for name, count in counts.items():
        if name not in CLASSES:
            raise KeyError(name)
        values[CLASSES.index(name)] = float(count)
    return tuple(values)
