"""What is found out about lines of a log."""

from __future__ import annotations

from dataclasses import dataclass

from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.shortages import ShortageMatch


@dataclass(frozen=True, slots=True)
class Case:
    """A call that can have printed a line: what it is for, and in arenas of which sizes."""

    purpose: str
    match: ShortageMatch


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line of a log, what it means, and what to do.

    `cases` are calls that fail with it, in the runtime of the report, or in `other_runtime`, where
    `other_plan` is the arena. None says that the line is not about the room for one call.
    """

    line: str
    meaning: str
    remedy: str = ""
    cases: tuple[Case, ...] | None = None
    other_runtime: str | None = None
    other_plan: ArenaPlan | None = None
