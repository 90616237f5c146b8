"""Files that commands write: complete or not at all, and never over what is the user's own."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO

from tinyml_cli.inputs.paths import reason
from tinyml_runtime.errors import InputError

MARK = "Made by tinyml plan"
_OURS = b"Made by tinyml "
# A mark stands in the first line of a text, and in the first chunks of an image.
_MARK_WITHIN_BYTES = 300
_PNG = b"\x89PNG"


def free_path(text: str, used: Sequence[Path]) -> Path:
    """The path `text`, where a file can be written that is none of `used`; else InputError."""
    path = Path(text)
    try:
        path.resolve()  # where the text cannot be a path, this says so
        has_folder, is_there, is_file = path.parent.is_dir(), path.exists(), path.is_file()
    except (OSError, ValueError) as error:
        raise InputError(f"{text}: {reason(error)}") from None
    if not has_folder:
        raise InputError(f"{text}: there is no folder '{path.parent}'; make it first")
    if is_there and not is_file:
        raise InputError(f"{text}: this is there already and is no file")
    if any(is_there and file.exists() and path.samefile(file) for file in used):
        raise InputError(f"{text}: this run reads that file; save to another one")
    return path


def own_path(text: str, suffixes: Sequence[str], used: Sequence[Path], *, force: bool) -> Path:
    """As `free_path`, for a file with one of these suffixes.

    A file that is there is replaced if it carries our mark, or by `force`.
    """
    path = free_path(text, used)
    if path.suffix.lower() not in suffixes:
        raise InputError(f"{text}: the file's name must end in {' or '.join(suffixes)}")
    if not force and path.exists() and not _is_ours(path):
        raise InputError(f"{text}: this file is not from tinyml; --force replaces it")
    return path


def new_path(text: str, suffix: str) -> Path:
    """As `free_path`, for a file with this suffix that is not there yet."""
    path = free_path(text, ())
    if path.suffix.lower() != suffix:
        raise InputError(f"{text}: the file's name must end in {suffix}")
    if path.exists():
        raise InputError(f"{text}: this file is there already, and is left as it is")
    return path


def write_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a temporary file beside `path`, which then takes its place."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        try:
            with temporary.open("xb") as file:
                write(file)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {reason(error)}") from None


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file at once."""
    write_file(path, lambda file: file.write(content))


def _is_ours(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            start = file.read(_MARK_WITHIN_BYTES)
    except OSError:
        return False
    first = start if start.startswith(_PNG) else start.partition(b"\n")[0]
    return _OURS in first
