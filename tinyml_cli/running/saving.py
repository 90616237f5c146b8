"""Outputs as a .npz archive that is there completely or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_cli.destination import free_path, write_file
from tinyml_runtime import Array, InputError


def check_destination(text: str, used: Sequence[Path]) -> Path:
    """The path that `text` names, if an archive can be written there; else InputError.

    An archive of an earlier run is replaced; files that this run reads are not.
    """
    path = Path(text)
    if path.suffix != ".npz":
        raise InputError(f"{text}: outputs are saved as .npz; call the file {path.stem}.npz")
    return free_path(text, used)


def save_outputs(path: Path, outputs: Sequence[Array]) -> None:
    """Write output_0, output_1, ... through a temporary file beside `path`."""
    arrays: dict[str, Any] = {f"output_{index}": values for index, values in enumerate(outputs)}
    write_file(path, lambda file: np.savez(file, **arrays))
