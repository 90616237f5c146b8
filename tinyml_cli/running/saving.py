"""Outputs as a .npz archive that is there completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.inputs.paths import reason
from tinyml_runtime import Array, InputError


def check_destination(text: str, used: Sequence[Path]) -> Path:
    """The path that `text` names, if an archive can be written there; else InputError.

    An archive of an earlier run is replaced; files that this run reads are not.
    """
    path = Path(text)
    if path.suffix != ".npz":
        raise InputError(f"{text}: outputs are saved as .npz; call the file {path.stem}.npz")
    if not path.parent.is_dir():
        raise InputError(f"{text}: there is no folder '{path.parent}'; make it first")
    if path.exists() and not path.is_file():
        raise InputError(f"{text}: this is there already and is no file")
    if any(path.exists() and file.exists() and path.samefile(file) for file in used):
        raise InputError(f"{text}: this run reads that file; save to another one")
    return path


def save_outputs(path: Path, outputs: Sequence[Array]) -> None:
    """Write output_0, output_1, ... through a temporary file beside `path`."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    arrays: dict[str, Any] = {f"output_{index}": values for index, values in enumerate(outputs)}
    try:
        try:
            with temporary.open("xb") as file:
                np.savez(file, **arrays)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {reason(error)}") from None
