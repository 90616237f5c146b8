"""A `.tflite` file, or its bytes, as a `Model`; every defect of one becomes a `ModelError` here."""

from __future__ import annotations

import os
from pathlib import Path

from tinyml_runtime.errors import InputError, ModelError
from tinyml_runtime.model.check import check_model
from tinyml_runtime.model.flatbuffer import Defect, FlatBuffer
from tinyml_runtime.model.parse import parse_model
from tinyml_runtime.model.schema import Model


def load_model(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview, name: str | None = None
) -> Model:
    """The model in a file (a path) or in memory (its bytes); `name` is what messages call it.

    Raises `InputError` for a file that cannot be opened, `ModelError` for one that is no model.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        # The model's buffers are views of these bytes: nobody may change them.
        return read_model(bytes(source), name or "<bytes>")
    return read_model(_read(Path(source)), name or os.fspath(source))


def read_model(data: bytes, source_name: str) -> Model:
    """The model whose file has the bytes `data`; raises `ModelError`.

    As in TFLM, the file identifier is no condition. Where it is missing and the rest is no model
    either, the message says what the file looks like. Time and memory are bounded by the size of
    the file: whatever is in it, 40 times its size and 2 MiB hold the reader's objects.
    """
    if not data:
        raise ModelError(source_name, "", "the file is empty")
    try:
        model = parse_model(FlatBuffer(data), source_name)
        check_model(model)
    except Defect as defect:
        from tinyml_runtime.model.foreign import describe, has_identifier

        if not has_identifier(data):
            raise ModelError(source_name, "", describe(data)) from None
        raise ModelError(source_name, defect.place, defect.reason) from None
    return model


def _read(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"{path}: this is a folder, not a file")
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(f"{path}: {reason or error}") from None
