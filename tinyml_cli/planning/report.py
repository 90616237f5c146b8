"""What a plan found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyml_cli.model_file import ModelFile
from tinyml_cli.planning.explanations import Explanation
from tinyml_profiles.savings import Saving
from tinyml_runtime.errors import NodeProblem
from tinyml_runtime.memory.arena import Shortage
from tinyml_runtime.memory.runtime_profile import RuntimeProfile
from tinyml_runtime.model.schema import Model
from tinyml_runtime.planning.arena_plan import ArenaPlan
from tinyml_runtime.planning.peak import Peak
from tinyml_runtime.planning.several_arenas import SharedArena, SplitArena


@dataclass(frozen=True, slots=True)
class SizeCheck:
    """Whether an arena of `bytes` is enough; `shortage` and TFLM's line for it if not."""

    bytes: int
    shortage: Shortage | None
    purpose: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class PlanReport:
    """One model: its arena, or the reasons why it does not load.

    `new_model` carries the plan, and is in the order, that the report is about, if it is wanted.
    """

    model: ModelFile
    profile: RuntimeProfile
    library: str
    planner: str
    plan: ArenaPlan | None
    problems: Sequence[NodeProblem] = ()
    peak: Peak | None = None
    savings: Sequence[Saving] = ()
    size_check: SizeCheck | None = None
    split: SplitArena | None = None
    notes: Sequence[str] = ()
    written: Sequence[str] = ()
    explanations: Sequence[Explanation] = ()
    new_model: Model | None = None

    @property
    def is_enough(self) -> bool:
        """Whether the arena that was asked about, if one was, is large enough."""
        return self.size_check is None or self.size_check.shortage is None


@dataclass(frozen=True, slots=True)
class PlanReports:
    """All models of one call; `shared` is one arena for all of them."""

    reports: Sequence[PlanReport]
    shared: SharedArena | None = None
    shared_check: SizeCheck | None = None

    @property
    def is_enough(self) -> bool:
        """Whether the arena that was asked about, if one was, is enough for all models."""
        if self.shared_check is not None:
            return self.shared_check.shortage is None
        return all(report.is_enough for report in self.reports)

    @property
    def separate_bytes(self) -> int:
        """What the models need in arenas of their own, one after another."""
        plans = [report.plan for report in self.reports]
        return sum(plan.arena.recommended_bytes for plan in plans if plan is not None)
