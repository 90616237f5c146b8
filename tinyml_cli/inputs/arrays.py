"""Arrays from .npy, .npz, .json and .bin files.

Pickled objects are never loaded: they can run code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np

from tinyml_cli.inputs.paths import read_bytes, read_text, reason
from tinyml_runtime import Array, InputError

_NPY_MAGIC = b"\x93NUMPY"


def read_npy(path: Path) -> Array:
    """The array of a .npy file."""
    try:
        with path.open("rb") as file:
            if file.read(len(_NPY_MAGIC)) != _NPY_MAGIC:
                raise InputError(f"{path}: this is no .npy file")
            file.seek(0)
            return np.asarray(np.load(file, allow_pickle=False))
    except InputError:
        raise
    except Exception as error:  # on damaged headers whatever NumPy's parsers raise
        raise InputError(f"{path}: {_explain(error)}") from None


def read_npz(path: Path) -> dict[str, Array]:
    """The arrays of a .npz archive, by name."""
    import zipfile

    place = str(path)
    named: dict[str, Array] = {}
    try:
        if not zipfile.is_zipfile(path):
            raise InputError(f"{path}: this is no .npz file, or only a part of one")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            for name in archive.files:
                place = f"{path}: {name}"
                named[name] = _checked(archive[name], place)
    except InputError:
        raise
    except Exception as error:  # as above, and what damaged archives make zipfile raise
        raise InputError(f"{place}: {_explain(error)}") from None
    return named


def read_json(path: Path) -> Array | dict[str, Array]:
    """A nested list as an array, or an object of them as arrays by name."""
    import json

    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise InputError(f"{path}: {place}: no JSON ({error.msg})") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply") from None
    if isinstance(content, dict):
        named = cast("dict[str, Any]", content)
        return {name: _from_lists(f"{path}: {name}", value) for name, value in named.items()}
    return _from_lists(str(path), content)


def read_bin(path: Path, dtype: np.dtype[Any]) -> Array:
    """The elements of a raw file, little-endian and without a header."""
    data = read_bytes(path)
    if not data:
        raise InputError(f"{path}: the file is empty")
    if len(data) % dtype.itemsize:
        raise InputError(f"{path}: {len(data)} bytes are no whole {dtype.name} elements")
    if dtype.kind == "b":
        return np.frombuffer(data, np.uint8)
    return np.frombuffer(data, dtype.newbyteorder("<"))


def _checked(content: object, where: str) -> Array:
    """What NumPy gave for a member of an archive, which may hold other files than arrays."""
    if not isinstance(content, np.ndarray):
        raise InputError(f"{where}: this is no array")
    return cast("Array", content)


def _from_lists(where: str, value: Any) -> Array:
    try:
        array = np.array(value)
    except (ValueError, OverflowError):
        raise InputError(f"{where}: the lists have different lengths") from None
    if array.dtype.kind not in "iufb":
        raise InputError(f"{where}: not everything in it is a number")
    return array


def _explain(error: BaseException) -> str:
    if isinstance(error, ValueError) and "allow_pickle" in str(error):
        return "it holds pickled Python objects, not plain numbers; these are not loaded"
    if isinstance(error, MemoryError):
        return "its array does not fit into memory"
    return f"cannot be read ({reason(error)})"
