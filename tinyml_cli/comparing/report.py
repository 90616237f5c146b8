"""What a comparison found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from tinyml_cli.model_file import ModelFile
from tinyml_cli.running.report import ClassScore, ErrorScore
from tinyml_runtime.comparison.layers import LayerComparison
from tinyml_runtime.comparison.metrics import Difference
from tinyml_runtime.comparison.outputs import OutputComparison

if TYPE_CHECKING:
    from tinyml_runtime.comparison.findings import Finding

IDENTICAL: Literal["identical"] = "identical"
WITHIN: Literal["within-tolerance"] = "within-tolerance"
DIFFERS: Literal["differs"] = "differs"
Verdict = Literal["identical", "within-tolerance", "differs"]


class Tolerance(NamedTuple):
    """How far an element may differ: in steps, or relatively where it is a float."""

    steps: int
    relative: float


class Disagreement(NamedTuple):
    """A sample for which the sides prefer different classes."""

    sample: int
    ours: int
    theirs: int
    expected: int | None


class Scores(NamedTuple):
    """Both sides against the expected values of an output."""

    ours: ClassScore | ErrorScore
    theirs: ClassScore | ErrorScore
    disagreements: Sequence[Disagreement]


class CompareReport(NamedTuple):
    """A model on two sides, over a number of samples.

    `layers` and `health` are None unless they were asked for.
    """

    model: ModelFile
    kernels: str
    against: str
    samples: int
    source: str
    tolerance: Tolerance
    outputs: Sequence[OutputComparison]
    layers: Sequence[LayerComparison] | None
    scores: Scores | None
    notes: Sequence[str]
    health: Sequence[Finding] | None = None
    written: Sequence[str] = ()

    @property
    def verdict(self) -> Verdict:
        """What the outputs say together."""
        differences = [output.difference for output in self.outputs]
        if all(difference.is_identical for difference in differences):
            return IDENTICAL
        return WITHIN if all(map(self.is_within, differences)) else DIFFERS

    @property
    def injecting(self) -> Sequence[LayerComparison]:
        """The layers that differ on the other side's inputs, in the order of execution."""
        return [layer for layer in self.layers or () if layer.injects(self.tolerance.relative)]

    @property
    def first_divergence(self) -> int | None:
        """The first operator that differs by itself."""
        return self.injecting[0].node.index if self.injecting else None

    def is_within(self, difference: Difference) -> bool:
        """Whether a difference is within the tolerance."""
        return difference.is_within(*self.tolerance)
