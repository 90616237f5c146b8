"""What is kept of the values of a run."""

from __future__ import annotations

import numpy as np
import pytest

from tinyml_runtime.comparison import recording
from tinyml_runtime.comparison.recording import Recording


def test_values_are_kept_sample_by_sample() -> None:
    kept = Recording()
    values = np.arange(12).reshape(4, 3)
    kept.add({7: values[:3]}, 3)
    kept.add({7: values[3:]}, 1)
    assert kept.samples == 4
    np.testing.assert_array_equal(np.stack(kept.values[7]), values)


def test_samples_beyond_the_memory_are_left_out_but_for_the_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = {0: np.zeros((5, 10), np.int8), 1: np.zeros((5, 90), np.int8)}
    for limit, samples in ((250, 2), (10, 1)):
        monkeypatch.setattr(recording, "_LARGEST_BYTES", limit)
        kept = Recording()
        kept.add(values, 5)
        kept.add(values, 5)
        assert kept.samples == samples
        assert len(kept.values[1]) == samples
