"""How many models give other outputs in another runtime, and by how many steps.

usage: python benchmarks/compare.py [--against tflm|tflite|tflite-ref] [--samples N]
                                    [--largest BYTES] [MODEL.tflite ...]

Without models: all of the folder `TINYML_CORPUS` (default ../shared) where it is there, up to
`--largest` bytes. Each runs on random samples on both sides, as `tinyml compare` does. Models whose
outputs are all whole numbers are counted by their largest difference in steps, the others by the
verdict. Exits with 1 where a model differs from TFLM: none may.
"""

from __future__ import annotations

import os

# Before NumPy is imported: BLAS reads it once.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import sys
from collections import Counter
from pathlib import Path

from tinyml_cli.comparing.compare_models import CompareRequest, compare_models
from tinyml_cli.comparing.report import DIFFERS, CompareReport
from tinyml_runtime import TinymlError

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("TINYML_CORPUS") or ROOT.parent / "shared") / "models"


def main() -> None:
    """Compare all models and print the counts."""
    parser = argparse.ArgumentParser(description="How many models differ in another runtime.")
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--against", default="tflm")
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--largest", type=int, default=3_000_000)
    arguments = parser.parse_args()
    found = [path for path in CORPUS.rglob("*.tflite") if path.stat().st_size < arguments.largest]
    counts: Counter[str] = Counter()
    for path in arguments.models or sorted(found):
        request = CompareRequest(str(path), samples=arguments.samples, against=arguments.against)
        kind = kind_of(request)
        counts[kind] += 1
        if DIFFERS in kind or "more" in kind:
            print(f"{kind}: {path.parent.name}/{path.stem}", flush=True)
    print(f"beside {arguments.against}, {arguments.samples} random samples")
    for kind, count in sorted(counts.items()):
        print(f"{count:5}  {kind}")
    differing = sum(n for kind, n in counts.items() if "step" in kind or DIFFERS in kind)
    sys.exit(arguments.against == "tflm" and differing > 0)


def kind_of(request: CompareRequest) -> str:
    """What a model counts as."""
    try:
        return _kind(compare_models(request, lambda done, total: None))
    except TinymlError as error:
        return f"not run: {type(error).__name__}"


def _kind(report: CompareReport) -> str:
    steps = [output.difference.max_steps for output in report.outputs]
    whole = [count for count in steps if count is not None]
    if len(whole) < len(steps):
        return f"floats: {report.verdict}"
    largest = max(whole, default=0)
    if largest == 0:
        return "whole numbers: identical"
    return f"whole numbers: {'1 step' if largest == 1 else 'more than 1 step'}"


if __name__ == "__main__":
    main()
