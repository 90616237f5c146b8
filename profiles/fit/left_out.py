"""How well mixes predict what they never saw, and how far values make operators vary."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import ceil

from bench_cases import bench_cases
from mixes import Sample, fit_mixes, miss
from unmeasured import Costs

FOLDS = 5
# Of a spread the share of operators that lie within it, and the least that is told.
WITHIN, LEAST_SPREAD = 0.9, 0.01
ENOUGH = 5


def print_errors(library: str, core: str, parts: Sequence[Sequence[Sample]]) -> None:
    """Errors of each operator of a model that was left out, and of its fit to all."""
    left_out: dict[str, list[tuple[float, Sample]]] = defaultdict(list)
    fitted: dict[str, list[float]] = defaultdict(list)
    for part in parts:
        everything = fit_mixes(part)
        for sample in part:
            fitted[sample.node.operator].append(miss(everything, sample, sample.expected))
        for kept_back in _kept_back(part):
            rest = [sample for sample in part if sample not in kept_back]
            costs = fit_mixes(rest) if rest else {}
            for sample in kept_back:
                error = miss(costs, sample, sample.expected)
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


def spreads(
    costs: Costs, parts: Sequence[Sequence[Sample]], *, fed: bool = False
) -> Mapping[str, float]:
    """By kernel the share by which nine of ten operators are off at most, where it is much.

    That is what values of activations do: loops and their counts know of them no more than a mean,
    or, if they were `fed`, than what is counted of them. Public models tell where enough of them
    have the kernel, else all models do.
    """
    misses: dict[str, list[float]] = defaultdict(list)
    public: dict[str, list[float]] = defaultdict(list)
    for sample in chain.from_iterable(parts):
        for group in [misses] if sample.node.sha256 in bench_cases() else [misses, public]:
            group[sample.kernel].append(
                miss(costs, sample, sample.counts if fed else sample.expected)
            )
    told = misses | {name: found for name, found in public.items() if len(found) >= ENOUGH}
    found = {name: sorted(each)[ceil(WITHIN * (len(each) - 1))] for name, each in told.items()}
    return {name: share for name, share in sorted(found.items()) if share >= LEAST_SPREAD}
