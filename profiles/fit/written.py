"""Writing what was fitted into the data files, at the lines where it belongs."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

from board_rows import Whole
from predicted import DATA, Values, split_key

_ROW = ("target", "library", "clock_hz", "model", "sha256", "operator", "source", "cycles")


def write_figures(values: Values, sources: str) -> None:
    """Set every parameter in its file; the rest of the file stays as it is."""
    for parameter, value in values.items():
        ref = (
            f"fitted by profiles/fit/fit_boards.py from {parameter.start:g}"
            f" ({parameter.reason}): {sources}"
        )
        figure = f'{{ value = {value:.4g}, from = "derived", ref = "{ref}" }}'
        for file in parameter.files:
            path = DATA / f"{file}.toml"
            lines = _set(path.read_text("utf-8").splitlines(), split_key(parameter.key), figure)
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _set(lines: Sequence[str], key: Sequence[str], figure: str) -> list[str]:
    *path, name = key
    header = f"[{'.'.join(path)}]" if path else ""
    found = list(lines)
    if header and header not in found:
        found += ["", header]
    start = found.index(header) + 1 if header else 0
    end = next((i for i in range(start, len(found)) if found[i].startswith("[")), len(found))
    for place in range(start, end):
        if found[place].split("=")[0].strip() == name:
            found[place] = f"{name} = {figure}"
            return found
    while end > start and not found[end - 1]:
        end -= 1
    found.insert(end, f"{name} = {figure}")
    return found


def write_intervals(factors: Mapping[str, tuple[float, str]], sources: str) -> None:
    """Factors below and above a latency, by what is known of the target, and what they are of."""
    lines = [
        "# Made by profiles/fit/fit_boards.py: factors of the 90 % interval around a latency. For",
        "# a board with a library, else a core with a library, else any board, any core.",
        "",
        'from = "measured"',
        f'ref = "errors of predictions for what was left out of the fit: {sources}"',
        "",
    ]
    for name, (factor, of) in sorted(factors.items()):
        ends = f"low = {1 / factor:.3f}, high = {factor:.3f}"
        lines.append(f'"{name}" = {{ {ends}, of = "{of}" }}')
    (DATA / "intervals.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_measurements(columns: Mapping[str, Mapping[Whole, float]]) -> None:
    """The measured cycles, and those that were predicted in each of some ways."""
    path = DATA / "measurements" / "latency.csv"
    path.parent.mkdir(exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow((*_ROW, *columns))
        for row in next(iter(columns.values())):
            facts = (str(getattr(row, name)) for name in _ROW)
            table.writerow((*facts, *(f"{column[row]:.0f}" for column in columns.values())))
