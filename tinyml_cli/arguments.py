"""What commands share: their arguments, their exit codes, and how text becomes a number."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from tinyml_runtime.errors import InputError

ModelPath = Annotated[
    str, typer.Argument(metavar="MODEL", help="A .tflite file; - reads it from standard input.")
]
ModelPaths = Annotated[
    list[str],
    typer.Argument(metavar="MODEL...", help=".tflite files; - reads one from standard input."),
]
JsonFlag = Annotated[
    bool,
    typer.Option("--json", metavar="", help="Print one JSON object, and nothing else on stdout."),
]
KernelsName = Annotated[
    str,
    typer.Option(
        "--kernels",
        metavar="NAME",
        help="The kernel library to run with, LIBRARY or LIBRARY:SWITCH.",
    ),
]


class ExitCode(IntEnum):
    """What a command says by its exit code; part of the interface."""

    OK = 0
    VERDICT_NO = 1
    USAGE = 2
    UNREADABLE_MODEL = 3
    UNSUPPORTED_MODEL = 4
    INTERRUPTED = 130


def whole_number(text: str, option: str, minimum: int) -> int:
    """The number that an option was given as `text`; InputError if it is none, or too small."""
    try:
        number = int(text)
    except ValueError:
        number = minimum - 1
    if number < minimum:
        raise InputError(f"{option} takes a whole number from {minimum} on, not '{text}'")
    return number


def positive_number(text: str, option: str, unit: str) -> float:
    """The number that an option was given as `text`; InputError if it is none, or not above 0."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.0 < number < float("inf"):
        raise InputError(f"{option} takes a number of {unit} above 0, not '{text}'")
    return number


def seconds(text: str, option: str) -> float:
    """The time that an option was given as `text`; InputError if it is none, or not above 0."""
    return positive_number(text, option, "seconds")


def duration(text: str, option: str) -> float:
    """Seconds of a time such as `2s` or `500ms`; InputError if it is none, or not above 0."""
    factor, number = (1e-3, text[:-2]) if text.endswith("ms") else (1.0, text.removesuffix("s"))
    return factor * positive_number(number, option, "seconds (2s) or milliseconds (500ms)")


_BYTES = {
    **dict.fromkeys(("", "b"), 1),
    **dict.fromkeys(("k", "kb", "kib"), 2**10),
    **dict.fromkeys(("m", "mb", "mib"), 2**20),
}


def byte_size(text: str, option: str) -> int:
    """Bytes of a size such as `65536`, `64k`, `256KiB` or `1M`; InputError if it is none.

    As in data sheets of memories, k is 1,024 and M 1,048,576, with or without a B behind it.
    """
    digits = text.strip().rstrip("BbIiKkMm ")
    unit = text.strip()[len(digits) :].strip().lower()
    try:
        size = float(digits) * _BYTES[unit]
    except (KeyError, ValueError):
        size = 0.0
    if not 1.0 <= size < 2.0**63:
        raise InputError(f"{option} takes bytes (65536) or a size (64k, 256KiB, 1M), not '{text}'")
    return int(size)


def one_of(text: str, option: str, choices: tuple[str, ...]) -> str:
    """`text`, which has to be one of the choices of an option; else InputError."""
    if text not in choices:
        raise InputError(f"{option} takes {', '.join(choices)}, not '{text}'")
    return text


class PlainCommand(TyperCommand):
    """A command whose parameters are all text or flags, and are taken as they are.

    Typer since 0.28 checks even plain text with pydantic, which takes as long to load as NumPy.
    """

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, spared the conversion."""
        return [_plain(parameter) for parameter in super().get_params(ctx)]


class PlainGroup(TyperGroup):
    """As `PlainCommand`, for the options before the command."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The parameters, spared the conversion."""
        return [_plain(parameter) for parameter in super().get_params(ctx)]


class _PlainOption(TyperOption):
    def process_value(self, ctx: Any, value: Any) -> Any:
        if value is None and not self.required:
            value = () if self.multiple else None
        elif not _is_plain(value):
            return super().process_value(ctx, value)
        return value if self.callback is None else self.callback(ctx, self, value)


class _PlainArgument(TyperArgument):
    def process_value(self, ctx: Any, value: Any) -> Any:
        return value if _is_plain(value) else super().process_value(ctx, value)


def _plain(parameter: Any) -> Any:
    """The same parameter, which from now on takes text as it is."""
    if type(parameter) is TyperOption:
        parameter.__class__ = _PlainOption
    elif type(parameter) is TyperArgument:
        parameter.__class__ = _PlainArgument
    return parameter


def _is_plain(value: object) -> bool:
    return isinstance(value, str | bool | tuple | list)
