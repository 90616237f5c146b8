"""The flash of an image: the model, the interpreter, exactly the kernels that the model needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tinyml_profiles.code_table import LOGGING, CodePart, CodeTable, FoundCode, find_code
from tinyml_profiles.load import load_target
from tinyml_profiles.target import Target
from tinyml_runtime.errors import InputError
from tinyml_runtime.model.check import called_subgraphs
from tinyml_runtime.model.schema import Model
from tinyml_runtime.types import TensorType

UNKNOWN = "unknown"
# What an image that runs the model and nothing else does not have.
NOT_CONTAINED = (
    "the application's own code",
    "drivers, radio and operating system",
    "the boot loader",
)
_ALIGNMENT = 4
# By how much code differs between a core and the one that stands for it.
OTHER_CORE_ERRORS = {"derived": 0.05, "assumed": 0.2}


@dataclass(frozen=True, slots=True)
class FlashOptions:
    """How an image is built.

    `libc` is "newlib-nano" or "newlib"; None is the smallest that was linked for the core.
    `is_logging` links vfprintf, which TFLM prints its errors with; without it DebugLog is empty.
    `is_stripped` leaves the texts of errors out (TF_LITE_STRIP_ERROR_STRINGS). `is_int8_only`
    registers kernels for int8 alone (Register_CONV_2D_INT8() and the like) where the model has
    nothing else for an operator.
    """

    libc: str | None = None
    is_logging: bool = False
    is_stripped: bool = False
    is_int8_only: bool = False


DEFAULT_OPTIONS = FlashOptions()


@dataclass(frozen=True, slots=True)
class OperatorCode:
    """Code and constants for an operator, in bytes; None where nobody has linked it.

    `own_bytes` go if the model no longer needs it. `shared_bytes` other operators of the model
    need too; they are part of every one that shares them.
    """

    operator: str
    own_bytes: int | None
    shared_bytes: int | None

    @property
    def bytes(self) -> int | None:
        """All that the operator needs beside the interpreter."""
        if self.own_bytes is None or self.shared_bytes is None:
            return None
        return self.own_bytes + self.shared_bytes


@dataclass(frozen=True, slots=True)
class FlashReport:
    """The flash of a model on a target, in bytes; None is unknown.

    The parts add up: `model_bytes` (the file), `core_bytes` (interpreter and start-up),
    `kernel_bytes` (TFLM's kernels), `library_bytes` (CMSIS-NN, ESP-NN), `libc_bytes` (libraries of
    C, mathematics and the compiler) and `logging_bytes`. `kernels` cuts the same code by operator,
    most first. `error` is the relative error to expect of all that is not the model.
    `linked_core` is the core that the code was linked for.
    """

    target: Target
    library: str
    options: FlashOptions
    model_bytes: int
    core_bytes: int | None
    kernel_bytes: int | None
    library_bytes: int | None
    libc_bytes: int | None
    logging_bytes: int | None
    kernels: Sequence[OperatorCode]
    evidence: str
    error: float | None
    linked_core: str | None
    not_contained: Sequence[str]
    notes: Sequence[str]

    @property
    def code_bytes(self) -> int | None:
        """All but the model."""
        parts = (
            self.core_bytes,
            self.kernel_bytes,
            self.library_bytes,
            self.libc_bytes,
            self.logging_bytes,
        )
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    @property
    def needed_bytes(self) -> int | None:
        """The whole image."""
        return None if self.code_bytes is None else self.code_bytes + self.model_bytes

    @property
    def available_bytes(self) -> int | None:
        """What the board has for an image; None for a core alone."""
        board = self.target.board
        if board is None:
            return None
        return max(0, int(board.flash.bytes.value - board.reserved_flash_bytes.value))

    @property
    def low_bytes(self) -> int | None:
        """The smallest image that the error allows."""
        return self._with_error(-1)

    @property
    def high_bytes(self) -> int | None:
        """The largest image that the error allows."""
        return self._with_error(1)

    def _with_error(self, sign: int) -> int | None:
        if self.code_bytes is None or self.error is None:
            return None
        return self.model_bytes + round(self.code_bytes * (1 + sign * self.error))


def needed_operators(model: Model) -> list[str]:
    """The operators of the main subgraph and of all that it calls, each once, as they come."""
    order, found = [0], dict[str, None]()
    for number in order:
        for operator in model.subgraphs[number].operators:
            found[model.code(operator).name] = None
            order += [called for called in called_subgraphs(operator) if called not in order]
    return list(found)


def int8_operators(model: Model) -> frozenset[str]:
    """The operators whose nodes have int8 for their first two inputs, where they have them."""
    found, others = set[str](), set[str]()
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            types = {subgraph.tensors[index].type for index in operator.inputs[:2] if index >= 0}
            kept = found if types == {TensorType.INT8} else others
            kept.add(model.code(operator).name)
    return frozenset(found - others)


def image_flash(
    model: Model,
    target: Target | str,
    library: str = "reference",
    *,
    model_bytes: int,
    options: FlashOptions = DEFAULT_OPTIONS,
) -> FlashReport:
    """The flash that an image with `model` takes, without an application.

    `model_bytes` is the size of the file. Operators that nobody has linked, and cores and libraries
    of which nothing was, make it unknown.

    Raises:
        TargetError: there is no such target.
        InputError: a C library that was not linked for this core.
    """
    target = load_target(target) if isinstance(target, str) else target
    operators = needed_operators(model)
    found = find_code(target.core, library, options.is_stripped)
    if found is None:
        return _unknown(target, library, options, model_bytes, operators)
    table = found.table
    libc = _libc(table, options)
    if options.is_int8_only:
        short = int8_operators(model)
        operators = [_short(name, table) if name in short else name for name in operators]
    kinds = _by_kind(table, operators, libc)
    logging = _logging(table, operators, libc, options)
    missing = [name for name in operators if name not in table.operators]
    notes = list(_notes(target, table, missing))
    return FlashReport(
        target,
        library,
        options,
        -(-model_bytes // _ALIGNMENT) * _ALIGNMENT,
        core_bytes=kinds["core"],
        kernel_bytes=None if missing else kinds["kernel"],
        library_bytes=kinds["library"],
        libc_bytes=kinds["libc"],
        logging_bytes=logging,
        kernels=_operators(table, operators, libc),
        evidence=UNKNOWN if missing or logging is None else found.evidence,
        error=_error(found, target),
        linked_core=table.core,
        not_contained=NOT_CONTAINED,
        notes=notes,
    )


def _unknown(
    target: Target, library: str, options: FlashOptions, model_bytes: int, operators: list[str]
) -> FlashReport:
    what = f"{library} without texts of errors" if options.is_stripped else library
    return FlashReport(
        target,
        library,
        options,
        model_bytes,
        *(None,) * 5,
        kernels=[OperatorCode(name, None, None) for name in operators],
        evidence=UNKNOWN,
        error=None,
        linked_core=None,
        not_contained=NOT_CONTAINED,
        notes=[f"nobody has linked {what} for {target.core.name} or a core like it"],
    )


def _short(operator: str, table: CodeTable) -> str:
    """The registration of an operator for int8 alone, where there is one."""
    name = f"{operator}/INT8"
    return name if name in table.operators else operator


def _libc(table: CodeTable, options: FlashOptions) -> str:
    libc = options.libc or table.libcs[0]
    if libc not in table.libcs:
        raise InputError(
            f"{table.library} for {table.core} was not linked with the C library '{libc}' "
            f"(there are: {', '.join(table.libcs)})"
        )
    return libc


def _sum(parts: Sequence[CodePart], libc: str) -> int:
    return sum(part.flash_bytes[libc] for part in parts)


def _logging(
    table: CodeTable, operators: Collection[str], libc: str, options: FlashOptions
) -> int | None:
    """What printing adds to the image; None where nobody has linked it."""
    if not options.is_logging:
        return 0
    if not table.has_logging:
        return None
    logged = table.linked([*operators, LOGGING])
    return _sum(logged, libc) - _sum(table.linked(operators), libc)


def _by_kind(table: CodeTable, operators: Collection[str], libc: str) -> dict[str, int]:
    sums = {"core": 0, "kernel": 0, "library": 0, "libc": 0}
    for part in table.linked(operators):
        sums[part.kind] += part.flash_bytes[libc]
    return sums


def _operators(table: CodeTable, operators: Sequence[str], libc: str) -> list[OperatorCode]:
    """The code of each operator, most first, and then those of which nothing is known."""
    wanted = frozenset(operators)
    own, shared = dict.fromkeys(operators, 0), dict.fromkeys(operators, 0)
    for part in table.parts:
        users = part.operators & wanted
        if part.is_every or not users:
            continue
        sums = own if len(users) == 1 else shared
        for user in users:
            sums[user] += part.flash_bytes[libc]
    codes = [
        OperatorCode(name, own[name], shared[name])
        if name in table.operators
        else OperatorCode(name, None, None)
        for name in operators
    ]
    return sorted(codes, key=lambda code: -(code.bytes or 0))


def _error(found: FoundCode, target: Target) -> float:
    """The error of the table; where it stands for another core, what such cores differ by."""
    table = found.table
    if table.core == target.core.name:
        return table.error
    return max(table.error, OTHER_CORE_ERRORS[found.evidence])


def _notes(target: Target, table: CodeTable, missing: Sequence[str]) -> list[str]:
    notes: list[str] = []
    if table.core != target.core.name:
        notes.append(f"code as linked for {table.core}, which stands for {target.core.name}")
    if missing:
        notes.append(f"nobody has linked {', '.join(missing)}")
    return notes
