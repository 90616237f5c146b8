"""`tinyml run -i` with images, folders of images, and sound."""

from __future__ import annotations

import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.cli.conftest import Tinyml
from tests.cli.models import identity
from tinyml_runtime import Array

PIXELS = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)
SHAPE = (1, 2, 3, 1)


def image(path: Path, pixels: Array) -> None:
    pytest.importorskip("PIL.Image").fromarray(pixels).save(path)


def sound(path: Path, samples: Array, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(samples.dtype.itemsize)
        file.setframerate(16000)
        file.writeframes(samples.astype(samples.dtype.newbyteorder("<")).tobytes())


def first_values(outcome: Any) -> Any:
    return outcome.report["outputs"][0]["values"]


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point", "name", "stored"),
    [
        (np.int8, 1 / 255, -128, "unit", [-128, -77, -26, 25, 76, 127]),
        (np.int8, 2 / 255, -1, "signed", [-128, -78, -27, 25, 76, 127]),
        (np.int8, 1.0, -128, "raw", [-128, -77, -26, 25, 76, 127]),
        (np.int8, 1.0, 0, "centered", [-128, -77, -26, 25, 76, 127]),
        (np.uint8, 1 / 255, 0, "unit", [0, 51, 102, 153, 204, 255]),
        (np.uint8, None, 0, "raw", [0, 51, 102, 153, 204, 255]),
        (np.int8, None, 0, "centered", [-128, -77, -26, 25, 76, 127]),
    ],
)
def test_pixels_become_what_the_quantization_tells_and_it_says_so(
    tinyml: Tinyml,
    tmp_path: Path,
    dtype: Any,
    scale: float | None,
    zero_point: int,
    name: str,
    stored: list[int],
) -> None:
    image(tmp_path / "in.png", PIXELS)
    model = identity(tmp_path, SHAPE, dtype, scale, zero_point)
    outcome = tinyml("run", model, "-i", "in.png", "--json")
    # Pixel p is stored as p - 128 in each int8 case; -1..1 has a halfway case rounded from -50.5.
    assert np.abs(np.subtract(first_values(outcome)[0], stored)).max() <= (name == "signed")
    assert f"(--image-range {name})" in outcome.err


def test_a_float_input_takes_pixels_as_0_to_1(tinyml: Tinyml, tmp_path: Path) -> None:
    image(tmp_path / "in.png", PIXELS)
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", "in.png", "--json")
    np.testing.assert_allclose(first_values(outcome)[0], PIXELS.ravel() / 255, rtol=1e-6)
    assert "pixels 0..255 taken as 0..1" in outcome.err


def test_the_range_of_pixels_can_be_chosen(tinyml: Tinyml, tmp_path: Path) -> None:
    image(tmp_path / "in.png", PIXELS)
    model = identity(tmp_path, SHAPE)
    outcome = tinyml("run", model, "-i", "in.png", "--image-range", "signed", "--json")
    np.testing.assert_allclose(first_values(outcome)[0], PIXELS.ravel() / 127.5 - 1, atol=1e-6)


def test_a_quantization_that_tells_nothing_asks_for_the_range(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    image(tmp_path / "in.png", PIXELS)
    outcome = tinyml("run", identity(tmp_path, SHAPE, np.int8, 0.02, 3), "-i", "in.png")
    assert outcome.code == 2
    assert "in.png: the input takes -2.62..2.48" in outcome.err
    assert "--image-range unit|signed|raw|centered" in outcome.err


@pytest.mark.parametrize(
    ("pixels", "found"),
    [
        (np.zeros((2, 3, 3), np.uint8), "3x2 RGB"),
        (np.zeros((4, 3), np.uint8), "3x4 grayscale"),
    ],
)
def test_an_image_that_does_not_fit_needs_resize(
    tinyml: Tinyml, tmp_path: Path, pixels: Array, found: str
) -> None:
    image(tmp_path / "in.png", pixels)
    model = identity(tmp_path, SHAPE, np.uint8)
    outcome = tinyml("run", model, "-i", "in.png")
    assert outcome.code == 2
    assert f"in.png: {found}, the input takes 3x2 grayscale; --resize" in outcome.err
    assert tinyml("run", model, "-i", "in.png", "--resize").code == 0


def test_an_opaque_image_with_alpha_is_plain_rgb(tinyml: Tinyml, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 4), dtype=np.uint8)
    pixels[..., 3] = 255
    image(tmp_path / "in.png", pixels)
    outcome = tinyml("run", identity(tmp_path, (1, 2, 3, 3), np.uint8), "-i", "in.png", "--json")
    assert first_values(outcome) == [pixels[..., :3].ravel().tolist()]


def test_a_file_that_is_no_image_is_one_line(tinyml: Tinyml, tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    (tmp_path / "in.png").write_bytes(b"nothing")
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", "in.png")
    assert outcome.code == 2
    assert outcome.err.startswith("error: in.png: no readable image")
    assert outcome.err.count("\n") == 1


def test_without_pillow_it_says_what_to_install(
    tinyml: Tinyml, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in.png").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "PIL", None)
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", "in.png")
    assert outcome.code == 2
    assert outcome.err == "error: in.png: images need Pillow: install tinyml-cli[image]\n"


def test_a_folder_is_a_sample_for_each_file_in_order_of_names(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    (tmp_path / "images").mkdir()
    for number in (2, 0, 1):
        image(tmp_path / "images" / f"{number}.png", np.full((2, 3), number, np.uint8))
    (tmp_path / "images" / "notes.txt").write_text("x")
    outcome = tinyml("run", identity(tmp_path, SHAPE, np.uint8), "-i", "images", "--json")
    assert first_values(outcome) == [[0] * 6, [1] * 6, [2] * 6]
    assert "files of other kinds left out: 1" in outcome.err


def test_a_folder_without_samples_is_an_error(tinyml: Tinyml, tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    outcome = tinyml("run", identity(tmp_path, SHAPE), "-i", "images")
    assert outcome.code == 2
    assert outcome.err.startswith("error: images: a folder without samples")


def test_an_int16_input_takes_the_samples_of_a_recording(tinyml: Tinyml, tmp_path: Path) -> None:
    samples = np.array([1, -2, 32767, -32768], np.int16)
    sound(tmp_path / "in.wav", samples)
    outcome = tinyml("run", identity(tmp_path, (1, 4), np.int16), "-i", "in.wav", "--json")
    assert first_values(outcome) == [samples.tolist()]
    assert "4 samples at 16000 Hz" in outcome.err


def test_a_float_input_takes_a_recording_as_minus_1_to_1(tinyml: Tinyml, tmp_path: Path) -> None:
    sound(tmp_path / "in.wav", np.array([16384, -32768], np.int16))
    outcome = tinyml("run", identity(tmp_path, (1, 2)), "-i", "in.wav", "--json")
    assert first_values(outcome) == [[0.5, -1.0]]


def test_eight_bit_recordings_have_their_zero_at_128(tinyml: Tinyml, tmp_path: Path) -> None:
    sound(tmp_path / "in.wav", np.array([128, 0, 192], np.uint8))
    outcome = tinyml("run", identity(tmp_path, (1, 3)), "-i", "in.wav", "--json")
    assert first_values(outcome) == [[0.0, -1.0, 0.5]]


def test_a_longer_recording_is_cut_into_windows(tinyml: Tinyml, tmp_path: Path) -> None:
    sound(tmp_path / "in.wav", np.arange(11, dtype=np.int16))
    outcome = tinyml("run", identity(tmp_path, (1, 4), np.int16), "-i", "in.wav", "--json")
    assert first_values(outcome) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert "taken as 2 windows of 4; the last 3 are not used" in outcome.err


def test_a_channel_of_a_stereo_recording_has_to_be_chosen(tinyml: Tinyml, tmp_path: Path) -> None:
    sound(tmp_path / "in.wav", np.array([1, 10, 2, 20], np.int16), channels=2)
    model = identity(tmp_path, (1, 2), np.int16)
    outcome = tinyml("run", model, "-i", "in.wav")
    assert outcome.code == 2
    assert "in.wav: 2 channels; choose one with --channel 0..1" in outcome.err
    outcome = tinyml("run", model, "-i", "in.wav", "--channel", 1, "--json")
    assert first_values(outcome) == [[10, 20]]


def test_a_recording_that_is_too_short_is_an_error(tinyml: Tinyml, tmp_path: Path) -> None:
    sound(tmp_path / "in.wav", np.zeros(3, np.int16))
    outcome = tinyml("run", identity(tmp_path, (1, 4), np.int16), "-i", "in.wav")
    assert outcome.code == 2
    assert "in.wav: 3 samples at 16000 Hz, the input takes 4" in outcome.err
