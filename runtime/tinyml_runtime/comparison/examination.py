"""Operators that differ on the same inputs, looked at sample by sample: why, and an example."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from tinyml_runtime.comparison.causes import Causes, CauseShare
from tinyml_runtime.tensor import Array

_EXAMINED_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class Example:
    """One sample of an operator on which the sides differ.

    `inputs` stand by the operator's input positions, None where absent or a constant of the model.
    """

    op_index: int
    inputs: Sequence[Array | None]
    ours: Sequence[Array]
    theirs: Sequence[Array]


FindCauses: TypeAlias = Callable[[Example], Causes]


@dataclass(frozen=True, slots=True)
class Findings:
    """What explains the mismatches of an operator: `examined` elements of the first samples.

    `example` is a sample with elements that nothing explains, if there is one.
    """

    causes: Sequence[CauseShare]
    unexplained: int
    examined: int
    example: Example | None


@dataclass(slots=True)
class Examination:
    """Looks at the first samples on which an operator differs."""

    find: FindCauses | None
    _samples: int = 0
    _elements: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    _unexplained: int = 0
    _examined: int = 0
    _example: Example | None = None

    @property
    def is_done(self) -> bool:
        """Whether enough samples have been examined."""
        return self._samples >= _EXAMINED_SAMPLES

    def add(self, example: Example, mismatched: int) -> None:
        """Examine one more; `mismatched` elements differ."""
        self._samples += 1
        if self.find is None:
            unexplained, examined = mismatched, mismatched
        else:
            causes = self.find(example)
            unexplained, examined = causes.unexplained, causes.mismatched
            for share in causes.shares:
                key = (share.name, share.words)
                self._elements[key] = self._elements.get(key, 0) + share.elements
        self._unexplained += unexplained
        self._examined += examined
        if unexplained and self._example is None:
            self._example = example

    def result(self) -> Findings:
        """Causes with the most elements first."""
        causes = [CauseShare(*key, count) for key, count in self._elements.items() if count]
        causes.sort(key=lambda share: -share.elements)
        return Findings(causes, self._unexplained, self._examined, self._example)
