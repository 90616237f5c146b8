"""Where text goes: reports to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

from tinyml_cli.inputs.paths import reason
from tinyml_runtime.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType


def show_text(text: str) -> None:
    """Print a report that is text already."""
    _write(text + "\n")


def show(parts: Sequence[RenderableType]) -> None:
    """Print a report; colours and the terminal's width where there is a terminal."""
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    lines = capture.get().splitlines()
    _write("".join(line.rstrip() + "\n" for line in lines))


def show_notes(notes: Sequence[str]) -> None:
    """Print what the user should know besides the report."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def _write(text: str) -> None:
    stdout = sys.stdout
    try:
        stdout.write(_encodable(text, stdout))
        stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough. What is left must not be tried again at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        raise InputError(f"standard output: cannot be written: {reason(error)}") from None


def _encodable(text: str, stream: TextIO) -> str:
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)
