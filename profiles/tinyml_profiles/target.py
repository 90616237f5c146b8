"""What runs a model: a core, alone or on a board. Every number says where it is from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its evidence, one of `instructions.EVIDENCE`, and what it is from."""

    value: float
    evidence: str
    ref: str


ONE = Figure(1.0, "datasheet", "by definition")
NONE = Figure(0.0, "datasheet", "by definition")


@dataclass(frozen=True, slots=True)
class Core:
    """A processor core: what memory depends on, and what an instruction costs.

    `extensions` are those for which kernel libraries have other code ("dsp", "mve", "esp32s3",
    "esp32p4"); `abi` is that of the usual GCC toolchain; `source` says where this is from.

    `cycles` has the cost of an instruction of each class, with memory that never waits; that of
    "branch_taken" is the surcharge of leaving the straight line. `paired` is the share of
    instructions that issue in the same cycle as another one. `loops_cores` are the cores whose
    measured loops this one is taken to run, those first that come nearest, with `loops_scale`
    instructions for each one of theirs. `float_loops` are cores with floating-point
    instructions, whose float loops stand for this one's where those cores have none.
    `accelerated` are the cycles of an operator, as a share of what its loops cost, where a library
    has other code for this core that nobody has counted: (library, operator) or (library, "*"), or
    (library, "CONV_2D_RAGGED") where channels do not fill the vectors.
    """

    name: str
    title: str
    isa: str
    abi: str
    extensions: frozenset[str]
    source: str
    loops_cores: tuple[str, ...]
    loops_scale: Figure
    float_loops: tuple[str, ...]
    cycles: Mapping[str, Figure]
    paired: Figure
    instruction_bytes: Figure
    accelerated: Mapping[tuple[str, str], Figure]

    @property
    def loops_core(self) -> str:
        """The core whose measured loops come nearest: this one, if it was measured."""
        return self.loops_cores[0]


@dataclass(frozen=True, slots=True)
class Memory:
    """A memory of a board.

    An access that no cache and no buffer holds brings `line_bytes` and makes the core wait for
    `wait_cycles` at the board's own clock. `prefetch` is the share of that wait which is hidden
    where one line follows the other.
    """

    name: str
    bytes: Figure
    wait_cycles: Figure
    line_bytes: Figure
    prefetch: Figure

    @property
    def is_ram(self) -> bool:
        """Whether variables may lie in it: it is no flash, by its name."""
        return not self.name.startswith("flash")


@dataclass(frozen=True, slots=True)
class Cache:
    """A cache in front of some memories; `holds` is "code", "data" or "both"."""

    name: str
    bytes: Figure
    memories: frozenset[str]
    holds: str


@dataclass(frozen=True, slots=True)
class Placement:
    """The names of the memories in which code, weights and arena usually lie."""

    code: str
    weights: str
    arena: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Factors on the parts of the cycles, and cycles of each operator beyond them; as measured.

    `interval` is the factor of the 90 % interval around a latency, if the calibration tells it.
    """

    core: Figure = ONE
    fetch: Figure = ONE
    weights: Figure = ONE
    arena: Figure = ONE
    operator_cycles: Figure = NONE
    interval: Figure | None = None


@dataclass(frozen=True, slots=True)
class Power:
    """Power of the board's supply of the chip, while it computes and while it sleeps."""

    active_mw: Figure | None = None
    sleep_mw: Figure | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """A chip on a board as it is usually run.

    `reserved_ram_bytes` and `reserved_flash_bytes` are for stack, operating system and the like.
    """

    name: str
    title: str
    library: str
    clock_hz: Figure
    memories: Mapping[str, Memory]
    caches: tuple[Cache, ...]
    placed: Placement
    power: Power
    reserved_ram_bytes: Figure
    reserved_flash_bytes: Figure
    calibration: Calibration

    @property
    def flash(self) -> Memory:
        """The memory that keeps the image; on a board without flash, where code runs from."""
        kept = [memory for memory in self.memories.values() if not memory.is_ram]
        return kept[0] if kept else self.memories[self.placed.code]


@dataclass(frozen=True, slots=True)
class Target:
    """A core on a board, or with memory that never waits where `board` is None.

    `based_on` is the target that it is a variant of.
    """

    name: str
    core: Core
    board: Board | None = None
    based_on: str | None = None

    @property
    def title(self) -> str:
        """What it is, in words."""
        return self.core.title if self.board is None else self.board.title
