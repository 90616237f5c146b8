"""The mixes of loops that come nearest to what was measured: non-negative least squares.

Instructions of every class are a sum over loops: entries x mix of an entry + trips x mix of a turn.
No count is negative, and each operator counts alike however long it runs, so what is fitted is the
relative error. Loops that never occur in the same operator are fitted apart from each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from measured import MeasuredNode
from unmeasured import Column, Costs, alike

from tinyml_profiles.instructions import CLASSES, INSTRUCTION_CLASSES

DIGITS = 5
ROUNDS = 5
LEAST_USUAL_ERROR = 0.002
# What executes these has an FPU, which takes as long for zeros: of additions, those without count
# for nothing there, and few models would tell.
FPU_CLASS, NONZERO_SUMS = "fp_alu", ".sum"
# How much a like core's mixes weigh beside what was measured.
PULL = 0.003
Array = np.ndarray[Any, np.dtype[np.float64]]
# SciPy has no types.
optimize: Any = import_module("scipy.optimize")


@dataclass(frozen=True, eq=False)
class Sample:
    """A measured node and what it runs, by loop and entry or trip.

    `expected` are means over all values, `fed` those of the values that it was fed, where they are
    known.
    """

    node: MeasuredNode
    expected: Mapping[Column, float]
    fed: Mapping[Column, float] | None = None

    @property
    def counts(self) -> Mapping[Column, float]:
        """What comes nearest to what was measured."""
        return self.expected if self.fed is None else self.fed

    @property
    def kernel(self) -> str:
        """The kernel, which is that of the first loop."""
        return next(iter(self.expected))[0].partition(".")[0]


def parts_of(samples: Sequence[Sample]) -> list[list[Sample]]:
    """Samples that share a loop, directly or through others, together."""
    leader: dict[str, str] = {}

    def find(name: str) -> str:
        while leader.setdefault(name, name) != name:
            name = leader[name]
        return name

    for sample in samples:
        first, *others = (loop for loop, _ in (*sample.expected, *sample.counts))
        for other in others:
            leader[find(other)] = find(first)
    parts: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        parts[find(next(iter(sample.expected))[0])].append(sample)
    return list(parts.values())


def fit_mixes(samples: Sequence[Sample]) -> Costs:
    """The mix of every column: non-negative least squares on relative errors."""
    columns = sorted({each for sample in samples for each in (*sample.expected, *sample.counts)})
    counts = [sample.counts for sample in samples]
    if not all(any(each.get(column) for each in counts) for column in columns):
        # What never ran with these values has no other price than that of the mean.
        counts = [sample.expected for sample in samples]
    mixes: Costs = {column: {} for column in columns}
    if any(sample.node.mix.get(FPU_CLASS) for sample in samples):
        columns = [column for column in columns if not column[0].endswith(NONZERO_SUMS)]
    totals = np.array([sample.node.instructions for sample in samples], np.float64)
    matrix = np.array([[each.get(column, 0.0) for column in columns] for each in counts])
    matrix /= totals[:, None]
    # Columns of one size: otherwise what runs seldom is lost beside what runs often.
    scale = np.maximum(matrix.max(axis=0), 1e-30)
    matrix /= scale
    node = samples[0].node
    theirs = alike(node.library, node.core, node.level)
    likely = [theirs.get(column, {}) for column in columns]
    whole = np.array([sum(mix.get(name, 0.0) for name in INSTRUCTION_CLASSES) for mix in likely])
    weights, pull = _weights(matrix, whole * scale)
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

    What the samples leave open is taken to be in proportion to what is expected, as far as the sums
    of samples go whose columns are all expected.
    """
    rows, values = matrix * weights[:, None], target * weights
    known = (matrix[:, expected == 0] == 0).all(axis=1)
    usual = float((matrix[known] @ expected).sum())
    if usual > 0:
        ties = pull * np.diag(expected > 0)
        rows = np.vstack([rows, ties])
        values = np.concatenate([values, ties @ expected * float(target[known].sum()) / usual])
    found = optimize.nnls(rows, values, maxiter=50 * matrix.shape[1])
    return np.asarray(found[0], np.float64)


def miss(
    costs: Mapping[Column, Mapping[str, float]], sample: Sample, counts: Mapping[Column, float]
) -> float:
    """By what share the sum over loops misses what was measured of a sample."""
    found = sum(
        times * sum(costs.get(column, {}).get(name, 0.0) for name in INSTRUCTION_CLASSES)
        for column, times in counts.items()
    )
    return abs(found / sample.node.instructions - 1)
