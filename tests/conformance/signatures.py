"""Rows of the declared table taken apart: operands, and the types of tensors that they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

_OPERAND = re.compile(r"(?:(?P<role>\w+) )?(?P<types>[\w|]+)(?P<mark>\?|\.\.)?")
_SAME = "T"


@dataclass(frozen=True)
class Operand:
    """A tensor of an operator: its role ("" for the values themselves) and its possible types."""

    role: str
    types: tuple[str, ...]
    is_optional: bool = False
    is_repeated: bool = False


@dataclass(frozen=True)
class Signature:
    """A row: what goes in, what comes out, and the types of which `T` is one."""

    inputs: tuple[Operand, ...]
    outputs: tuple[Operand, ...]
    same: tuple[str, ...]


def parse(row: str) -> Signature:
    """A row of the declared table."""
    operands, _, same = row.partition("for ")
    before, _, after = operands.partition("->")
    return Signature(_operands(before), _operands(after), tuple(same.split()))


def patterns(row: str) -> list[str]:
    """Every combination of types that a row means, as `types -> types`; `..` after a repeated one.

    A row with an optional operand means combinations with it and without it.
    """
    signature = parse(row)
    return [
        f"{' '.join(before)} -> {' '.join(after)}".strip()
        for same in signature.same or ("",)
        for before in _choices(_with(signature.inputs, same))
        for after in _choices(_with(signature.outputs, same))
    ]


def means(pattern: str, types: str) -> bool:
    """Whether these types of a node's tensors are what the pattern stands for."""
    words = [
        rf"{word[:-2]}(?: {word[:-2]})*" if word.endswith("..") else re.escape(word)
        for word in pattern.split()
    ]
    return re.fullmatch(" ".join(words), types) is not None


def pairs(declared: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Every operator with every pattern that its rows mean, once."""
    return list(
        dict.fromkeys(
            (operator, pattern)
            for operator, rows in declared.items()
            for row in rows
            for pattern in patterns(row)
        )
    )


def _operands(text: str) -> tuple[Operand, ...]:
    parts = (part.strip() for part in text.split(",") if part.strip())
    return tuple(_operand(part) for part in parts)


def _operand(text: str) -> Operand:
    match = _OPERAND.fullmatch(text)
    if match is None:
        raise ValueError(f"no operand: {text!r}")
    mark = match["mark"]
    types = tuple(match["types"].split("|"))
    return Operand(match["role"] or "", types, mark == "?", mark == "..")


def _with(operands: Sequence[Operand], same: str) -> list[Operand]:
    return [
        replace(operand, types=(same,)) if operand.types == (_SAME,) else operand
        for operand in operands
    ]


def _choices(operands: Sequence[Operand]) -> Iterator[list[str]]:
    """One type of each operand; none where an optional one is absent."""
    options = [
        [f"{kind}.." if operand.is_repeated else kind for kind in operand.types]
        + [""] * operand.is_optional
        for operand in operands
    ]
    for choice in product(*options):
        yield [word for word in choice if word]
