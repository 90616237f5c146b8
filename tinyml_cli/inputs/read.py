"""One file, or a folder of them, as samples of one input."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinyml_cli.inputs import arrays, images
from tinyml_cli.inputs.conversion import Converted, Meaning, convert
from tinyml_cli.inputs.paths import reason
from tinyml_cli.inputs.shapes import as_samples
from tinyml_runtime import Array, InputError, Tensor
from tinyml_runtime.quantization import is_quantized

_SAMPLE_SUFFIXES = (*images.SUFFIXES, ".wav", ".npy", ".bin")
MEANINGS: dict[str, Meaning] = {"auto": "auto", "real": "real", "stored": "stored"}
SUFFIXES = (".npy", ".npz", ".csv", ".json", ".bin", *images.SUFFIXES, ".wav")


class ReadOptions(NamedTuple):
    """How files are to be understood where their content leaves it open."""

    meaning: Meaning = "auto"
    resize: bool = False
    image_range: str | None = None
    channel: int | None = None


class Samples(NamedTuple):
    """Values [samples, *shape] in an input's type, where they are from, and notes on the way."""

    values: Array
    source: str
    notes: tuple[str, ...] = ()


def from_array(array: Array, tensor: Tensor, options: ReadOptions, source: str) -> Samples:
    """The samples of an input that an array holds."""
    samples = as_samples(array, tensor.shape, source)
    return _samples(convert(samples, tensor, options.meaning, source), source)


def from_path(path: Path, tensor: Tensor, options: ReadOptions) -> Samples:
    """The samples of an input in a file of one array, or in a folder with a file for each."""
    if path.is_dir():
        return _from_folder(path, tensor, options)
    suffix = path.suffix.lower()
    if suffix in images.SUFFIXES:
        return _from_image(path, tensor, options)
    if suffix == ".wav":
        from tinyml_cli.inputs.audio import read_windows

        values, note = read_windows(path, tensor, options.channel)
        return _samples(convert(values, tensor, "auto", str(path)), str(path), note)
    if suffix == ".csv":
        from tinyml_cli.inputs.table import read_csv

        array, note = read_csv(path)
        samples = from_array(array, tensor, options, str(path))
        return Samples(samples.values, str(path), (*([note] if note else []), *samples.notes))
    if suffix == ".npy":
        return from_array(arrays.read_npy(path), tensor, options, str(path))
    if suffix == ".bin":
        return _from_bin(path, tensor)
    raise InputError(f"{path}: of files like this nothing is known; known: {' '.join(SUFFIXES)}")


def _from_bin(path: Path, tensor: Tensor) -> Samples:
    array = arrays.read_bin(path, tensor.dtype)
    if not tensor.size or array.size % tensor.size:
        needed = tensor.size * tensor.dtype.itemsize
        raise InputError(f"{path}: {array.nbytes} bytes are no whole samples of {needed} bytes")
    samples = array.reshape(-1, *tensor.shape)
    return Samples(convert(samples, tensor, "stored", str(path)).values, str(path))


def _from_image(path: Path, tensor: Tensor, options: ReadOptions) -> Samples:
    pixels = images.read_pixels(path, tensor.shape, options.resize)
    try:
        range_name = options.image_range or images.choose_range(tensor)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    ends = images.RANGES[range_name]
    values = images.to_values(pixels, range_name)
    meaning: Meaning = "real" if is_quantized(tensor) else "stored"
    converted = convert(values[np.newaxis], tensor, meaning, str(path))
    note = f"pixels 0..255 taken as {ends.low:g}..{ends.high:g} (--image-range {range_name})"
    return _samples(converted, str(path), note)


def _from_folder(path: Path, tensor: Tensor, options: ReadOptions) -> Samples:
    try:
        entries = sorted(entry for entry in path.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise InputError(f"{path}: {reason(error)}") from None
    files = [entry for entry in entries if entry.suffix.lower() in _SAMPLE_SUFFIXES]
    if not files:
        raise InputError(f"{path}: a folder without samples ({' '.join(_SAMPLE_SUFFIXES)})")
    read = [from_path(file, tensor, options) for file in files]
    notes = dict.fromkeys(note for samples in read for note in samples.notes)
    skipped = len(entries) - len(files)
    if skipped:
        notes[f"files of other kinds left out: {skipped}"] = None
    source = f"{path} ({len(files)} files)"
    return Samples(np.concatenate([samples.values for samples in read]), source, tuple(notes))


def _samples(converted: Converted, source: str, *notes: str) -> Samples:
    own = (converted.note,) if converted.note else ()
    return Samples(converted.values, source, (*notes, *own))
