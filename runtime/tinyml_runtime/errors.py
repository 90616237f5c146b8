"""Errors that a user can meet, each with the exit code that the command line gives for it."""

from __future__ import annotations

from dataclasses import dataclass


class TinymlError(Exception):
    """Something that the user can mend: wrong usage, a bad input, a defective model."""

    exit_code = 2


class InputError(TinymlError):
    """Values, files or options that do not fit the model or the command."""


class ModelError(TinymlError):
    """A file that is not a readable model: which file, which place in it, what is wrong."""

    exit_code = 3

    def __init__(self, source: str, place: str, reason: str) -> None:
        """Name the file (`source`), the place in it (may be empty) and the reason."""
        super().__init__(": ".join(part for part in (source, place, reason) if part))
        self.source = source
        self.place = place
        self.reason = reason


class NodeError(TinymlError):
    """A node that cannot be prepared. Kernels raise it; the interpreter collects all of them."""

    exit_code = 4

    def __init__(self, reason: str, remedy: str = "") -> None:
        """Say what is wrong with the node at hand, and what the user can do about it."""
        super().__init__(f"{reason} ({remedy})" if remedy else reason)
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class NodeProblem:
    """Why one node of a model cannot run, and the way out."""

    subgraph: int
    index: int
    operator: str
    reason: str
    remedy: str

    def __str__(self) -> str:
        """One line: place, operator, reason, remedy."""
        return _one_line([self])


class UnsupportedModelError(TinymlError):
    """A readable model with nodes that cannot run; carries every one of them.

    `lines` has a line for each kind of problem, with all nodes that have it.
    """

    exit_code = 4

    def __init__(self, source: str, problems: tuple[NodeProblem, ...]) -> None:
        """List all `problems` of the model read from `source`."""
        count = f"{len(problems)} node{'s' if len(problems) != 1 else ''} cannot run"
        self.lines = tuple(_lines(problems))
        super().__init__("\n  ".join([f"{source}: {count}", *self.lines]))
        self.source = source
        self.problems = problems


def _lines(problems: tuple[NodeProblem, ...]) -> list[str]:
    """A line for each kind of problem, with all nodes that have it."""
    alike: dict[tuple[int, str, str, str], list[NodeProblem]] = {}
    for problem in problems:
        kind = (problem.subgraph, problem.operator, problem.reason, problem.remedy)
        alike.setdefault(kind, []).append(problem)
    return [_one_line(group) for group in alike.values()]


def _one_line(alike: list[NodeProblem]) -> str:
    first = alike[0]
    nodes = ", ".join(str(problem.index) for problem in alike)
    place = f"subgraph {first.subgraph}, node{'s' if len(alike) > 1 else ''} {nodes}"
    line = f"{place} ({first.operator}): {first.reason}"
    return f"{line} ({first.remedy})" if first.remedy else line


class PlanError(TinymlError):
    """Buffers that no planner can place, or not this one."""


class LibraryError(TinymlError):
    """A kernel library that is not installed, or that does not load."""


class RunError(TinymlError):
    """A run that stopped on its values: an index out of range, a loop without end."""

    exit_code = 4


class AbiError(TinymlError):
    """A build of TFLM, or a structure of it, whose sizes are not known."""

    exit_code = 4


class ArenaUnknownError(TinymlError):
    """A kernel that does not say what it asks of the arena: its size cannot be known."""

    exit_code = 4


class TargetError(TinymlError):
    """A target that is not known, or lacks what was asked of it."""

    exit_code = 4


class TargetFileError(TargetError):
    """The file of a target that cannot be read, or says something wrong."""

    exit_code = 2
