"""The audio front end: custom operators on signals, spectra and filter banks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from tests.conformance.cases import Case, Settings, grid
from tests.conformance.tolerances import sum_of
from tests.runtime.kernels.test_signal_channels import FLAT_GAINS, log, pcan, root, subtraction
from tests.runtime.kernels.test_signal_fft import NUMBERS, irfft, rfft
from tests.runtime.kernels.test_signal_filter_bank import HANN, auto_scale, bank, energy, window
from tests.runtime.kernels.test_signal_streams import delay, framer, overlap_add, stacker

LENGTHS = (4, 6, 12, 16, 30, 32, 50, 64, 128, 256, 480, 512)
STEPS = 9
GAINS: dict[str, Settings] = {
    "flat gains": {"gains": FLAT_GAINS},
    "rising gains": {"gains": np.arange(-5000, 7500, 100).astype(np.int16)},
    "steep gains": {"gains": np.arange(-32000, 30500, 500).astype(np.int16)},
}
NOISES: dict[str, Settings] = {
    "": {},
    "clamped": {"clamping": True},
    "no smoothing bits": {"smoothing_bits": 0, "min_signal_remaining": 0},
    "extreme": {
        "smoothing": 2**31 - 1,
        "one_minus_smoothing": -1,
        "min_signal_remaining": -5,
    },
    "wide": {"smoothing_bits": 31, "spectral_subtraction_bits": 0, "clamping": True},
}
WEIGHTS: dict[str, list[int]] = {"small": [1, 200, 3, 4096], "negative": [1, -200, 3, -32768]}
BANDS: dict[str, list[tuple[int, int, int]]] = {
    "three": [(0, 0, 1), (1, 1, 2), (3, 0, 4)],
    "two": [(0, 0, 1), (1, 1, 2)],
    "empty": [(0, 0, 0), (0, 0, 2), (5, 0, 0)],
}


def _transforms() -> list[Case]:
    cases: list[Case] = []
    for length in LENGTHS:
        # Each of some stages of the transform rounds; the sums grow with the length.
        row = partial(grid, kind=NUMBERS, fft_length=(length,), tolerance=sum_of(length))
        cases += row(rfft, outer=((), (2,)))
        cases += row(rfft, length=(length - 1,), note="shorter signals")
        cases += row(irfft, outer=((), (1, 3)))
    return cases


def _streams() -> list[Case]:
    row = partial(grid, steps=STEPS)
    frames: dict[str, Settings] = {
        "overlapping": {"size": 10, "step": 4, "frames": 1},
        "several": {"size": 7, "step": 3, "frames": 2, "outer": (2,)},
        "without overlap": {"size": 4, "step": 4, "frames": 3},
    }
    gaps: Settings = {"size": 3, "step": 5, "frames": 2, "prefill": False}
    added: dict[str, Settings] = {
        "overlapping": {"size": 8, "step": 3, "frames": 1},
        "several": {"size": 6, "step": 2, "frames": 3, "outer": (2, 2)},
        "without overlap": {"size": 4, "step": 4, "frames": 2},
    }
    stacks: dict[str, Settings] = {
        "every frame": {"channels": 3, "left": 2, "right": 1, "step": 1},
        "skipping": {"channels": 2, "left": 1, "right": 2, "step": 3},
        "left context": {"channels": 2, "left": 3, "right": 0, "step": 4},
        "no context": {"channels": 4, "left": 0, "right": 0, "step": 1},
    }
    return [
        *row(delay, shape=((4,), (2, 3, 5), (1,)), length=(0, 3, 6, 17)),
        *row(framer, frames, prefill=(False, True)),
        *row(framer, {"gaps": gaps}),
        *row(stacker, stacks),
        *row(overlap_add, added, kind=("int16", "float32")),
    ]


def _windows() -> list[Case]:
    hann: dict[str, Settings] = {
        "hann": {"weights": HANN},
        "negative hann": {"weights": -HANN},
    }
    return [
        *grid(window, hann, shift=(8, 12), shape=((16,), (2, 3, 16), (1, 48))),
        *grid(window, hann, shift=(12,), shape=((3, 16),), is_constant=(False,)),
        *grid(auto_scale, length=(1, 2, 17, 100, 512)),
        *grid(auto_scale, length=(17, 100), limits={0: (-300, 300)}, note="small"),
        *grid(energy, frequencies=(33,), start=(0, 3), end=(5, 33)),
        *grid(energy, frequencies=(257,), start=(0,), end=(257,)),
    ]


def _banks() -> list[Case]:
    return [
        case
        for (first, weights), (second, unweights) in (
            (one, other) for one in WEIGHTS.items() for other in WEIGHTS.items()
        )
        for name, bands in BANDS.items()
        for case in grid(
            bank,
            {
                f"{name} bands, {first} weights, {second} unweights": {
                    "weights": weights,
                    "unweights": unweights,
                    "bands": bands,
                }
            },
            is_constant=(True,),
        )
    ]


def _channels() -> list[Case]:
    magnitudes = [_of_every_magnitude(np.uint64, 500)]
    bits: Sequence[int] = (0, 5, 31)
    cases: list[Case] = []
    for shift in bits:
        given = [[magnitudes[0], np.array(shift, np.int32)]]
        cases += grid(root, channels=(500,), given=given, note=f"{shift} scale bits")
    numbers: Any = [[_of_every_magnitude(np.uint32, 500)]]
    pairs: Any = [[*numbers[0], numbers[0][0][::-1].copy()]]
    noises: Any = [[_of_every_magnitude(np.uint32, 33, seed)] for seed in range(6)]
    return [
        *cases,
        *grid(log, channels=(500,), scale=(64, 1600, 2**20, -1), bits=(0, 3, 31), given=numbers),
        *grid(pcan, GAINS, channels=(500,), snr_shift=(0, 6), given=pairs),
        *grid(subtraction, NOISES, channels=(33,), given=noises, steps=6),
    ]


def _of_every_magnitude(dtype: Any, count: int, seed: int = 0) -> Any:
    generator = np.random.default_rng(seed)
    exponents = generator.uniform(0, 8 * np.dtype(dtype).itemsize - 0.01, count)
    return (2.0**exponents).astype(dtype)


CASES = [*_transforms(), *_streams(), *_windows(), *_banks(), *_channels()]
