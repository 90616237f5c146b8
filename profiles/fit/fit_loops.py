"""Fit the mixes of loops to measured operators, and say how well they predict what they never saw.

    python profiles/fit/fit_loops.py TRUTH MODELS              errors, model by model left out
    python profiles/fit/fit_loops.py TRUTH MODELS --write      write data/loops/*.toml too
    ... --library cmsis-nn --core cortex-m4 --operator SVDF    only these
    ... --opt Os                                               kernels built with -Os

TRUTH is a folder with ops_*.csv and arena_*.csv, MODELS one with the .tflite files, found by their
checksums. Needs the extra `fit` (SciPy).

Public models are left out one by one; of operators that none of them has, other models by fifths.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "profiles" / "fit")]

from bench_cases import bench_cases  # noqa: E402
from left_out import print_errors, spreads  # noqa: E402
from loop_tables import table_text  # noqa: E402
from measured import find_models, read_bench, read_nodes  # noqa: E402
from mixes import Sample, fit_mixes, parts_of  # noqa: E402
from unmeasured import BORROWS, Column, Costs, borrow, derive, is_borrowed, same_code  # noqa: E402

from tests.support.measured_inputs import fed  # noqa: E402
from tests.support.single_op import SingleOp  # noqa: E402
from tinyml_profiles.fed_work import fed_work  # noqa: E402
from tinyml_profiles.instructions import load_loops  # noqa: E402
from tinyml_profiles.load import load_target  # noqa: E402
from tinyml_profiles.reference_input import reference_input  # noqa: E402
from tinyml_profiles.work import node_workloads  # noqa: E402
from tinyml_runtime import Interpreter, TinymlError, load_model  # noqa: E402
from tinyml_runtime.workload import LoopWork  # noqa: E402
from tinyml_runtime.workloads.generic import GENERIC  # noqa: E402

_Counts = tuple[Mapping[Column, float], Mapping[Column, float] | None]
DATA = ROOT / "profiles" / "tinyml_profiles" / "data" / "loops"
# Optimisation levels of GCC, and what they add to a file's name.
SUFFIXES = {"O2": "", "Os": "-Os"}


def main() -> None:
    """Fit every library on every core that was measured."""
    options = _options()
    samples = _samples(options)
    # The reference first: what is open in other libraries' tables is taken to be as in its tables.
    for (library, core), group in sorted(samples.items(), key=lambda each: _order(*each[0])):
        parts = parts_of(group)
        costs = {column: mix for part in parts for column, mix in fit_mixes(part).items()}
        print_errors(library, core, parts)
        if options.write and not options.operator:
            path = DATA / f"{library}-{core}{SUFFIXES[options.opt]}.toml"
            derived = same_code(costs) | borrow(library, core, costs)
            if options.opt == "O2":
                derived |= derive(library, core, costs)
            text = table_text(
                library,
                core,
                {**derived, **costs},
                derived.keys(),
                _all_spreads(library, core, costs, parts),
                options.truth,
                options.opt,
            )
            path.write_text(text, encoding="utf-8")


def _all_spreads(
    library: str, core: str, costs: Costs, parts: Sequence[Sequence[Sample]]
) -> tuple[Mapping[str, float], Mapping[str, float]]:
    """Spreads before a run and on known values, with those of kernels that are borrowed."""
    theirs = load_loops("reference", core) if library in BORROWS else None
    own = spreads(costs, parts), spreads(costs, parts, fed=True)
    if theirs is None:
        return own
    return {**theirs.spreads, **own[0]}, {**theirs.fed_spreads, **own[1]}


def _order(library: str, core: str) -> tuple[bool, str, str]:
    return library != "reference", library, core


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fit the mixes of loops to measured operators.")
    parser.add_argument("truth", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--library")
    parser.add_argument("--core")
    parser.add_argument("--operator")
    parser.add_argument("--opt", default="O2", choices=sorted(SUFFIXES))
    return parser.parse_args()


def _samples(options: argparse.Namespace) -> dict[tuple[str, str], list[Sample]]:
    """What was measured and can be counted, by library and core."""
    models: dict[str, Path | SingleOp] = {**find_models(options.models), **bench_cases()}
    counted: dict[tuple[str, str, str], list[_Counts]] = {}
    samples: dict[tuple[str, str], list[Sample]] = defaultdict(list)
    bench = read_bench() if options.opt == "O2" else ()
    for node in chain(read_nodes(options.truth, options.opt), bench):
        unwanted = (
            (options.library and options.library != node.library)
            or (options.core and options.core != node.core)
            or (options.operator and options.operator != node.operator)
        )
        if unwanted or node.sha256 not in models:
            continue
        key = node.sha256, node.library, node.core
        if key not in counted:
            counted[key] = _counted(models[node.sha256], node.core, node.library)
        if node.index >= len(counted[key]) or not counted[key][node.index][0]:
            continue
        if not is_borrowed(node.library, node.operator):
            samples[node.library, node.core].append(Sample(node, *counted[key][node.index]))
    return samples


def _counted(source: Path | SingleOp, core: str, library: str) -> list[_Counts]:
    """The columns of every node, before and in a run; none of nodes of which nothing is counted."""
    is_bench = isinstance(source, SingleOp)
    model = source.model() if is_bench else load_model(str(source))
    expected = [_columns(work.loops) for work in node_workloads(model, core, library)]
    try:
        inputs = Interpreter(model).inputs
        # Models of one operator were fed alike on all cores.
        samples = reference_input(inputs) if is_bench else fed(core, inputs)
        work = fed_work(model, load_target(core).core, library, samples)
    except TinymlError:
        return [(counts, None) for counts in expected]  # measured, but does not load here
    counted = {
        each.node.index: _columns(each.loops) for each in work.nodes if not each.node.subgraph
    }
    return [(counts, counted.get(index)) for index, counts in enumerate(expected)]


def _columns(loops: Iterable[LoopWork]) -> Mapping[Column, float]:
    counts: dict[Column, float] = defaultdict(float)
    for work in loops:
        if work.loop.startswith(GENERIC):
            return {}
        for part, count in (("entry", work.entries), ("trip", work.trips)):
            if count:
                counts[work.loop, part] += count
    return counts


if __name__ == "__main__":
    main()
