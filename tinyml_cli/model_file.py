"""The model file that a command is given, or standard input."""

from __future__ import annotations

import sys
from typing import NamedTuple

from tinyml_cli.inputs.paths import existing_file, read_bytes
from tinyml_runtime import Model, load_model

STANDARD_INPUT = "-"


class ModelFile(NamedTuple):
    """The model as a file; `path` is - for standard input."""

    path: str
    content: bytes

    @property
    def sha256(self) -> str:
        """Checksum of the file."""
        from hashlib import sha256

        return sha256(self.content).hexdigest()


def open_model(path: str) -> tuple[Model, ModelFile]:
    """The model in the file `path`, or on standard input for -, and the file."""
    if path == STANDARD_INPUT:
        content, name = sys.stdin.buffer.read(), "<standard input>"
    else:
        content, name = read_bytes(existing_file(path)), path
    return load_model(content, name), ModelFile(path, content)
