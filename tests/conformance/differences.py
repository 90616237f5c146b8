"""Where LiteRT's reference kernels part from TFLM's: the entries of runtime/upstream.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

LEDGER = Path(__file__).parents[2] / "runtime" / "upstream.toml"


@dataclass(frozen=True)
class Example:
    """One element of a case: what TFLM gives and what LiteRT gives."""

    step: int
    output: int
    element: int
    tflm: object
    litert: object


@dataclass(frozen=True)
class Difference:
    """An entry: LiteRT refuses with these `words`, or differs by up to `largest`.

    Or it corrupts its memory, and so is better not run.
    """

    operators: tuple[str, ...]
    types: str
    reason: str
    case: str
    words: str = ""
    largest: float = 0.0
    example: Example | None = None
    corrupts: bool = False

    def is_about(self, operator: str, types: str) -> bool:
        """Whether the entry covers this operator on tensors of these types."""
        return fnmatchcase(types, self.types) and any(
            fnmatchcase(operator, pattern) for pattern in self.operators
        )


def load(ledger: Path = LEDGER) -> list[Difference]:
    """Every declared difference."""
    return list(_entries(tomllib.loads(ledger.read_text(encoding="utf-8"))))


def _entries(data: dict[str, Any]) -> Iterator[Difference]:
    for entry in data["oracle_difference"]:
        fields = dict(entry)
        example = fields.pop("example", None)
        fields["operators"] = tuple(fields["operators"])
        yield Difference(**fields, example=Example(**example) if example else None)


def is_better_not_run(differences: Sequence[Difference], operator: str, types: str) -> bool:
    """Whether LiteRT corrupts its memory on this operator and types."""
    return any(entry.corrupts and entry.is_about(operator, types) for entry in differences)


def of_refusal(
    differences: Sequence[Difference], operator: str, types: str, words: str
) -> Difference | None:
    """The entry that declares a refusal in these words."""
    for entry in differences:
        if entry.is_about(operator, types) and entry.words and entry.words in words:
            return entry
    return None


def of_gap(
    differences: Sequence[Difference], operator: str, types: str, size: float
) -> Difference | None:
    """The entry that declares a difference of this size."""
    for entry in differences:
        if entry.is_about(operator, types) and entry.example and size <= entry.largest:
            return entry
    return None
