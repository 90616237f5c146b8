"""Fit what no manual says about cores and boards to published latencies, and say how well it holds.

    python profiles/fit/fit_boards.py TRUTH MODELS            errors, by row and by board left out
    python profiles/fit/fit_boards.py TRUTH MODELS --write    write data/cores, boards, intervals

TRUTH is a folder with boards.csv, published.csv and ops_*.csv, MODELS one with the .tflite files.
Needs the extra `fit` (SciPy). Parameters stay near where a manual or physics puts them unless
measurements say otherwise: the sum of squares has a term for each measurement and one for each
parameter, every one divided by how far it is trusted.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "profiles" / "fit")]

from board_rows import (  # noqa: E402
    DIFFERENCE,
    RATIO,
    WHOLE,
    Difference,
    Ratio,
    Whole,
    read_comparisons,
    read_wholes,
)
from measured import checksum  # noqa: E402
from parameters import PARAMETERS, Parameter  # noqa: E402
from predicted import Predictor, Values, concerns  # noqa: E402
from written import write_figures, write_intervals, write_measurements  # noqa: E402

Row = Whole | Ratio | Difference
# Standard deviations to either side within which nine tenths lie, where eight values told the
# deviation (Student's distribution).
_NINETY = 1.86
# What an interval is of, in words.
BOARD = "models on this board, each left out of the fit"
CORE = "models on a board with this core, left out, and how boards compare in other engines"
LONE = "cores of which one model was measured, and that one left out: vector code is not counted"
ANY = "other boards, each left out of the fit"
# SciPy has no types.
optimize: Any = import_module("scipy.optimize")


@dataclass(frozen=True)
class Left:
    """A row that was left out, and what was predicted without it."""

    row: Whole
    predicted: float

    @property
    def error(self) -> float:
        """Predicted beside measured: 0 where they agree."""
        return self.predicted / self.row.cycles - 1


def main() -> None:
    """Fit, leave out, print and write."""
    options = _options()
    predictor = Predictor(options.truth, options.models)
    rows = [
        row
        for row in (*read_wholes(options.truth), *read_comparisons(options.truth))
        if _is_known(predictor, row)
    ]
    wholes = [row for row in rows if isinstance(row, Whole)]
    values = fit(predictor, rows)
    for parameter, value in values.items():
        print(f"{parameter.files[0]:28} {parameter.key:42} {parameter.start:8.3f} -> {value:8.3f}")
    fitted = [Left(row, predictor.whole(row, values)) for row in wholes]
    by_row = _left_out(predictor, rows, lambda row: (row.target, row.sha256))
    by_board = _left_out(predictor, rows, lambda row: row.target)
    _table(fitted, by_row, by_board)
    _comparisons(predictor, rows, values)
    before = [Left(row, predictor.whole(row, {})) for row in wholes]
    for title, errors in (
        ("before the fit", before),
        ("fit", fitted),
        ("row left out", by_row),
        ("board left out", by_board),
    ):
        _summary(title, errors)
    _coverage(by_board)
    old = [row for row in read_wholes(options.truth, False) if _is_known(predictor, row)]
    _table([Left(row, predictor.whole(row, values)) for row in old])
    if options.write:
        names = ("boards.csv", "published.csv")
        sums = ", ".join(f"{name} ({checksum(options.truth / name)})" for name in names)
        write_figures(values, sums)
        columns = {"predicted": fitted, "row_left_out": by_row, "board_left_out": by_board}
        write_measurements(
            {name: {one.row: one.predicted for one in column} for name, column in columns.items()}
        )
        write_intervals(_intervals(predictor, rows, values, by_row, by_board), sums)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fit cores and boards to published latencies.")
    parser.add_argument("truth", type=Path)
    parser.add_argument("models", type=Path)
    parser.add_argument("--write", action="store_true")
    return parser.parse_args()


def _is_known(predictor: Predictor, row: Row) -> bool:
    try:
        return predictor.knows(row)
    except FileNotFoundError:
        print(f"{row.target}: there is no such board in data/")
        return False


def fit(predictor: Predictor, rows: Sequence[Row]) -> Values:
    """The values that agree best with `rows` and with what was believed before."""
    used = [p for p in PARAMETERS if any(concerns(p, row.target) for row in rows)]
    starts = np.array([math.log(p.start) for p in used])
    spreads = np.array([p.spread for p in used])

    def distances(logarithms: Any) -> Any:
        values = _values(used, logarithms)
        measured = [_distance(predictor, row, values) for row in rows]
        return np.array([*measured, *((logarithms - starts) / spreads)])

    bounds = np.log([p.low for p in used]), np.log([p.high for p in used])
    inside = np.clip(starts, bounds[0] + 1e-6, bounds[1] - 1e-6)
    found = optimize.least_squares(distances, inside, bounds=bounds, x_scale=spreads, xtol=1e-5)
    return _values(used, found.x)


def _values(parameters: Sequence[Parameter], logarithms: Iterable[float]) -> Values:
    return {p: math.exp(value) for p, value in zip(parameters, logarithms, strict=True)}


def _distance(predictor: Predictor, row: Row, values: Values) -> float:
    """The logarithm of predicted over measured, in units of how far the row is trusted."""
    if isinstance(row, Whole):
        trust = WHOLE if not row.operator else 2 * WHOLE * _patience(row)
        return math.log(predictor.whole(row, values) / row.cycles) / trust
    if isinstance(row, Ratio):
        return math.log(predictor.ratio(row, values) / row.share) / RATIO
    return math.log(max(1.0, predictor.difference(row, values)) / row.cycles) / DIFFERENCE


def _patience(row: Whole) -> float:
    """Operators of a few thousand cycles are timed with a clock that is hardly finer."""
    return 1 + 2e5 / row.cycles


def _left_out(
    predictor: Predictor, rows: Sequence[Row], group: Callable[[Row], object]
) -> list[Left]:
    found: list[Left] = []
    for left in dict.fromkeys(group(row) for row in rows if isinstance(row, Whole)):
        values = fit(predictor, [row for row in rows if group(row) != left])
        found += [
            Left(row, predictor.whole(row, values))
            for row in rows
            if isinstance(row, Whole) and group(row) == left
        ]
    return found


def _intervals(
    predictor: Predictor,
    rows: Sequence[Row],
    values: Values,
    by_row: Sequence[Left],
    by_board: Sequence[Left],
) -> dict[str, tuple[float, str]]:
    """The factor of a 90 % interval for each thing that may be known of a target, and its reason.

    A board that has several models in the data: as well as the models that were left out. A core
    that has: as well as the same, and as boards compare with each other in other engines. A core
    with kernels that nobody has counted, and one model: as well as that one when it was left out.
    Anything else: as well as boards that were left out, between the worst error and the one before
    it.
    """
    models = _models(by_row)
    counts = Counter((left.row.target, left.row.library) for left in models)
    several = [left for left in models if counts[left.row.target, left.row.library] > 1]
    lone = [left for left in models if _is_uncounted(predictor, left) and left not in several]
    known = [math.log1p(left.error) for left in several]
    compared = [
        math.log(predictor.ratio(row, values) / row.share) for row in rows if isinstance(row, Ratio)
    ]
    board = _NINETY * _spread(known)
    core = _NINETY * math.hypot(_spread(known), _spread(compared))
    unknown = any_board(by_board)
    factors = {"board": (unknown, ANY), "core": (unknown, ANY)}
    for left in several:
        factors[_core_key(predictor, left)] = core, CORE
    for left in lone:
        spread = _spread([math.log1p(each.error) for each in lone])
        factors[_core_key(predictor, left)] = _NINETY * spread, LONE
    for left in several:
        factors[f"{left.row.target}/{left.row.library}"] = board, BOARD
    return {name: (math.exp(value), of) for name, (value, of) in factors.items()}


def any_board(by_board: Sequence[Left]) -> float:
    """The logarithm of the interval's factor for a board of which nothing was measured."""
    *_, second, worst = sorted(abs(math.log1p(left.error)) for left in _models(by_board))
    return (second + worst) / 2


def _core_key(predictor: Predictor, left: Left) -> str:
    return f"{predictor.target(left.row.target).core.name}/{left.row.library}"


def _is_uncounted(predictor: Predictor, left: Left) -> bool:
    """Whether the library has code for the core that was not counted."""
    accelerated = predictor.target(left.row.target).core.accelerated
    return any(library == left.row.library for library, _ in accelerated)


def _coverage(by_board: Sequence[Left]) -> None:
    """How many measurements lie inside the interval of any board, each without its board."""
    limit = any_board(by_board)
    models = _models(by_board)
    outside = [left.row.name for left in models if abs(math.log1p(left.error)) > limit]
    print(
        f"board left out: {len(models) - len(outside)} of {len(models)} measurements "
        f"({1 - len(outside) / len(models):.0%}) inside the 90 % interval of any board"
        + (f"; outside: {', '.join(outside)}" if outside else "")
    )


def _spread(logarithms: Sequence[float]) -> float:
    return math.sqrt(statistics.mean(value * value for value in logarithms))


def _models(rows: Iterable[Left]) -> list[Left]:
    return [left for left in rows if not left.row.operator]


def _table(*columns: Sequence[Left]) -> None:
    """One line for each row, with the errors of each way to predict it."""
    errors = [{left.row: left.error for left in column} for column in columns]
    for left in columns[0]:
        row = left.row
        cells = "  ".join(f"{column[row]:+7.1%}" for column in errors)
        print(f"{row.name:28} {row.sha256[:8]} {row.operator:18} {row.cycles:12.0f}  {cells}")


def _comparisons(predictor: Predictor, rows: Sequence[Row], values: Values) -> None:
    errors: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        if isinstance(row, Ratio):
            error = predictor.ratio(row, values) / row.share - 1
            errors.setdefault((row.target, row.engine), []).append(error)
        elif isinstance(row, Difference):
            error = predictor.difference(row, values) / row.cycles - 1
            errors.setdefault((row.target, "flash - RAM"), []).append(error)
    for (target, engine), each in sorted(errors.items()):
        print(f"{target:28} {engine:14} {len(each):3} mean {statistics.mean(each):+7.1%}")


def _summary(title: str, rows: Sequence[Left]) -> None:
    for name, group in (
        ("whole models", _models(rows)),
        ("operators", [left for left in rows if left.row.operator]),
    ):
        errors = [abs(left.error) for left in group]
        print(
            f"{title:16} {name:14} n={len(errors):3} median {statistics.median(errors):6.1%} "
            f"worst {max(errors):6.1%}"
        )


if __name__ == "__main__":
    main()
