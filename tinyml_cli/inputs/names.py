"""Which input a name means: a tensor name, a signature's name, or an index."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.inputs.paths import existing
from tinyml_runtime import InputError, Model, Tensor

_SERVING_PREFIX = "serving_default_"


class Assignment(NamedTuple):
    """`[NAME=]FILE` as the user gave it."""

    name: str | None
    path: Path


class PortNames(NamedTuple):
    """The names by which the inputs (or outputs) of a model can be called.

    `tiers` map names to indices; a name counts in the first tier that has it.
    """

    kind: str
    tensors: Sequence[Tensor]
    tiers: Sequence[Mapping[str, Sequence[int]]]

    def get(self, name: str) -> int | None:
        """The index that `name` means, or None; InputError where it means several."""
        for tier in self.tiers:
            found = tier.get(name, ())
            if len(found) > 1:
                raise InputError(
                    f"{len(found)} {self.kind}s are called '{name}': say which by its index "
                    f"({', '.join(map(str, found))})"
                )
            if found:
                return found[0]
        return None

    def find(self, name: str) -> int:
        """The index that `name` means; InputError lists the names that there are."""
        index = self.get(name)
        if index is None:
            raise InputError(f"the model has no {self.kind} '{name}'; {self.listing()}")
        return index

    def describe(self, index: int) -> str:
        """An input (or output) in words: index and name."""
        name = self.tensors[index].name
        return f"{self.kind} {index} '{name}'" if name else f"{self.kind} {index}"

    def listing(self) -> str:
        """All of them in one line."""
        if not self.tensors:
            return f"it has no {self.kind}s"
        names = [
            f"{index} '{tensor.name}' {tensor.type.name.lower()}{list(tensor.shape)}"
            for index, tensor in enumerate(self.tensors)
        ]
        return f"its {self.kind}s: {', '.join(names)}"


def input_names(model: Model, tensors: Sequence[Tensor]) -> PortNames:
    """The names of a model's inputs."""
    from_signatures = [
        (entry.name, entry.tensor)
        for signature in model.signatures
        if signature.subgraph == 0
        for entry in signature.inputs
    ]
    return _names("input", tensors, from_signatures)


def output_names(model: Model, tensors: Sequence[Tensor]) -> PortNames:
    """The names of a model's outputs."""
    from_signatures = [
        (entry.name, entry.tensor)
        for signature in model.signatures
        if signature.subgraph == 0
        for entry in signature.outputs
    ]
    return _names("output", tensors, from_signatures)


def parse_assignment(text: str) -> Assignment:
    """`[NAME=]FILE` taken apart; a file that is called like the whole text is that file."""
    name, equals, file = text.partition("=")
    if not equals or Path(text).exists():
        return Assignment(None, existing(text))
    if not name:
        raise InputError(f"'{text}': there is no name before '='")
    return Assignment(name, existing(file))


def _names(
    kind: str, tensors: Sequence[Tensor], from_signatures: Sequence[tuple[str, int]]
) -> PortNames:
    positions = range(len(tensors))
    by_index = [(str(index), index) for index in positions]
    # An archive's input_0, input_1, ... are in the model's order, whatever its tensors are called.
    by_index += [(f"{kind}_{index}", index) for index in positions]
    by_signature = [
        (name, index)
        for name, tensor in from_signatures
        for index in positions
        if tensors[index].index == tensor
    ]
    by_tensor = [(tensors[index].name, index) for index in positions]
    short = [(short, index) for name, index in by_tensor for short in _short(name)]
    return PortNames(kind, tensors, [_tier(t) for t in (by_index, by_tensor, by_signature, short)])


def _tier(entries: Sequence[tuple[str, int]]) -> dict[str, list[int]]:
    tier: dict[str, list[int]] = {}
    for name, index in entries:
        if name and index not in tier.setdefault(name, []):
            tier[name].append(index)
    return tier


def _short(name: str) -> Sequence[str]:
    """`serving_default_x` and `x` for `serving_default_x:0`, as the converter calls it."""
    plain = name.removesuffix(":0")
    return plain, plain.removeprefix(_SERVING_PREFIX)
