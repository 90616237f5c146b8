"""Feeds damaged models to the reader and reports what it made of them.

Run from the folder of the project: python benchmarks/fuzz_reader.py [--mutants 20000] [MODEL ...]

Without models it takes those in examples/, or three that it builds in memory. It exits with 1 where
a mutant raised anything but `ModelError`, took a second or more, or made the reader allocate more
than `MEMORY_PER_BYTE` times the file's size plus `MEMORY_BESIDES`. Memory is traced for one mutant
in `TRACED_OF`, because tracing slows the reader down.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "runtime")]

from tests.support.mutants import (  # noqa: E402 - the folder of tests is no installed package
    attack_values,
    truncated,
    with_bytes_flipped,
    with_parts_moved,
    with_words_replaced,
)
from tests.support.sample_models import model_with_every_part, tiny_model  # noqa: E402
from tinyml_runtime.errors import ModelError  # noqa: E402
from tinyml_runtime.model.load import load_model  # noqa: E402
from tinyml_runtime.model.write import write_model  # noqa: E402

MOST_SECONDS = 1.0
MEMORY_PER_BYTE, MEMORY_BESIDES = 40, 2**21
TRACED_OF = 10


@dataclass
class Tally:
    """What became of the mutants of one model."""

    refused: int = 0
    read: int = 0
    failures: int = 0
    worst_seconds: float = 0.0
    worst_peak_bytes: int = 0


def main() -> int:
    """Print one line per model and a verdict; 0 when every mutant behaved."""
    parser = argparse.ArgumentParser(description="Feed damaged models to the reader.")
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--mutants", type=int, default=20_000, help="over all models, at least")
    arguments = parser.parse_args()
    models = chosen_models(arguments.models)
    share = -(-arguments.mutants // len(models))
    failures = 0
    for name, data in models.items():
        failures += report(name, data, share)
    print(
        "failed" if failures else "passed", f"({failures} of {share * len(models)} mutants failed)"
    )
    return 1 if failures else 0


def chosen_models(paths: list[Path]) -> dict[str, bytes]:
    """The models by name: those given, three examples, or three built in memory."""
    found = paths or sorted((ROOT / "examples").rglob("*.tflite"))[:3]
    if found:
        return {path.name: path.read_bytes() for path in found}
    everything = write_model(model_with_every_part())
    return {
        "tiny": write_model(tiny_model()),
        "everything": everything,
        "everything, 64 KiB": everything + bytes(65_536 - len(everything)),
    }


def mutants(data: bytes, count: int) -> Iterator[bytes]:
    """`count` mutants: half of them attacked words, the rest flips, cuts and moved stretches."""
    offsets = structure(data)
    attacks = len(offsets) * len(attack_values(len(data)))
    attacked = with_words_replaced(data, offsets, step=max(1, 2 * attacks // count))
    others = itertools.chain(
        truncated(data, count // 8),
        with_parts_moved(data, count // 8),
        with_bytes_flipped(data, count, [offset + byte for offset in offsets for byte in range(4)]),
    )
    return itertools.islice(itertools.chain(itertools.islice(attacked, count // 2), others), count)


def structure(data: bytes) -> list[int]:
    """Offsets of the words outside the weights: no damage to weights can mislead a reader."""
    is_weight = bytearray(len(data))
    for buffer in load_model(data).buffers:
        start = data.find(buffer.data)
        is_weight[start : start + len(buffer.data)] = bytes([1]) * len(buffer.data)
    return [offset for offset in range(0, len(data) - 3, 4) if not is_weight[offset]]


def report(name: str, data: bytes, count: int) -> int:
    """Read `count` mutants of one model, print the figures, give the number that misbehaved."""
    tally = Tally()
    start = time.perf_counter()
    for index, mutant in enumerate(mutants(data, count)):
        try_one(mutant, tally, is_traced=index % TRACED_OF == 0)
    print(
        f"{name}: {len(data)} bytes, {tally.read + tally.refused} mutants in "
        f"{time.perf_counter() - start:.1f} s: {tally.refused} refused, {tally.read} read, "
        f"{tally.failures} failed; worst {tally.worst_seconds * 1e3:.1f} ms, "
        f"{tally.worst_peak_bytes} bytes allocated "
        f"({tally.worst_peak_bytes / len(data):.1f} times the file)"
    )
    return tally.failures


def try_one(mutant: bytes, tally: Tally, is_traced: bool) -> None:
    """Read one mutant and enter what happened."""
    if is_traced:
        tracemalloc.start()
    start = time.perf_counter()
    try:
        load_model(mutant)
        tally.read += 1
    except ModelError:
        tally.refused += 1
    except Exception as error:
        tally.failures += 1
        print(f"  {type(error).__name__}: {error}")
    seconds = time.perf_counter() - start
    tally.failures += seconds >= MOST_SECONDS
    if is_traced:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        tally.worst_peak_bytes = max(tally.worst_peak_bytes, peak)
        tally.failures += peak > MEMORY_PER_BYTE * len(mutant) + MEMORY_BESIDES
        return
    tally.worst_seconds = max(tally.worst_seconds, seconds)


if __name__ == "__main__":
    sys.exit(main())
