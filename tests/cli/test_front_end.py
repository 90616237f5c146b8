"""A recording through the audio front end that TFLM is published with."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import Tinyml
from tests.support.corpus import corpus_model, needs_corpus
from tests.support.graphs import run_steps_in_tflm
from tests.support.single_op import needs_tflm
from tinyml_runtime import Array, load_model

FRONT_END = corpus_model("tflm/audio_preprocessor_int8")
RATE_HZ = 16_000
FRAME = 480


def _chirp_in_noise() -> Array:
    seconds = np.arange(RATE_HZ) / RATE_HZ
    chirp = 8000 * np.sin(2 * np.pi * (200 + 1500 * seconds) * seconds)
    noise = 500 * np.random.default_rng(0).standard_normal(RATE_HZ)
    return (chirp * (seconds > 0.2) + noise).astype("<i2")


def _record(path: Path, samples: Array) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())


@needs_corpus
@needs_tflm
@pytest.mark.oracle
def test_a_recording_becomes_the_features_that_tflm_makes_of_it(
    tinyml: Tinyml, tmp_path: Path
) -> None:
    samples = _chirp_in_noise()
    _record(tmp_path / "in.wav", samples)
    outcome = tinyml("run", FRONT_END, "-i", "in.wav", "-o", "out.npz")
    assert outcome.code == 0, outcome.err
    frames = len(samples) // FRAME
    steps = samples[: frames * FRAME].reshape(frames, 1, 1, FRAME)
    expected = run_steps_in_tflm(load_model(FRONT_END), list(map(list, steps)))
    with np.load(tmp_path / "out.npz") as saved:
        features = saved["output_0"]
    # Sound, noise and the transition: the features are no constants.
    assert len(np.unique(features)) > 100
    np.testing.assert_array_equal(features.reshape(frames, -1), np.reshape(expected, (frames, -1)))
