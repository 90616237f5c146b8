"""Where text goes: reports to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING

from tinyml_cli.inputs.paths import reason
from tinyml_cli.render.units import printable
from tinyml_runtime.errors import InputError

if TYPE_CHECKING:
    from rich.console import RenderableType

_PIPED_COLUMNS = 80


def show_text(text: str) -> None:
    """Print a report that is text already."""
    _write(text + "\n")


def show(parts: Sequence[RenderableType]) -> None:
    """Print a report; colours and the terminal's width where there is a terminal."""
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    # Rich prints into memory, so that a reader who goes away is met in one place only.
    page = TextIOWrapper(BytesIO(), encoding=_encoding(), errors="replace", newline="\n")
    console = Console(
        file=page,
        force_terminal=is_terminal or None,
        width=None if is_terminal else _PIPED_COLUMNS,
        highlight=False,
        markup=False,
        emoji=False,
    )
    for part in parts:
        console.print(part)
    page.seek(0)
    _write("".join(line.rstrip() + "\n" for line in page.read().splitlines()))


def show_notes(notes: Sequence[str]) -> None:
    """Print what the user should know besides the report."""
    for note in notes:
        print(f"note: {printable(note)}", file=sys.stderr)


def _write(text: str) -> None:
    stdout, encoding = sys.stdout, _encoding()
    try:
        stdout.write(text.encode(encoding, "replace").decode(encoding))
        stdout.flush()
    except OSError as error:
        # What is left in the buffer must not be tried again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise InputError(f"standard output: {reason(error)}") from None


def _encoding() -> str:
    return sys.stdout.encoding or "utf-8"
