"""What both sides are fed: files, or random samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.inputs.fill import random_samples
from tinyml_cli.inputs.gather import ZEROS, InputRequest, gather_inputs
from tinyml_cli.inputs.names import input_names
from tinyml_runtime import Array, InputError, Interpreter
from tinyml_runtime.errors import TinymlError
from tinyml_runtime.tensor import Tensor


class FedSamples(NamedTuple):
    """Values [samples, *shape] of each input that is no constant, and where they are from."""

    samples: int
    inputs: Sequence[Array]
    source: str
    files: Sequence[Path]
    notes: Sequence[str]


def feed(request: InputRequest, samples: int | None, interpreter: Interpreter) -> FedSamples:
    """The samples for a model; InputError where files do not fit, or not all inputs have one."""
    if request.files:
        if samples is not None:
            raise InputError("--samples is for random inputs: files have the samples they have")
        return _from_files(request, interpreter)
    seed, count = request.seed or 0, samples or 1
    tensors = [tensor for tensor in interpreter.inputs if not tensor.is_constant]
    if not tensors:
        return FedSamples(1, (), "no inputs", (), ())
    return FedSamples(count, _random(tensors, seed, count), f"seed {seed}", (), ())


def _random(tensors: Sequence[Tensor], seed: int, samples: int) -> list[Array]:
    try:
        return random_samples(tensors, seed, samples)
    except TinymlError as error:
        raise InputError(f"{error}; -i FILE gives it values") from None


def _from_files(request: InputRequest, interpreter: Interpreter) -> FedSamples:
    names = input_names(interpreter.model, interpreter.inputs)
    gathered = gather_inputs(request, names)
    empty = [index for index, one in enumerate(gathered.inputs) if one.source == ZEROS]
    if empty:
        raise InputError(
            f"{', '.join(request.files)}: nothing for {names.describe(empty[0])}; "
            f"{names.listing()} (another -i FILE, or --seed N for random values)"
        )
    notes = [*gathered.notes]
    for index, one in enumerate(gathered.inputs):
        notes += [f"input {index}: {one.source}: {note}" for note in one.notes]
    arrays = [
        one.values
        for one, tensor in zip(gathered.inputs, interpreter.inputs, strict=True)
        if not tensor.is_constant
    ]
    source = ", ".join(dict.fromkeys(one.source for one in gathered.inputs))
    return FedSamples(gathered.samples, arrays, source, gathered.files, notes)
