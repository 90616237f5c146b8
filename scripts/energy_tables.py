"""The tables of docs/explain/energy.md: energy that was measured beside what is predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from scripts.page_tables import Row, read_rows, with_tables
from tinyml_profiles import load_target


def energy(page: Path, measurements: Path) -> str:
    """The page with its tables made anew."""
    rows = read_rows(measurements)
    return with_tables(page, [*_powers(rows), "", *_energies(rows), ""])


def _powers(rows: Sequence[Row]) -> Iterator[str]:
    """Every published result: its power beside the board's, and beside that of the others."""
    yield "| board | result | software | models | measured mW | board's mW | error | others |"
    yield "|---|---|---|---|---|---|---|---|"
    results = _grouped(rows)
    powers = {key: median(map(_power, group)) for key, group in results.items()}
    own: list[float] = []
    others: list[float] = []
    for key, group in results.items():
        target, result, software = key
        active = _active_mw(target)
        rest = [power for other, power in powers.items() if other[0] == target and other != key]
        by_board = active / powers[key] - 1
        own.append(abs(by_board))
        by_others = ""
        if rest:
            error = median(rest) / powers[key] - 1
            others.append(abs(error))
            by_others = f"{error:+.0%}"
        yield (
            f"| {target} | {result} | {software} | {len(group)} | {powers[key]:.1f} | "
            f"{active:g} | {by_board:+.0%} | {by_others} |"
        )
    yield ""
    yield (
        f"The board's figure misses the power of a result by {median(own):.0%} in the median, "
        f"{max(own):.0%} at most; the median of the *other* results of the same board, which is "
        f"what to expect of a set-up that nobody has measured, by {median(others):.0%} and "
        f"{max(others):.0%}."
    )


def _energies(rows: Sequence[Row]) -> Iterator[str]:
    """Every invocation whose latency is predicted too."""
    yield "| board | result | model | measured uJ | predicted uJ | error | of the latency |"
    yield "|---|---|---|---|---|---|---|"
    errors: list[float] = []
    for row in rows:
        if not row["predicted_ms"]:
            continue
        latency = float(row["predicted_ms"])
        predicted, measured = _active_mw(row["target"]) * latency, float(row["energy_uj"])
        errors.append(predicted / measured - 1)
        yield (
            f"| {row['target']} | {row['result']} | {row['model']} | {measured:,.0f} | "
            f"{predicted:,.0f} | {errors[-1]:+.0%} | "
            f"{latency / float(row['latency_ms']) - 1:+.0%} |"
        )
    sizes = [abs(error) for error in errors]
    yield ""
    yield (f"{len(sizes)} invocations: median error {median(sizes):.0%}, at most {max(sizes):.0%}.")


def _grouped(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """The rows of one board in one published result."""
    groups: dict[tuple[str, str, str], list[Row]] = {}
    for row in rows:
        key = row["target"], row["result"], row["software"]
        groups.setdefault(key, []).append(row)
    return groups


def _power(row: Row) -> float:
    return float(row["energy_uj"]) / float(row["latency_ms"])


def _active_mw(target: str) -> float:
    board = load_target(target).board
    assert board is not None
    assert board.power.active_mw is not None
    return board.power.active_mw.value
