"""The model file that a command is given, or standard input."""

from __future__ import annotations

import sys

from tinyml_cli.inputs.paths import existing_file, read_bytes
from tinyml_cli.running.report import ModelFile
from tinyml_runtime import Model, load_model

STANDARD_INPUT = "-"


def open_model(path: str) -> tuple[Model, ModelFile]:
    """The model in the file `path`, or on standard input for -, and the file."""
    if path == STANDARD_INPUT:
        content, name = sys.stdin.buffer.read(), "<standard input>"
    else:
        content, name = read_bytes(existing_file(path)), path
    return load_model(content, name), ModelFile(path, content)
