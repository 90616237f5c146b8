"""Cycles of instructions on a target: the second of the two formulas.

    core    = sum over classes of (instructions x cycles) - share that issues in pairs
    stalls  = lines that have to be brought x cycles to wait for one
    cycles  = core + stalls of fetching code + of reading weights + of reading the arena

A line is brought once for every byte that is used (the first time), and again in every round of a
walk through memory whose round a cache does not hold: never if it fits, always if it is twice as
large as the cache, in proportion between. Without a cache a line is used up and forgotten. What a
prefetcher brings while the core works on the line before does not count.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_profiles.instructions import CLASSES, EVIDENCE, Instructions, Mix
from tinyml_profiles.target import Calibration, Figure, Memory, Target
from tinyml_profiles.traffic import Traffic, Walk
from tinyml_runtime.errors import TargetError

# After the name of an operator whose channels do not fill the vectors.
RAGGED = "_RAGGED"
_TAKEN = CLASSES.index("branch_taken")


@dataclass(frozen=True, slots=True)
class Conditions:
    """What differs from how the target is usually run; None means as usual."""

    library: str
    clock_hz: float | None = None
    weights_in: str | None = None
    arena_in: str | None = None


@dataclass(frozen=True, slots=True)
class Cycles:
    """Cycles of a node by cause. `classes` are those of each class of instructions.

    `paired` is what is saved by instructions that issue together, and is not negative.
    """

    classes: Mix
    paired: float
    fetch_stalls: float
    weight_stalls: float
    arena_stalls: float
    overhead: float
    evidence: str

    @property
    def core(self) -> float:
        """With memory that never waits."""
        return sum(self.classes) - self.paired

    @property
    def stalls(self) -> float:
        """Waiting for memory."""
        return self.fetch_stalls + self.weight_stalls + self.arena_stalls

    @property
    def total(self) -> float:
        """All cycles."""
        return self.core + self.stalls + self.overhead


def count_cycles(
    instructions: Instructions, traffic: Traffic, target: Target, conditions: Conditions
) -> Cycles:
    """The cycles of a node; TargetError where the target has no memory of a given name."""
    return CyclePricer(target, conditions).price(instructions, traffic)


@dataclass(frozen=True, slots=True)
class _Region:
    """A memory as something that is put there finds it."""

    wait_cycles: float
    line_bytes: float
    sequential: float
    cache_bytes: float
    evidence: int


class CyclePricer:
    """The costs of a target under some conditions, ready to be applied to many nodes."""

    def __init__(self, target: Target, conditions: Conditions) -> None:
        """Raise TargetError where the target has no memory of a given name."""
        core, board = target.core, target.board
        self._library = conditions.library
        self._accelerated = core.accelerated
        self._scale = core.loops_scale
        costs = [core.cycles[name] for name in CLASSES]
        self._costs = [cost.value for cost in costs]
        self._evidence = [EVIDENCE.index(cost.evidence) for cost in costs]
        self._paired = core.paired.value
        self._instruction_bytes = core.instruction_bytes.value
        self._calibration = board.calibration if board else Calibration()
        self._code = self._weights = self._arena = None
        if board is not None:
            ratio = (conditions.clock_hz or board.clock_hz.value) / board.clock_hz.value
            placed = board.placed
            self._code = _region(target, placed.code, "code", ratio)
            self._weights = _region(target, conditions.weights_in or placed.weights, "data", ratio)
            self._arena = _region(target, conditions.arena_in or placed.arena, "data", ratio)
        elif conditions.weights_in or conditions.arena_in:
            raise TargetError(f"{target.name} is a core alone: it has no memories to choose from")

    def price(self, instructions: Instructions, traffic: Traffic) -> Cycles:
        """The cycles of a node."""
        factors = self._calibration
        scale, weakest = self._core_scale(instructions, traffic)
        mix, factor = instructions.mix, scale * factors.core.value
        classes = tuple(
            [count * cost * factor for count, cost in zip(mix, self._costs, strict=True)]
        )
        executed = instructions.total * scale
        for count, evidence in zip(mix, self._evidence, strict=True):
            if count and evidence > weakest:
                weakest = evidence
        fetch = self._fetch_stalls(executed, mix[_TAKEN] * scale, traffic)
        weights = _walk_stalls(traffic.weights, self._weights)
        arena = _walk_stalls(traffic.arena, self._arena)
        for stalls, region in ((fetch, self._code), (weights, self._weights), (arena, self._arena)):
            if stalls and region is not None:
                weakest = max(weakest, region.evidence)
        return Cycles(
            classes,
            min(executed * self._paired * factors.core.value, sum(classes) / 2),
            fetch * factors.fetch.value,
            weights * factors.weights.value,
            arena * factors.arena.value,
            factors.operator_cycles.value,
            EVIDENCE[weakest],
        )

    def _core_scale(self, instructions: Instructions, traffic: Traffic) -> tuple[float, int]:
        """Instructions executed for each that was counted, and the weakest evidence so far."""
        figures = [self._scale]
        accelerated = self._acceleration(traffic) if instructions.is_own else None
        if accelerated is not None:
            figures.append(accelerated)
        product = 1.0
        weakest = EVIDENCE.index(instructions.evidence)
        for figure in figures:
            product *= figure.value
            weakest = max(weakest, EVIDENCE.index(figure.evidence))
        return product, weakest

    def _acceleration(self, traffic: Traffic) -> Figure | None:
        """The share of its cycles that an operator takes in code of this very core."""
        ragged = f"{traffic.operator}{RAGGED}" if traffic.is_ragged else traffic.operator
        for name in (ragged, traffic.operator, "*"):
            if (figure := self._accelerated.get((self._library, name))) is not None:
                return figure
        return None

    def _fetch_stalls(self, executed: float, jumps: float, traffic: Traffic) -> float:
        """Straight lines of code, and one more line for every jump."""
        region = self._code
        if region is None or not region.wait_cycles:
            return 0.0
        straight = executed * self._instruction_bytes / region.line_bytes
        again = _missed(traffic.loop_bytes, region.cache_bytes)
        again *= straight * region.sequential + jumps
        first = min(straight, traffic.kernel_bytes / region.line_bytes)
        return max(first, again) * region.wait_cycles


def _walk_stalls(walk: Walk, region: _Region | None) -> float:
    if region is None or not region.wait_cycles:
        return 0.0
    again = _missed(walk.round_bytes, region.cache_bytes) * (walk.read_bytes - walk.bytes)
    lines = (walk.bytes + max(0.0, again)) / region.line_bytes
    return lines * region.sequential * region.wait_cycles


def _missed(round_bytes: float, cache_bytes: float) -> float:
    """The share of lines that a cache no longer holds when the walk comes back to them."""
    if not cache_bytes:
        return 1.0
    return min(1.0, max(0.0, round_bytes / cache_bytes - 1.0))


def _region(target: Target, name: str, holds: str, ratio: float) -> _Region:
    board = target.board
    assert board is not None
    memory = board.memories.get(name)
    if memory is None:
        known = ", ".join(board.memories)
        raise TargetError(f"{target.name} has no memory '{name}' (there are: {known})")
    sizes = [
        cache.bytes.value
        for cache in board.caches
        if name in cache.memories and cache.holds in (holds, "both")
    ]
    return _Region(
        memory.wait_cycles.value * ratio,
        memory.line_bytes.value,
        1 - memory.prefetch.value,
        max(sizes, default=0.0),
        _evidence(memory),
    )


def _evidence(memory: Memory) -> int:
    return max(
        EVIDENCE.index(figure.evidence)
        for figure in (memory.wait_cycles, memory.line_bytes, memory.prefetch)
    )
