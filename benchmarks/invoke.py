"""Time our interpreter beside TFLM's C++ reference kernels and LiteRT, in one run, on one thread.

usage: python benchmarks/invoke.py [--rounds N] [--batch N] [MODEL.tflite ...]

Without models: those of MLPerf Tiny under the folder `TINYML_CORPUS` (default ../shared), where it
is there, and our examples. Rounds of all interpreters alternate, so that a machine that changes its
speed changes it for all; figures are medians. A ratio above 1 means that we are faster. LiteRT runs
with its default delegate, XNNPACK. Needs the extras `tflm` and `tflite`.
"""

from __future__ import annotations

import os

# Before NumPy is imported: BLAS reads it once.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import math
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tinyml_runtime import Interpreter, load_model

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("TINYML_CORPUS", ROOT.parent / "shared")) / "models"
MLPERF = {
    "kws": "mlperf_tiny/kws_ref_model.tflite",
    "vww": "mlperf_tiny/vww_96_int8.tflite",
    "ic": "mlperf_tiny/pretrainedResnet_quant.tflite",
    "ad": "mlperf_tiny/model_ToyCar_quant_fullint_micro_intio.tflite",
    "streaming wakeword": "mlperf_tiny/str_ww_ref_model.tflite",
}
ARENA_BYTES = 16 << 20
Invoke = Callable[[], object]


def main() -> None:
    """Print one line per model, then the geometric means and the gain of a batch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--batch", type=int, default=256)
    arguments = parser.parse_args()
    models = {path.stem: path for path in arguments.models} or _default_models()
    print(f"{'model':22} {'ours':>10} {'TFLM':>10} {'LiteRT':>10} {'vs TFLM':>9} {'vs LiteRT':>9}")
    ratios: dict[str, float] = {}
    for name, path in models.items():
        ours, tflm, litert = _medians(_invokes(path), arguments.rounds)
        ratios[name] = tflm / ours
        milliseconds = " ".join(f"{seconds * 1e3:7.3f} ms" for seconds in (ours, tflm, litert))
        print(f"{name:22} {milliseconds} {tflm / ours:8.2f}x {litert / ours:8.2f}x", flush=True)
    _print_means(ratios)
    for name, path in models.items():
        if name in ("kws", "kws_ds_cnn") or arguments.models:
            _print_batch(name, path, arguments.batch, arguments.rounds)


def _default_models() -> dict[str, Path]:
    mlperf = {name: CORPUS / path for name, path in MLPERF.items() if (CORPUS / path).exists()}
    if not mlperf:
        print(f"no MLPerf Tiny models under {CORPUS}: only our examples")
    examples = sorted((ROOT / "examples").rglob("*.tflite"))
    return mlperf | {path.stem: path for path in examples}


def _invokes(path: Path) -> list[Invoke]:
    """One invocation with a fixed input, in each interpreter; the input is set every time."""
    from ai_edge_litert import interpreter as litert
    from tflite_micro.python.tflite_micro import runtime

    ours = Interpreter(load_model(path))
    ours.allocate_tensors()
    feeds = _feeds(ours)
    tflm: Any = runtime.Interpreter.from_file(str(path), arena_size=ARENA_BYTES)
    lite: Any = litert.Interpreter(str(path), num_threads=1)
    lite.allocate_tensors()
    places = [details["index"] for details in lite.get_input_details()]

    def invoke_ours() -> None:
        for index, feed in enumerate(feeds):
            ours.set_input(feed, index)
        ours.invoke()

    def invoke_tflm() -> None:
        for index, feed in enumerate(feeds):
            tflm.set_input(feed, index)
        tflm.invoke()

    def invoke_litert() -> None:
        for place, feed in zip(places, feeds, strict=True):
            lite.set_tensor(place, feed)
        lite.invoke()

    return [invoke_ours, invoke_tflm, invoke_litert]


def _feeds(interpreter: Interpreter, samples: int | None = None) -> list[Any]:
    generator = np.random.default_rng(0)
    lead = () if samples is None else (samples,)
    return [
        generator.standard_normal((*lead, *tensor.shape)).astype(tensor.dtype)
        if tensor.dtype.kind == "f"
        else generator.integers(-100, 100, (*lead, *tensor.shape)).astype(tensor.dtype)
        for tensor in interpreter.inputs
    ]


def _medians(invokes: Sequence[Invoke], rounds: int) -> list[float]:
    times: list[list[float]] = [[] for _ in invokes]
    for invoke in invokes:
        invoke()
    for _ in range(rounds):
        for invoke, seconds in zip(invokes, times, strict=True):
            # The first call of a turn refills the caches that the others have used.
            invoke()
            start = time.perf_counter()
            for _ in range(3):
                invoke()
            seconds.append((time.perf_counter() - start) / 3)
    return [statistics.median(seconds) for seconds in times]


def _print_means(ratios: dict[str, float]) -> None:
    groups = {
        "MLPerf Tiny": [ratio for name, ratio in ratios.items() if name in MLPERF],
        "all": list(ratios.values()),
    }
    for group, values in groups.items():
        if values:
            mean = math.exp(statistics.fmean(map(math.log, values)))
            print(f"{group}: geometric mean {mean:.2f}x TFLM, least {min(values):.2f}x")


def _print_batch(name: str, path: Path, samples: int, rounds: int) -> None:
    interpreter = Interpreter(load_model(path))
    interpreter.allocate_tensors()
    single, batch = _feeds(interpreter), _feeds(interpreter, samples)

    def invoke_single() -> None:
        for index, feed in enumerate(single):
            interpreter.set_input(feed, index)
        interpreter.invoke()

    one, many = _medians(
        [invoke_single, lambda: interpreter.invoke_batch(batch)], max(3, rounds // 4)
    )
    print(
        f"{name}, batch of {samples}: {many / samples * 1e3:.3f} ms a sample, "
        f"{one * samples / many:.2f}x the throughput of single samples"
    )


if __name__ == "__main__":
    main()
