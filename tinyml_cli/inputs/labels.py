"""Names of classes, and expected values to score outputs with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tinyml_cli.inputs import arrays
from tinyml_cli.inputs.names import PortNames, output_names, parse_assignment
from tinyml_cli.inputs.paths import read_text
from tinyml_runtime import Array, InputError, Interpreter


class Expectation(NamedTuple):
    """Expected values of one output, and the file they are from."""

    output: int
    values: Array
    path: Path


def read_labels(path: Path) -> Sequence[str]:
    """One name a line, the first for class 0; blank lines at the end do not count."""
    names = [line.strip() for line in read_text(path).rstrip().splitlines()]
    if not names:
        raise InputError(f"{path}: there are no labels in it")
    return names


def find_expectation(text: str, interpreter: Interpreter) -> Expectation:
    """What `[NAME=]FILE` gives; InputError where there is no such output, or no such file."""
    names = output_names(interpreter.model, interpreter.outputs)
    assignment = parse_assignment(text)
    index = names.find(assignment.name or "0")
    return Expectation(index, read_expected(assignment.path, names, index), assignment.path)


def read_expected(path: Path, names: PortNames, index: int) -> Array:
    """The array of expected values for output `index` in a .npy, .npz, .csv or .json file."""
    suffix = path.suffix.lower()
    if suffix == ".npy":
        return arrays.read_npy(path)
    if suffix == ".csv":
        from tinyml_cli.inputs.table import read_csv

        return read_csv(path)[0]
    if suffix not in (".npz", ".json"):
        raise InputError(f"{path}: --expect takes .npy, .npz, .csv or .json")
    content = arrays.read_npz(path) if suffix == ".npz" else arrays.read_json(path)
    if not isinstance(content, dict):
        return content
    keys = [key for key in content if names.get(key) == index] or list(content)
    if len(keys) != 1:
        raise InputError(f"{path}: which of its arrays is meant? ({', '.join(content)})")
    return content[keys[0]]
