"""All inputs of a model for a run: from files, from a seed, or zeros."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinyml_cli.inputs import arrays
from tinyml_cli.inputs.fill import random_samples, zeros
from tinyml_cli.inputs.names import Assignment, PortNames, parse_assignment
from tinyml_cli.inputs.read import ReadOptions, Samples, from_array, from_path
from tinyml_runtime import Array, InputError, Tensor

# What an input is from that nothing fills.
ZEROS = "zeros"


class InputRequest(NamedTuple):
    """What the user asked to be fed: files as `[NAME=]FILE`, and a seed for the rest."""

    files: Sequence[str] = ()
    seed: int | None = None
    options: ReadOptions = ReadOptions()


class GatheredInputs(NamedTuple):
    """The samples of each input, all of one number, and the files that they are from."""

    samples: int
    inputs: Sequence[Samples]
    files: Sequence[Path]
    notes: Sequence[str] = ()


@dataclass(slots=True)
class _Filling:
    """Inputs being filled one after another."""

    names: PortNames
    options: ReadOptions
    given: dict[int, Samples] = field(default_factory=lambda: {})
    notes: list[str] = field(default_factory=lambda: [])

    def put(self, index: int, samples: Samples) -> None:
        if self.names.tensors[index].is_constant:
            raise InputError(f"{self.names.describe(index)} is a constant of the model")
        if index in self.given:
            raise InputError(
                f"{self.names.describe(index)} is given twice: "
                f"{self.given[index].source} and {samples.source}"
            )
        self.given[index] = samples

    def next_free(self, path: Path) -> int:
        for index in range(len(self.names.tensors)):
            if index not in self.given:
                return index
        raise InputError(f"{path}: one file too many; {self.names.listing()}")

    def put_file(self, assignment: Assignment) -> None:
        """Fill what the file has: inputs by name from an archive, else one input."""
        path, name = assignment.path, assignment.name
        content = None if path.is_dir() else _read_numbers(path)
        if isinstance(content, dict):
            self._put_named(path, content, name)
            return
        index = self.next_free(path) if name is None else self.names.find(name)
        tensor = self.names.tensors[index]
        if content is not None:
            self.put(index, from_array(content, tensor, self.options, str(path)))
        else:
            self.put(index, from_path(path, tensor, self.options))

    def _put_named(self, path: Path, named: Mapping[str, Array], name: str | None) -> None:
        if name is not None:
            index = self.names.find(name)
            key = _key_for(path, named, self.names, index)
            self._put_array(path, key, named[key], index)
            return
        found = {key: self.names.get(key) for key in named}
        if len(named) == 1 and None in found.values():
            found = dict.fromkeys(named, self.next_free(path))
        if all(index is None for index in found.values()):
            raise InputError(
                f"{path}: none of its names ({', '.join(named) or 'none'}) is an input; "
                f"{self.names.listing()}"
            )
        for key, index in found.items():
            if index is None:
                self.notes.append(f"{path}: '{key}' is no input of the model and is left out")
            else:
                self._put_array(path, key, named[key], index)

    def _put_array(self, path: Path, key: str, array: Array, index: int) -> None:
        source = f"{path}[{key}]"
        self.put(index, from_array(array, self.names.tensors[index], self.options, source))


def gather_inputs(request: InputRequest, names: PortNames) -> GatheredInputs:
    """Values for every input of a model; InputError where files, names or shapes do not fit."""
    assignments = [parse_assignment(text) for text in request.files]
    filling = _Filling(names, request.options)
    for assignment in sorted(assignments, key=lambda assignment: assignment.name is None):
        filling.put_file(assignment)
    filled = _fill_rest(names.tensors, filling, request.seed)
    count = _common_count([filled[index] for index in range(len(names.tensors))])
    inputs = [_repeated(filled[index], count) for index in range(len(names.tensors))]
    files = [assignment.path for assignment in assignments]
    return GatheredInputs(count, inputs, files, filling.notes)


def _read_numbers(path: Path) -> Array | dict[str, Array] | None:
    """The content of the kinds of file that can hold several arrays; None for other files."""
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return arrays.read_npz(path)
    return arrays.read_json(path) if suffix == ".json" else None


def _key_for(path: Path, named: Mapping[str, Array], names: PortNames, index: int) -> str:
    """Which array of an archive is meant for input `index`: the one so called, or the only one."""
    keys = [key for key in named if names.get(key) == index] or list(named)
    if len(keys) != 1:
        raise InputError(
            f"{path}: which of its arrays is for {names.describe(index)}? ({', '.join(keys)})"
        )
    return keys[0]


def _fill_rest(
    tensors: Sequence[Tensor], filling: _Filling, seed: int | None
) -> dict[int, Samples]:
    constants = {
        index: Samples(tensor.values[np.newaxis], "a constant of the model")
        for index, tensor in enumerate(tensors)
        if tensor.is_constant
    }
    filled = {**filling.given, **constants}
    missing = [index for index in range(len(tensors)) if index not in filled]
    if seed is None:
        rest = {index: Samples(zeros(tensors[index])[np.newaxis], ZEROS) for index in missing}
        filling.notes.extend(
            f"{filling.names.describe(index)} is zeros (-i FILE or --seed N gives it values)"
            for index in missing
        )
    else:
        drawn = random_samples(tensors, seed)
        rest = {index: Samples(drawn[index], f"seed {seed}") for index in missing}
    return {**filled, **rest}


def _common_count(samples: Sequence[Samples]) -> int:
    counts = {len(one.values): one.source for one in samples if len(one.values) != 1}
    if len(counts) > 1:
        listed = ", ".join(f"{source} has {count}" for count, source in counts.items())
        raise InputError(f"the inputs have different numbers of samples: {listed}")
    return next(iter(counts), 1)


def _repeated(samples: Samples, count: int) -> Samples:
    """One sample stands for all where other inputs have more."""
    if len(samples.values) == count:
        return samples
    values = np.broadcast_to(samples.values, (count, *samples.values.shape[1:]))
    notes = (*samples.notes, f"the same for all {count} samples")
    return Samples(values, samples.source, notes)
