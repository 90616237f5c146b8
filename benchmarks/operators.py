"""Time every operator of models by itself, in our interpreter and in TFLM's, on one thread.

usage: python benchmarks/operators.py [--rounds N] [--limit RATIO] [--floor US] [MODEL.tflite ...]

Without models: all of the folder `TINYML_CORPUS` (default ../shared) where it is there, else our
examples. TFLM is the `tflite-micro` wheel: its C++ reference kernels. Needs the extra `tflm`.

What is timed: a model is run once on random inputs; then the nodes of each operator are cut out of
it into models that hold nothing else (`cutting.py`), fed with the values that reached the nodes.
Rounds of both interpreters alternate, figures are medians. The cost of invoking a model without any
node is subtracted from both, so that kernels are compared, and not the ways into the interpreters;
what our interpreter adds per node is left in.

What is judged: an operator in a model fails where it is more than `--limit` times slower than the
wheel's and takes over a tenth of the time of all the model's operators, the wheel's or ours. It is
not judged where a node takes the wheel less than `--floor` microseconds on average: that is what a
few calls of NumPy on a handful of elements cost (printed first), and no kernel that consists of
such calls can be faster. Those are listed, too.

A model with an operator that fails is timed again, for four times as long, and the longer turn is
what counts: a second of a busy machine is no property of a kernel.

Exits with 1 where an operator fails.
"""

from __future__ import annotations

import os

# Before NumPy is imported: BLAS reads it once.
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import math
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cutting import Cut, NotMeasured, cut_operators, empty_model

from tinyml_runtime import Interpreter, TinymlError, load_model

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("TINYML_CORPUS") or ROOT.parent / "shared") / "models"
SHARE = 0.1
# How much longer a model is timed that seems to fail.
AGAIN = 4
# A turn of one interpreter lasts about this long, an operator of a model this long in all rounds.
TURN_SECONDS = 100e-6
BUDGET_SECONDS = 0.5
# Nothing is faster than the clock can tell.
LEAST_SECONDS = 10e-9
Invoke = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Timing:
    """The nodes of one operator in one model: seconds an invocation, and of the whole model."""

    operator: str
    model: str
    nodes: int
    ours: float
    wheels: float
    our_total: float
    wheels_total: float

    @property
    def ratio(self) -> float:
        """How many times slower than the wheel we are."""
        return self.ours / self.wheels

    @property
    def share(self) -> float:
        """Its share of the model's time, the wheel's or ours, whichever is larger."""
        return max(self.ours / self.our_total, self.wheels / self.wheels_total)


def main() -> None:
    """Measure, print the tables, and judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--limit", type=float, default=3.0)
    parser.add_argument("--floor", type=float, default=4.0)
    arguments = parser.parse_args()
    empty = _empty_invocations()
    _print_floor(empty)
    timings: list[Timing] = []
    floor, limit = arguments.floor * 1e-6, arguments.limit
    for path in arguments.models or _default_models():
        found = _measure(path, arguments.rounds, empty)
        if _slow(_split(found, floor)[0], limit):
            found = _measure(path, arguments.rounds * AGAIN, empty, BUDGET_SECONDS * AGAIN)
        timings += found
    judged, floored = _split(timings, floor)
    _print_operators(timings, judged)
    _print_list(f"not judged: the wheel takes under {arguments.floor:g} us a node", floored)
    slow = _slow(judged, limit)
    _print_list(f"failed: more than {limit:g} times slower than the wheel", slow)
    print(f"{len(judged)} judged, {len(slow)} failed, {len(floored)} below the floor")
    sys.exit(1 if slow else 0)


def _default_models() -> list[Path]:
    return sorted(CORPUS.rglob("*.tflite")) or sorted((ROOT / "examples").rglob("*.tflite"))


def _measure(
    path: Path, rounds: int, empty: tuple[float, float], budget: float = BUDGET_SECONDS
) -> list[Timing]:
    """The operators of one model; what cannot be measured is said on stderr."""
    name = f"{path.parent.name}/{path.stem}"
    try:
        cuts, left_out = cut_operators(load_model(path))
    except TinymlError as error:
        _say(name, NotMeasured("the model", 0, str(error).splitlines()[0]))
        return []
    seconds: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for cut in cuts:
        try:
            ours, wheels = _time(cut, rounds, budget)
        except RuntimeError as error:
            left_out.append(NotMeasured(cut.operator, cut.nodes, f"the wheel: {error}"))
            continue
        least = LEAST_SECONDS * cut.nodes
        net = max(ours - empty[0], least), max(wheels - empty[1], least)
        seconds[cut.operator].append((cut.nodes, *net))
    for entry in left_out:
        _say(name, entry)
    sums = {
        operator: tuple(map(sum, zip(*rows, strict=True))) for operator, rows in seconds.items()
    }
    totals = sum(row[1] for row in sums.values()), sum(row[2] for row in sums.values())
    return [Timing(operator, name, int(n), a, b, *totals) for operator, (n, a, b) in sums.items()]


def _time(cut: Cut, rounds: int, budget: float = BUDGET_SECONDS) -> tuple[float, float]:
    """Seconds an invocation, ours and the wheel's. RuntimeError where the wheel refuses."""
    from tflite_micro.python.tflite_micro import runtime

    wheel: Any = runtime.Interpreter.from_bytes(cut.file, arena_size=cut.arena_bytes)
    ours = Interpreter(cut.model)
    ours.allocate_tensors()
    for interpreter in (ours, wheel):
        for index, feed in enumerate(cut.feeds):
            interpreter.set_input(feed, index)
    a, b = _medians([ours.invoke, wheel.invoke], rounds, budget)
    return a, b


def _medians(invokes: Sequence[Invoke], rounds: int, budget: float = BUDGET_SECONDS) -> list[float]:
    """Seconds of a call of each; they take turns, within `budget` seconds in all."""
    repeats: list[int] = []
    for invoke in invokes:
        invoke()
        start = time.perf_counter()
        invoke()
        repeats.append(max(1, int(TURN_SECONDS / (time.perf_counter() - start))))
    times: list[list[float]] = [[] for _ in invokes]
    begin = time.perf_counter()
    while len(times[0]) < rounds:
        for invoke, count, seconds in zip(invokes, repeats, times, strict=True):
            # The first call of a turn refills the caches that the other has used.
            invoke()
            start = time.perf_counter()
            for _ in range(count):
                invoke()
            seconds.append((time.perf_counter() - start) / count)
        if len(times[0]) >= 3 and time.perf_counter() - begin > budget:
            break
    return [statistics.median(seconds) for seconds in times]


def _empty_invocations() -> tuple[float, float]:
    return _time(empty_model(), 50)


def _split(timings: Sequence[Timing], floor: float) -> tuple[list[Timing], list[Timing]]:
    """Those with a large enough share: with nodes that take the wheel long enough, and others."""
    large = [timing for timing in timings if timing.share > SHARE]
    judged = [timing for timing in large if timing.wheels / timing.nodes >= floor]
    return judged, [timing for timing in large if timing.wheels / timing.nodes < floor]


def _slow(judged: Sequence[Timing], limit: float) -> list[Timing]:
    return [timing for timing in judged if timing.ratio > limit]


def _print_floor(empty: tuple[float, float]) -> None:
    ones = np.ones(4, np.float32)
    (call,) = _medians([lambda: np.multiply(ones, ones, out=ones)], 50)
    print(f"an invocation without nodes: ours {empty[0] * 1e6:.2f} us, wheel {empty[1] * 1e6:.2f}")
    print(f"a call of NumPy on 4 elements: {call * 1e6:.2f} us\n")


def _print_operators(timings: Sequence[Timing], judged: Sequence[Timing]) -> None:
    """A line per operator: over all models, then over those where it is judged."""
    ours, wheels = sum(t.ours for t in timings), sum(t.wheels for t in timings)
    print(f"{'operator':30} models   ours  wheel  ratio | judged   mean  worst")
    groups: dict[str, list[Timing]] = defaultdict(list)
    for timing in sorted(timings, key=lambda t: -t.ratio):
        groups[timing.operator].append(timing)
    for operator, group in sorted(groups.items()):
        mine, theirs = sum(t.ours for t in group), sum(t.wheels for t in group)
        line = f"{operator[:30]:30} {len(group):6} {mine / ours:6.1%} {theirs / wheels:6.1%}"
        print(f"{line} {mine / theirs:6.2f} | {_summary([t for t in group if t in judged])}")
    print()


def _summary(judged: Sequence[Timing]) -> str:
    """How many, their geometric mean, and the worst with their models."""
    if not judged:
        return f"{0:6}"
    mean = math.exp(statistics.fmean(math.log(timing.ratio) for timing in judged))
    models = ", ".join(f"{timing.model} {timing.ratio:.1f}" for timing in judged[:3])
    return f"{len(judged):6} {mean:6.2f} {judged[0].ratio:6.2f}  {models}"


def _print_list(title: str, timings: Sequence[Timing]) -> None:
    if timings:
        print(title)
    for timing in sorted(timings, key=lambda t: -t.ratio):
        print(
            f"  {timing.ratio:6.1f}  {timing.operator:28} {timing.ours * 1e6:9.1f} us "
            f"{timing.wheels * 1e6:9.1f} us {timing.nodes:4} nodes {timing.share:5.0%}  "
            f"{timing.model}"
        )


def _say(model: str, entry: NotMeasured) -> None:
    print(f"not measured: {model}: {entry.operator} ({entry.nodes}): {entry.why}", file=sys.stderr)


if __name__ == "__main__":
    main()
