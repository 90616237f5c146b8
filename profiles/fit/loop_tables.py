"""The tables of loops as TOML."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from interpreter import interpreter_line
from levels import ratio_line
from measured import BENCH, SOURCES, checksum
from unmeasured import Column, Costs, assumed

_SPREADS = (
    (
        "# What values do: by which share of its instructions a kernel is off at most, either way,",
        "# in nine of ten operators that were measured. Kernels without a line: less than 0.01.",
        "[spread]",
    ),
    ("# The same where the values are known, and loops were counted for them.", "[fed_spread]"),
)


def table_text(
    library: str,
    core: str,
    costs: Costs,
    derived: Collection[Column],
    spreads: Sequence[Mapping[str, float]],
    truth: Path,
    level: str = "O2",
) -> str:
    """The file of a library on a core; `derived` are columns that were not measured there.

    Spreads are those before a run, and those on known values.
    """
    files = ", ".join(
        f"{source.file} ({checksum(truth / source.file)})"
        for source in SOURCES
        if (truth / source.file).exists()
    )
    bench = BENCH / f"{library}-{core}.csv"
    if bench.exists() and level == "O2":
        files += f", bench/{bench.name} ({checksum(bench)})"
    lines = [
        "# Made by profiles/fit/fit_loops.py: instructions of each class that one entry of a loop,",
        "# and one turn of it, executes.",
        "",
        f'library = "{library}"',
        f'core = "{core}"',
        'from = "measured"',
        f'ref = "executed instructions of the real runtime, GCC 12.2 -{level}, emulated: {files}"',
        *([] if level == "O2" else [ratio_line(truth, library, core, level)]),
        "",
        "[loop]",
    ]
    for loop in sorted({loop for loop, _ in costs}):
        mixes = {part: costs.get((loop, part), {}) for part in ("entry", "trip")}
        is_derived = any((loop, part) in derived for part in mixes)
        lines.append(_line(loop, mixes, 'from = "derived"' if is_derived else ""))
    for (loop, part), mix in assumed(costs).items():
        lines.append(_line(loop, {part: mix}, 'from = "assumed"'))
    lines.append(interpreter_line(truth))
    for heading, told in zip(_SPREADS, spreads, strict=True):
        lines += ["", *heading]
        lines += [f'"{kernel}" = {share:.3g}' for kernel, share in told.items()]
    return "\n".join(lines) + "\n"


def _line(loop: str, mixes: Mapping[str, Mapping[str, float]], evidence: str) -> str:
    parts = [
        f"{part} = {{ {', '.join(f'{name} = {count:g}' for name, count in mix.items())} }}"
        for part, mix in mixes.items()
        if mix
    ]
    return f'"{loop}" = {{ {", ".join([*parts, evidence] if evidence else parts)} }}'
