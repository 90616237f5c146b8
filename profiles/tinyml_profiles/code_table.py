"""The code that an image is linked from: parts, and the operators that need each of them.

An image is the union of what its operators need: a part that several of them share counts once.
`data/code/<library>-<core>.csv` has a part a line, as measured; `profiles/fit/fit_flash.py` holds
them against whole images, and writes start-up code and error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tinyml_profiles.load import load_target
from tinyml_profiles.target import Core

# The parts that every image has, and those of an image that prints what TFLM logs.
EVERY, LOGGING = "*", "logging"
KINDS = ("core", "kernel", "library", "libc")
_OTHERS = "!"
_FIRST_COLUMNS, _LAST_COLUMNS = 2, 1
_RAM = " ram"


@dataclass(frozen=True, slots=True)
class CodePart:
    """Bytes that are linked if one of `operators` is, for each C library.

    `kind` is one of `KINDS`: the interpreter, a kernel of TFLM, a kernel library, or the libraries
    of C and of the compiler. `is_every` says that all images have it. `ram_bytes` are those that
    its variables take, initialized or not; the initial values count as flash too.
    """

    kind: str
    name: str
    flash_bytes: Mapping[str, int]
    ram_bytes: Mapping[str, int]
    operators: frozenset[str]
    is_every: bool


@dataclass(frozen=True, slots=True)
class CodeTable:
    """The parts of a kernel library's images on a core.

    `error` is the largest relative error of the code against images that no figure was taken from.
    """

    library: str
    core: str
    evidence: str
    ref: str
    error: float
    libcs: tuple[str, ...]
    has_logging: bool
    operators: frozenset[str]
    parts: tuple[CodePart, ...]

    def linked(self, operators: Collection[str]) -> list[CodePart]:
        """The parts of an image with these operators."""
        wanted = frozenset(operators)
        return [part for part in self.parts if part.is_every or part.operators & wanted]


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A table, and how much it says about the core that it was asked for."""

    table: CodeTable
    evidence: str


def find_code(core: Core, library: str, is_stripped: bool = False) -> FoundCode | None:
    """The code of `library` for `core`, or for one that comes near; None where there is none.

    `is_stripped` asks for a build without the texts of errors (TF_LITE_STRIP_ERROR_STRINGS). The
    code of another core is "derived" from the nearest one with the same extensions, "assumed" from
    others.
    """
    if (table := load_code(library, core.name, is_stripped)) is not None:
        return FoundCode(table, table.evidence)
    for place, name in enumerate(core.loops_cores):
        if (table := load_code(library, name, is_stripped)) is not None:
            is_alike = place == 0 and load_target(name).core.extensions == core.extensions
            return FoundCode(table, "derived" if is_alike else "assumed")
    return None


@cache
def load_code(library: str, core: str, is_stripped: bool = False) -> CodeTable | None:
    """The table of a library that was linked for this very core; None without one."""
    ending = "-stripped" if is_stripped else ""
    file = files("tinyml_profiles") / "data" / "code" / f"{library}-{core}{ending}.csv"
    return read_code(library, core, file.read_text("utf-8")) if file.is_file() else None


def code_builds() -> list[tuple[str, str, bool]]:
    """Library, core and whether it is stripped, of every table."""
    names = [
        file.name.removesuffix(".csv")
        for file in (files("tinyml_profiles") / "data" / "code").iterdir()
        if file.name.endswith(".csv")
    ]
    return [build for name in sorted(names) if (build := _build(name)) is not None]


def _build(name: str) -> tuple[str, str, bool] | None:
    plain = name.removesuffix("-stripped")
    for library in ("reference", "cmsis-nn", "esp-nn", "muriscv-nn"):
        if plain.startswith(f"{library}-"):
            return library, plain.removeprefix(f"{library}-"), plain != name
    return None


def read_code(library: str, core: str, text: str) -> CodeTable:
    """The table in a file of ours: lines of `# key: value`, a head line, and the parts."""
    lines = text.splitlines()
    facts = dict(line[2:].split(": ", 1) for line in lines if line.startswith("# "))
    head, *rows = (line.split(",") for line in lines if line and not line.startswith("#"))
    columns = head[_FIRST_COLUMNS:-_LAST_COLUMNS]
    libcs = tuple(name for name in columns if not name.endswith(_RAM))
    operators = frozenset(facts["operators"].split())
    return CodeTable(
        library,
        core,
        facts["from"],
        facts["ref"],
        float(facts["error"]),
        libcs,
        facts["logging"] == "yes",
        operators,
        tuple(_part(row, columns, libcs, operators) for row in rows),
    )


def _part(
    row: list[str], columns: list[str], libcs: tuple[str, ...], operators: frozenset[str]
) -> CodePart:
    kind, name, *figures, needed_by = row
    sizes = dict(zip(columns, map(int, figures), strict=True))
    return CodePart(
        kind,
        name,
        {libc: sizes[libc] for libc in libcs},
        {libc: sizes[libc + _RAM] for libc in libcs},
        _named(needed_by, operators),
        needed_by == EVERY,
    )


def _named(text: str, operators: frozenset[str]) -> frozenset[str]:
    """The operators that a line names, or all but those where it begins with "!"."""
    named = frozenset(text.removeprefix(_OTHERS).split())
    return (operators | {LOGGING}) - named if text.startswith(_OTHERS) else named
