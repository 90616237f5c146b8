"""What a run found out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.model_file import ModelFile
from tinyml_runtime import Array


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of the model. `scale` and `zero_point` are None without quantization."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None
    zero_point: int | None


class InputReport(NamedTuple):
    """An input, where its values are from, and what was done to them."""

    port: Port
    source: str
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class RankedClass:
    """One class of a classifier and its score; `label` is empty without labels."""

    index: int
    label: str
    score: float


class OutputReport(NamedTuple):
    """An output with its values in the tensor's type, and the real values that they stand for.

    Of one sample they have the tensor's shape. Of N samples they have N in place of a first
    dimension of 1, else in front. `top` has the best classes of each sample of a classifier.
    """

    port: Port
    values: Array
    real: Array
    top: Sequence[Sequence[RankedClass]]


@dataclass(frozen=True, slots=True)
class TracedNode:
    """A node over the whole run: how often it ran, how long, and what its first output holds.

    `lowest` and `highest` are real values; None where there are none.
    """

    subgraph: int
    index: int
    operator: str
    shape: tuple[int, ...]
    dtype: str
    calls: int
    total_ms: float
    lowest: float | None
    highest: float | None


class Confusion(NamedTuple):
    """How many samples of the class `expected` were taken for the class `predicted`."""

    expected: int
    predicted: int
    samples: int


class ClassScore(NamedTuple):
    """A classifier against the expected classes. `confusion` leaves out what never happened."""

    output: int
    classes: int
    samples: int
    labels: Sequence[str]
    confusion: Sequence[Confusion]

    @property
    def correct(self) -> int:
        """Samples whose best class is the expected one."""
        return sum(cell.samples for cell in self.confusion if cell.expected == cell.predicted)

    @property
    def accuracy(self) -> float:
        """Share of samples whose best class is the expected one."""
        return self.correct / self.samples


class ErrorScore(NamedTuple):
    """Real output values against the expected ones."""

    output: int
    samples: int
    mean_absolute_error: float
    max_absolute_error: float


class ArenaRun(NamedTuple):
    """The arena inside which a model was run; `planned_bytes` is the part that tensors share."""

    planned_bytes: int
    abi: str
    core: str | None


class RunReport(NamedTuple):
    """A run of a model on one or more samples; `arena` is None where tensors share no memory."""

    model: ModelFile
    kernels: str
    samples: int
    inputs: Sequence[InputReport]
    outputs: Sequence[OutputReport]
    invoke_ms: float
    timed_invokes: int
    notes: Sequence[str]
    trace: Sequence[TracedNode] | None = None
    score: ClassScore | ErrorScore | None = None
    saved_to: Path | None = None
    arena: ArenaRun | None = None
