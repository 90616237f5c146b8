"""The RAM of a model on a target: the exact arena, what the runtime keeps beside it, the stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_profiles.arena_places import ArenaPlace, arena_places
from tinyml_profiles.code_table import LOGGING, find_code
from tinyml_profiles.flash import UNKNOWN, FlashReport, needed_operators
from tinyml_profiles.instructions import EVIDENCE
from tinyml_profiles.target import Board, Target
from tinyml_runtime.planning.arena_plan import ArenaPlan

ARENA = "tensor arena"
# MicroMutableOpResolver: a registration, an operator's code and its parser for each operator; two
# counters and the pointer to the virtual functions. Source: structs_arm.csv, 48 bytes for one
# operator and 372 for ten; micro/micro_mutable_op_resolver.h.
_RESOLVER_BYTES, _RESOLVER_BYTES_OF_OPERATOR = 12, 36
_MOST_STATIC_BYTES = 2048
# Measured on an emulated Cortex-M4, on a stack that was painted before: from 996 (audio front end)
# to 1540 bytes (LSTM) with CMSIS-NN, less with the reference kernels. Interrupts are not in it.
STACK_BYTES, STACK_REF = (
    2048,
    "1,540 bytes, the most of measured models on a Cortex-M4, and a third",
)
OTHER_STACK_BYTES, OTHER_STACK_REF = 4096, "twice what a Cortex-M4 takes: nobody has measured it"
MEASURED_ABI = "arm-eabi"
NOT_CONTAINED = ("the application's own data and stack", "the heap", "interrupts")


@dataclass(frozen=True, slots=True)
class RamPart:
    """Bytes of RAM for one purpose; None is unknown. `ref` says where the number is from."""

    name: str
    bytes: int | None
    evidence: str
    ref: str


@dataclass(frozen=True, slots=True)
class RamReport:
    """The RAM of a model on a target.

    `parts` add up to `needed_bytes`. `memory` is where they usually lie on the board,
    `available_bytes` its size without what the board reserves; both are None for a core alone.
    `places` are the ways to lay the arena into the board's memories, the usual one first.
    """

    target: Target
    library: str
    plan: ArenaPlan
    parts: Sequence[RamPart]
    memory: str | None
    available_bytes: int | None
    places: Sequence[ArenaPlace]
    not_contained: Sequence[str]

    @property
    def needed_bytes(self) -> int | None:
        """The sum of the parts; None where one of them is not known."""
        known = [part.bytes for part in self.parts if part.bytes is not None]
        return sum(known) if len(known) == len(self.parts) else None

    @property
    def evidence(self) -> str:
        """The weakest that entered."""
        if self.needed_bytes is None:
            return UNKNOWN
        return EVIDENCE[max(EVIDENCE.index(part.evidence) for part in self.parts)]

    @property
    def fits(self) -> bool | None:
        """Whether it fits the usual memory; None where that is not known."""
        if self.needed_bytes is None or self.available_bytes is None:
            return None
        return self.needed_bytes <= self.available_bytes

    @property
    def fitting_place(self) -> ArenaPlace | None:
        """The first way to lay the arena that works, if there is one."""
        return next((place for place in self.places if place.fits), None)


def image_ram(flash: FlashReport, plan: ArenaPlan) -> RamReport:
    """The RAM of an image: `flash` is what is linked, `plan` its arena with the same library."""
    target = flash.target
    parts = [
        RamPart(ARENA, plan.arena.recommended_bytes, "derived", "as TFLM allocates it"),
        *_runtime(flash, plan),
        _stack(target),
        *_copied(flash),
    ]
    board = target.board
    beside = [part.bytes for part in parts if part.name != ARENA and part.bytes is not None]
    return RamReport(
        target,
        flash.library,
        plan,
        parts,
        None if board is None else board.placed.arena,
        None if board is None else _available(board),
        () if board is None else arena_places(board, plan, sum(beside)),
        NOT_CONTAINED,
    )


def _stack(target: Target) -> RamPart:
    if target.core.abi == MEASURED_ABI:
        return RamPart("stack", STACK_BYTES, "derived", STACK_REF)
    return RamPart("stack", OTHER_STACK_BYTES, "assumed", OTHER_STACK_REF)


def _available(board: Board) -> int:
    memory = board.memories[board.placed.arena]
    return max(0, int(memory.bytes.value - board.reserved_ram_bytes.value))


def _runtime(flash: FlashReport, plan: ArenaPlan) -> list[RamPart]:
    """What lies outside the arena for the interpreter to work."""
    operators = needed_operators(plan.graph.model)
    abi = plan.profile.abi
    resolver = _RESOLVER_BYTES + _RESOLVER_BYTES_OF_OPERATOR * len(operators)
    return [
        RamPart("interpreter", abi.layout("MicroInterpreter").bytes, "measured", abi.source),
        RamPart("operator resolver", resolver, "measured", "for as many operators as are needed"),
        _static(flash, operators),
    ]


def _static(flash: FlashReport, operators: list[str]) -> RamPart:
    name = "static data of runtime, kernels and C library"
    found = find_code(flash.target.core, flash.library, flash.options.is_stripped)
    if found is None:
        return RamPart(name, _MOST_STATIC_BYTES, "assumed", "more than any image that was linked")
    table = found.table
    libc = flash.options.libc or table.libcs[0]
    linked = table.linked([*operators, LOGGING] if flash.options.is_logging else operators)
    return RamPart(name, sum(part.ram_bytes[libc] for part in linked), found.evidence, table.ref)


def _copied(flash: FlashReport) -> list[RamPart]:
    """Code and weights where they run from, and are read from, the memory that the arena is in."""
    board = flash.target.board
    if board is None:
        return []
    usual = board.placed.arena
    parts: list[RamPart] = []
    if board.placed.code == usual:
        parts.append(RamPart("code, copied", flash.code_bytes, flash.evidence, "as linked"))
    if board.placed.weights == usual:
        parts.append(RamPart("model, copied", flash.model_bytes, "measured", "the file"))
    return parts
