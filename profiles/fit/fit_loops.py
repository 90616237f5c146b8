"""Fit the mixes of loops to measured operators, and say how well they predict what they never saw.

    python profiles/fit/fit_loops.py TRUTH MODELS              errors, model by model left out
    python profiles/fit/fit_loops.py TRUTH MODELS --write      write data/loops/*.toml too
    ... --library cmsis-nn --core cortex-m4 --operator SVDF    only these

TRUTH is a folder with ops_*.csv and arena_*.csv, MODELS one with the .tflite files, found by their
checksums. Needs the extra `fit` (SciPy).

Instructions of every class are a sum over loops: entries x mix of an entry + trips x mix of a turn.
No count is negative, and each operator counts alike however long it runs, so what is fitted is the
relative error. Loops that never occur in the same operator are fitted apart from each other.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "profiles" / "fit")]

from bench_cases import bench_cases  # noqa: E402
from interpreter import interpreter_line  # noqa: E402
from measured import (  # noqa: E402
    BENCH,
    SOURCES,
    MeasuredNode,
    checksum,
    find_models,
    read_bench,
    read_nodes,
)
from unmeasured import ASSUMED, Column, Costs, alike, assumed, derive  # noqa: E402

from tests.support.single_op import SingleOp  # noqa: E402
from tinyml_profiles.instructions import CLASSES, INSTRUCTION_CLASSES  # noqa: E402
from tinyml_profiles.work import node_workloads  # noqa: E402
from tinyml_runtime import load_model  # noqa: E402
from tinyml_runtime.workload import LoopWork  # noqa: E402

DATA = ROOT / "profiles" / "tinyml_profiles" / "data" / "loops"
# What the core's column calls a core that has a target of another name.
TARGETS = {"xtensa_lx106": "xtensa-lx106"}
DIGITS = 5
ROUNDS = 5
FOLDS = 5
LEAST_USUAL_ERROR = 0.002
# How much a like core's mixes weigh beside what was measured.
PULL = 0.003
Array = np.ndarray[Any, np.dtype[np.float64]]
# SciPy has no types.
optimize: Any = import_module("scipy.optimize")


@dataclass(frozen=True, eq=False)
class Sample:
    """A measured node and what it runs, by loop and entry or trip."""

    node: MeasuredNode
    counts: Mapping[Column, float]


def main() -> None:
    """Fit every library on every core that was measured."""
    options = _options()
    samples = _samples(options)
    for (library, core), group in sorted(samples.items()):
        parts = _parts(group)
        costs = {column: mix for part in parts for column, mix in _fit(part).items()}
        _report(library, core, parts)
        if options.write and not options.operator:
            path = DATA / f"{library}-{core}.toml"
            derived = derive(library, core, costs)
            text = _toml(library, core, {**derived, **costs}, derived.keys(), options.truth)
            path.write_text(text, encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fit the mixes of loops to measured operators.")
    parser.add_argument("truth", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--library")
    parser.add_argument("--core")
    parser.add_argument("--operator")
    return parser.parse_args()


def _samples(options: argparse.Namespace) -> dict[tuple[str, str], list[Sample]]:
    """What was measured and can be counted, by library and core."""
    models: dict[str, Path | SingleOp] = {**find_models(options.models), **bench_cases()}
    counted: dict[tuple[str, str, str], list[Mapping[Column, float]]] = {}
    samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    for node in chain(read_nodes(options.truth), read_bench()):
        core = TARGETS.get(node.core, node.core)
        unwanted = (
            (options.library and options.library != node.library)
            or (options.core and options.core != core)
            or (options.operator and options.operator != node.operator)
        )
        if unwanted or node.sha256 not in models:
            continue
        key = node.sha256, node.library, core
        if key not in counted:
            counted[key] = _counted(models[node.sha256], core, node.library)
        if node.index < len(counted[key]) and counted[key][node.index]:
            samples[node.library, core].append(Sample(node, counted[key][node.index]))
    return samples


def _counted(source: Path | SingleOp, core: str, library: str) -> list[Mapping[Column, float]]:
    """The columns of every node; none of nodes that run what nobody has counted."""
    model = source.model() if isinstance(source, SingleOp) else load_model(str(source))
    works = node_workloads(model, core, library)
    return [_columns(work.loops) for work in works]


def _columns(loops: Iterable[LoopWork]) -> Mapping[Column, float]:
    counts: dict[Column, float] = defaultdict(float)
    for work in loops:
        if work.loop == ASSUMED:
            return {}
        for part, count in (("entry", work.entries), ("trip", work.trips)):
            if count:
                counts[work.loop, part] += count
    return counts


def _parts(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Samples that share a loop, directly or through others, together."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for sample in samples:
        first, *others = (loop for loop, _ in sample.counts)
        for other in others:
            leader[find(other)] = find(first)
    parts: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        parts[find(next(iter(sample.counts))[0])].append(sample)
    return list(parts.values())


def _fit(samples: Sequence[Sample]) -> Costs:
    """The mix of every column: non-negative least squares on relative errors."""
    columns = sorted({column for sample in samples for column in sample.counts})
    totals = np.array([sample.node.instructions for sample in samples], np.float64)
    matrix = np.array([[s.counts.get(column, 0.0) for column in columns] for s in samples])
    matrix /= totals[:, None]
    # Columns of one size: otherwise what runs seldom is lost beside what runs often.
    scale = np.maximum(matrix.max(axis=0), 1e-30)
    matrix /= scale
    node = samples[0].node
    theirs = alike(node.library, TARGETS.get(node.core, node.core))
    likely = [theirs.get(column, {}) for column in columns]
    whole = np.array([sum(mix.get(name, 0.0) for name in INSTRUCTION_CLASSES) for mix in likely])
    weights, pull = _weights(matrix, whole * scale)
    mixes: Costs = {column: {} for column in columns}
    for name in CLASSES:
        target = np.array([sample.node.mix.get(name, 0) for sample in samples]) / totals
        if not target.any():
            continue
        expected = np.array([mix.get(name, 0.0) for mix in likely]) * scale
        found = _solve(matrix, target, weights, expected, pull)
        for column, count in zip(columns, (found / scale).tolist(), strict=True):
            if round(count, DIGITS):
                mixes[column][name] = round(count, DIGITS)
    return mixes


def _weights(matrix: Array, expected: Array) -> tuple[Array, float]:
    """How much each sample pulls, and what is expected.

    Samples pull less the further off they are: what runs may depend on values. The further off they
    all are, the more does what is expected.
    """
    weights, pull = np.ones(len(matrix)), PULL
    for _ in range(ROUNDS):
        found = _solve(matrix, np.ones(len(matrix)), weights, expected, pull)
        errors = np.abs(matrix @ found - 1)
        usual = max(LEAST_USUAL_ERROR, 2 * float(np.median(errors)))
        weights = 1 / np.sqrt(1 + (errors / usual) ** 2)
        pull = PULL * usual / LEAST_USUAL_ERROR
    return weights, pull


def _solve(matrix: Array, target: Array, weights: Array, expected: Array, pull: float) -> Array:
    """The best counts that are not negative.

    What the samples leave open is taken to be in proportion to what is expected.
    """
    rows, values = matrix * weights[:, None], target * weights
    usual = float((matrix @ expected).sum())
    if usual > 0:
        ties = pull * np.diag(expected > 0)
        rows = np.vstack([rows, ties])
        values = np.concatenate([values, ties @ expected * float(target.sum()) / usual])
    found = optimize.nnls(rows, values, maxiter=50 * matrix.shape[1])
    return np.asarray(found[0], np.float64)


def _predict(costs: Mapping[Column, Mapping[str, float]], sample: Sample) -> float:
    return sum(
        times * sum(costs.get(column, {}).get(name, 0.0) for name in INSTRUCTION_CLASSES)
        for column, times in sample.counts.items()
    )


def _report(library: str, core: str, parts: Sequence[Sequence[Sample]]) -> None:
    """Errors of each operator of a model that was left out, and of its fit to all."""
    left_out: dict[str, list[tuple[float, Sample]]] = defaultdict(list)
    fitted: dict[str, list[float]] = defaultdict(list)
    for part in parts:
        everything = _fit(part)
        for sample in part:
            error = abs(_predict(everything, sample) / sample.node.instructions - 1)
            fitted[sample.node.operator].append(error)
        for kept_back in _kept_back(part):
            rest = [sample for sample in part if sample not in kept_back]
            costs = _fit(rest) if rest else {}
            for sample in kept_back:
                error = abs(_predict(costs, sample) / sample.node.instructions - 1)
                left_out[sample.node.operator].append((error, sample))
    for operator, errors in sorted(left_out.items()):
        values = sorted(error for error, _ in errors)
        worst, sample = max(errors, key=lambda pair: pair[0])
        print(
            f"{library:10} {core:12} {operator:30} n={len(values):4} "
            f"fit {statistics.median(fitted[operator]):7.3%} (max {max(fitted[operator]):7.2%})  "
            f"left out: median {statistics.median(values):7.3%} "
            f"p95 {values[min(len(values) - 1, int(0.95 * len(values)))]:7.2%} "
            f"worst {worst:7.2%} {sample.node.model} {sample.node.index}"
        )


def _kept_back(part: Sequence[Sample]) -> Iterator[list[Sample]]:
    """The public models, one by one; of operators that none of them has, the others by fifths."""
    public = defaultdict[str, list[Sample]](list)
    others = defaultdict[str, list[Sample]](list)
    for sample in part:
        if sample.node.sha256 not in bench_cases():
            public[sample.node.sha256].append(sample)
    seen = {sample.node.operator for samples in public.values() for sample in samples}
    for sample in part:
        if sample.node.operator not in seen:
            others[sample.node.operator].append(sample)
    yield from public.values()
    for samples in others.values():
        yield from filter(None, (samples[first::FOLDS] for first in range(FOLDS)))


def _toml(library: str, core: str, costs: Costs, derived: Collection[Column], truth: Path) -> str:
    files = ", ".join(
        f"{source.file} ({checksum(truth / source.file)})"
        for source in SOURCES
        if (truth / source.file).exists()
    )
    bench = BENCH / f"{library}-{core}.csv"
    if bench.exists():
        files += f", bench/{bench.name} ({checksum(bench)})"
    lines = [
        "# Made by profiles/fit/fit_loops.py: instructions of each class that one entry of a loop,",
        "# and one turn of it, executes.",
        "",
        f'library = "{library}"',
        f'core = "{core}"',
        'from = "measured"',
        f'ref = "executed instructions of the real runtime, GCC 12.2 -O2, emulated: {files}"',
        "",
        "[loop]",
    ]
    for loop in sorted({loop for loop, _ in costs} - {ASSUMED}):
        mixes = {part: costs.get((loop, part), {}) for part in ("entry", "trip")}
        is_derived = any((loop, part) in derived for part in mixes)
        lines.append(_line(loop, mixes, 'from = "derived"' if is_derived else ""))
    lines.append(_line(ASSUMED, {"trip": assumed(costs)}, 'from = "assumed"'))
    lines.append(interpreter_line(truth))
    return "\n".join(lines) + "\n"


def _line(loop: str, mixes: Mapping[str, Mapping[str, float]], evidence: str) -> str:
    parts = [
        f"{part} = {{ {', '.join(f'{name} = {count:g}' for name, count in mix.items())} }}"
        for part, mix in mixes.items()
        if mix
    ]
    return f'"{loop}" = {{ {", ".join([*parts, evidence] if evidence else parts)} }}'


if __name__ == "__main__":
    main()
