"""C++ text: names and comments that hold whatever a file is called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tinyml_cli.destination import MARK
from tinyml_cli.planning.report import PlanReport
from tinyml_cli.render.units import bytes_text
from tinyml_runtime import write_model

_KEYWORDS = (
    "alignas alignof and asm auto bool break case catch char class compl concept const constexpr "
    "const_cast continue decltype default delete do double else enum explicit export extern false "
    "float for friend goto if inline int long mutable namespace new noexcept not nullptr operator "
    "or private protected public register requires return short signed sizeof static static_assert "
    "static_cast std struct switch template this thread_local throw true try typedef typeid "
    "typename union unsigned using virtual void volatile wchar_t while xor"
)
_TAKEN = frozenset((*_KEYWORDS.split(), "main", "tflite"))


def first_lines(option: str) -> list[str]:
    """What every header begins with."""
    return [f"// {MARK} {option}, which overwrites it: edit nothing here.", "#pragma once", ""]


def namespace_of(path: Path) -> str:
    """A namespace that is called as the file is: `arena` for arena.h."""
    name = re.sub(r"_*[^A-Za-z0-9]+_*|__+", "_", path.stem).strip("_") or "model"
    return f"{name}_" if name in _TAKEN else f"n{name}" if name[0].isdigit() else name


def comment(text: str) -> str:
    """A comment of one line, in ASCII; what would end or continue it becomes harmless."""
    plain = "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
    return f"// {plain.replace(chr(92), '/').replace('??', '? ?')}".rstrip()


def model_lines(report: PlanReport) -> list[str]:
    """Which file a number is for. The folder is left out, so that it is the same everywhere.

    A model that is written with its plan is that file, not the one that was read.
    """
    content, how = report.model.content, ""
    if report.new_model is not None:
        content, how = write_model(report.new_model), ", as --write saves it"
    return [
        comment(f"model    {Path(report.model.path).name}{how}, {bytes_text(len(content))}"),
        comment(f"SHA-256  {sha256(content).hexdigest()}"),
    ]


def runtime_line(report: PlanReport) -> str:
    """Which build of TFLM a number is for."""
    profile = report.profile
    core = f", {profile.core}" if profile.core else ""
    return comment(
        f"runtime  TFLM {profile.abi.tflm}, {report.library} kernels, ABI {profile.abi.name}{core}"
    )


def joined(lines: Sequence[str]) -> str:
    """The text of a header."""
    return "\n".join(lines) + "\n"
