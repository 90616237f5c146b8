"""PCM .wav files as values of an input that takes sound."""

from __future__ import annotations

import wave
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tinyml_cli.inputs.paths import reason
from tinyml_runtime import Array, InputError, Tensor

_FULL_SCALE = 32768


class Sound(NamedTuple):
    """One channel as 16-bit samples."""

    samples: Array
    rate_hz: int


def read_windows(path: Path, tensor: Tensor, channel: int | None) -> tuple[Array, str]:
    """A .wav file as [windows, *shape] for an input, and a note on what was taken.

    int16 inputs get the samples as they are, others values from -1 to 1. A longer file is cut into
    consecutive windows; what is left at its end is not used.
    """
    sound = _read(path, channel)
    length = prod(tensor.shape)
    windows, rest = divmod(len(sound.samples), max(1, length))
    if not windows:
        raise InputError(
            f"{path}: {len(sound.samples)} samples at {sound.rate_hz} Hz, the input takes {length} "
            "(lengthen the recording with silence)"
        )
    note = f"{len(sound.samples)} samples at {sound.rate_hz} Hz"
    if windows > 1 or rest:
        note += f", taken as {windows} windows of {length}"
    if rest:
        note += f"; the last {rest} are not used"
    values = sound.samples[: windows * length].reshape(windows, *tensor.shape)
    if tensor.dtype == np.int16:
        return values, note
    return values.astype(np.float32) / np.float32(_FULL_SCALE), note


def _read(path: Path, channel: int | None) -> Sound:
    try:
        with wave.open(str(path), "rb") as file:
            channels, width = file.getnchannels(), file.getsampwidth()
            rate, data = file.getframerate(), file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError, RuntimeError) as error:
        raise InputError(f"{path}: no readable PCM .wav file ({reason(error)})") from None
    samples = _decode(path, data[: len(data) // (width * channels) * (width * channels)], width)
    return Sound(samples[_choose(path, channels, channel) :: channels], rate)


def _decode(path: Path, data: bytes, width: int) -> Array:
    if width == 2:
        return np.frombuffer(data, "<i2")
    if width == 1:
        return ((np.frombuffer(data, np.uint8).astype(np.int16) - 128) << 8).astype(np.int16)
    raise InputError(f"{path}: {8 * width}-bit samples; convert them to 16 bits")


def _choose(path: Path, channels: int, channel: int | None) -> int:
    if channel is None and channels > 1:
        raise InputError(
            f"{path}: {channels} channels; choose one with --channel 0..{channels - 1}"
        )
    if channel is not None and channel >= channels:
        raise InputError(f"{path}: there is no channel {channel} (it has {channels}, from 0 on)")
    return channel or 0
