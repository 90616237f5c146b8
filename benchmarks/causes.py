"""Which share of the values that LiteRT computes otherwise has a named and verified cause.

usage: python benchmarks/causes.py [--samples N] [--against tflite] [MODEL.tflite ...]

Without models: all of the folder `TINYML_CORPUS` (default ../shared) where it is there. Each model
runs on random samples on both sides; every operator is then given the inputs that it had on the
other side, and what it makes of them is compared. A rule explains a mismatch where it gives the
other side's value. Prints what is not explained, then by operator and type how much is.

The last line counts operators with int8 outputs. Exits with 1 where less than `--least` of those
mismatches are explained. Needs the extra `tflite`.
"""

from __future__ import annotations

import os

# Before NumPy is imported: BLAS reads it once.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tinyml_runtime import TinymlError, load_model
from tinyml_runtime.comparison.causes import Causes, find_causes
from tinyml_runtime.comparison.compare import Against, Comparison, Conditions
from tinyml_runtime.comparison.examination import Example
from tinyml_runtime.model.schema import Model
from tinyml_runtime.tensor import Array, Tensor

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("TINYML_CORPUS") or ROOT.parent / "shared") / "models"
# A model on which the other side does not end is left out.
SECONDS = 60


@dataclass
class Tally:
    """Mismatches by operator and type, those without a cause, and causes by operator and type."""

    mismatched: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    unexplained: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    causes: Counter[tuple[str, str, str]] = field(default_factory=Counter[tuple[str, str, str]])

    def add(self, operator: str, dtype: str, causes: Causes) -> None:
        """Count the mismatches of one operator on one sample."""
        self.mismatched[operator, dtype] += causes.mismatched
        self.unexplained[operator, dtype] += causes.unexplained
        for share in causes.shares:
            self.causes[operator, dtype, share.name] += share.elements


def main() -> None:
    """Print the shares; exit with 1 where too little is explained."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--samples", type=int, default=2)
    parser.add_argument("--against", default="tflite")
    parser.add_argument("--least", type=float, default=0.99)
    arguments = parser.parse_args()
    tally = Tally()
    compared = 0
    for path in arguments.models or sorted(CORPUS.rglob("*.tflite")):
        try:
            compared += compare(path, arguments.against, arguments.samples, tally)
        except TinymlError as error:
            print(f"left out: {' '.join(str(error).split())[:100]}", flush=True)
    show(tally)
    total = sum(count for (_, dtype), count in tally.mismatched.items() if dtype == "int8")
    missing = sum(count for (_, dtype), count in tally.unexplained.items() if dtype == "int8")
    share = 1.0 - missing / total if total else 1.0
    print(f"{compared} models: {share:.4%} of {total} int8 mismatches explained")
    sys.exit(share < arguments.least)


def compare(path: Path, against: str, samples: int, tally: Tally) -> bool:
    """Compare one model, if it has integers. Raises TinymlError where that cannot be."""
    content = path.read_bytes()
    model = load_model(path)
    if not any(tensor.dtype.kind in "iu" for tensor in operator_outputs(model)):
        return False

    def find(example: Example) -> Causes:
        causes = find_causes(
            model, 0, example.op_index, example.inputs, example.ours, example.theirs, against
        )
        operator = model.code(model.subgraphs[0].operators[example.op_index]).name
        dtype = str(example.ours[0].dtype)
        tally.add(operator, dtype, causes)
        if causes.unexplained and dtype != "float32":
            what = f"{causes.unexplained} of {causes.mismatched} unexplained"
            print(f"{path.stem}: node {example.op_index} ({operator}, {dtype}): {what}", flush=True)
        return causes

    # LiteRT does not forget resource variables; variable tensors it does.
    is_fresh = all(code.name != "VAR_HANDLE" for code in model.operator_codes)
    conditions = Conditions(layers=True, reset_between=is_fresh, seconds=SECONDS, find_causes=find)
    comparison = Comparison(model, content, Against(against, foreign=against), conditions)
    try:
        generator = np.random.default_rng(0)
        comparison.add([fill(tensor, samples, generator) for tensor in comparison.inputs])
        comparison.layers()
    finally:
        comparison.close()
    return True


def operator_outputs(model: Model) -> Sequence[Tensor]:
    """The tensors that the operators of the main subgraph write."""
    from tinyml_runtime.interpreter import DEFAULT_MEMORY_LIMIT_BYTES
    from tinyml_runtime.model_tensors import make_tensors

    tensors = make_tensors(model, DEFAULT_MEMORY_LIMIT_BYTES)[0]
    return [tensors[i] for operator in model.subgraphs[0].operators for i in operator.outputs]


def fill(tensor: Tensor, samples: int, generator: np.random.Generator) -> Array:
    """Values over the whole range of the tensor's type; floats standard normal."""
    shape = (samples, *tensor.shape)
    if tensor.dtype.kind == "f":
        return generator.standard_normal(shape).astype(tensor.dtype)
    if tensor.dtype.kind == "b":
        return generator.integers(0, 2, shape).astype(bool)
    limits = np.iinfo(tensor.dtype)
    return generator.integers(limits.min, limits.max, shape, tensor.dtype, endpoint=True)


def show(tally: Tally) -> None:
    """Print one line per operator and type."""
    print(f"{'operator':24} {'type':8} {'mismatched':>10} {'explained':>10}  causes")
    for (operator, dtype), count in sorted(tally.mismatched.items()):
        explained = count - tally.unexplained[operator, dtype]
        names = [
            f"{name} {elements}"
            for (own, kind, name), elements in tally.causes.most_common()
            if (own, kind) == (operator, dtype)
        ]
        print(f"{operator:24} {dtype:8} {count:10} {explained:10}  {', '.join(names)}")


if __name__ == "__main__":
    main()
