"""Paths that a user typed: there or not, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tinyml_runtime import InputError


def existing(text: str) -> Path:
    """The path `text`, which must exist; InputError names files of similar names."""
    path = Path(text)
    try:
        found = path.exists()
    except (OSError, ValueError) as error:
        raise InputError(f"{text}: {reason(error)}") from None
    if not found:
        raise InputError(f"{text}: no such file{_suggestion(path)}")
    return path


def existing_file(text: str) -> Path:
    """As `existing`, and no folder."""
    path = existing(text)
    if path.is_dir():
        raise InputError(f"{text}: this is a folder, not a file")
    return path


def read_bytes(path: Path) -> bytes:
    """The whole file; InputError where the system refuses."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}") from None


def read_text(path: Path) -> str:
    """The whole file as UTF-8 text, with or without a byte order mark."""
    data = read_bytes(path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: no UTF-8 text (byte {error.start})") from None


def reason(error: BaseException) -> str:
    """What an exception says, in one line, without the path that stands before it anyway."""
    if isinstance(error, EOFError) and not str(error):
        return "the file ends too early"
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def _suggestion(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f" (there is no folder '{path.parent}')"
    near = _near(path, names)
    return (
        f" (did you mean {' or '.join(str(path.parent / name) for name in near)}?)" if near else ""
    )


def _near(path: Path, names: Iterable[str]) -> list[str]:
    """Up to three names like that of `path`: suffixes, which all have, make none of them alike."""
    from difflib import get_close_matches

    stems: dict[str, list[str]] = {}
    for name in sorted(names):
        stems.setdefault(Path(name).stem.lower(), []).append(name)
    near = get_close_matches(path.stem.lower(), list(stems), n=3, cutoff=0.7)
    found = [name for stem in near for name in stems[stem]]
    alike = [name for name in found if Path(name).suffix == path.suffix]
    return (alike or found)[:3]
