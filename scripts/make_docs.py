"""Make the documents that come from the code: operators, compatibility, errors of latencies.

usage: python scripts/make_docs.py          write them
       python scripts/make_docs.py --check  exit with 1 if they are not in step
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LEDGER = ROOT / "runtime" / "upstream.toml"
LATENCY = ROOT / "docs" / "explain" / "latency.md"
MEASUREMENTS = ROOT / "profiles" / "tinyml_profiles" / "data" / "measurements" / "latency.csv"
INTERVALS = ROOT / "profiles" / "tinyml_profiles" / "data" / "intervals.toml"
FLASH = ROOT / "docs" / "explain" / "flash.md"
ENERGY = ROOT / "docs" / "explain" / "energy.md"
# The tables of the conformance suite.
sys.path.insert(0, str(ROOT))

from scripts.energy_tables import energy  # noqa: E402
from scripts.flash_tables import flash  # noqa: E402
from scripts.page_tables import Row, read_rows, with_tables  # noqa: E402
from tests.conformance import differences, signatures  # noqa: E402
from tests.conformance.declared_types import DECLARED, WITHOUT_KERNEL  # noqa: E402


def main() -> None:
    """Write or check every made document."""
    made = {
        ROOT / "docs/reference/operators.md": operators(),
        ROOT / "docs/compatibility.md": compatibility(LEDGER),
        LATENCY: latency(LATENCY, MEASUREMENTS),
        FLASH: flash(FLASH, MEASUREMENTS.with_name("flash.csv")),
        ENERGY: energy(ENERGY, MEASUREMENTS.with_name("energy.csv")),
    }
    if "--check" in sys.argv:
        stale = [
            path
            for path, text in made.items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]
        if stale:
            sys.exit(f"not in step with the code: {', '.join(map(str, stale))}")
        return
    for path, text in made.items():
        path.write_text(text, encoding="utf-8")


def operators() -> str:
    """The operators that have a kernel, with the types that each takes."""
    pairs = len(signatures.pairs(DECLARED))
    known = ", ".join(f"`{name}`" for name in sorted(WITHOUT_KERNEL))
    lines = [
        "# Operators",
        "",
        f"{len(DECLARED)} operators have a kernel; what each does, TFLM's own decide. The table is "
        f"the one of the conformance suite (`tests/conformance/declared_types.py`): each of its "
        f"{pairs} pairs of operator and types is run there beside TFLM. Other types are refused.",
        "",
        "Operands stand in the node's order: those that the operator works on under *input*, those "
        "with a role of their own under *others*. T is one and the same type throughout a line; "
        "*any number* means one or more of the same type.",
        "",
        "| operator | input | others | output | T |",
        "|---|---|---|---|---|",
        *(
            f"| `{name}` | {' | '.join(_columns(row))} |"
            for name, rows in sorted(DECLARED.items())
            for row in rows
        ),
        "",
        f"Known, and refused for a reason that says so: {known}.",
    ]
    return "\n".join(lines) + "\n"


def _columns(row: str) -> Iterator[str]:
    """Input, other operands, output, and the types that T is, of a row of the declared table."""
    signature = signatures.parse(row)
    yield _listed([operand for operand in signature.inputs if not operand.role])
    yield _listed([operand for operand in signature.inputs if operand.role])
    yield _listed(signature.outputs)
    yield ", ".join(signature.same)


def _listed(operands: Sequence[signatures.Operand]) -> str:
    return ", ".join(map(_described, operands))


def _described(operand: signatures.Operand) -> str:
    role = operand.role.replace("_", " ")
    text = f"{role} {' or '.join(operand.types)}".strip()
    if operand.is_repeated:
        return f"{text}, any number"
    return f"{text}, optional" if operand.is_optional else text


def compatibility(ledger: Path) -> str:
    """The upstream commit, the deviations from it, and where another runtime parts from it."""
    data: dict[str, Any] = tomllib.loads(ledger.read_text(encoding="utf-8"))
    upstream = data["upstream"]
    lines = [
        "# Compatibility",
        "",
        f"We follow {upstream['name']} ([source]({upstream['repository']})) at commit "
        f"`{upstream['commit'][:8]}` of {upstream['date']}: its reference kernels, built as its "
        "own build files say (double rounding).",
        "",
        "Every deliberate deviation:",
        "",
        "| subject | upstream | here | why |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {entry['subject']} | {entry['upstream']} | {entry['here']} | {entry['reason']} |"
        for entry in data["deviation"]
    ]
    lines += ["", *_beside_litert(differences.load(ledger))]
    return "\n".join(lines) + "\n"


def _beside_litert(entries: Sequence[differences.Difference]) -> Iterator[str]:
    yield "## LiteRT beside TFLM"
    yield ""
    yield (
        "The conformance suite runs every case in LiteRT (ai-edge-litert 2.3, reference kernels) "
        "too. Where it and TFLM part, the results here are TFLM's. Values that differ; a step is 1 "
        "of the stored integer:"
    )
    yield ""
    yield "| operator | types | by up to | why | example |"
    yield "|---|---|---|---|---|"
    for entry in entries:
        if entry.example:
            yield f"| {_about(entry)} | {_size(entry)} | {entry.reason} | {_example(entry)} |"
    yield ""
    yield "What TFLM runs and LiteRT does not, or not safely:"
    yield ""
    yield "| operator | types | why | example |"
    yield "|---|---|---|---|"
    for entry in entries:
        if not entry.example:
            yield f"| {_about(entry)} | {entry.reason} | `{entry.case}` |"


def _about(entry: differences.Difference) -> str:
    names = ", ".join(f"`{name}`" for name in entry.operators)
    return f"{names} | {'any' if entry.types == '*' else f'`{entry.types}`'}"


def _size(entry: differences.Difference) -> str:
    if entry.largest == float("inf"):
        return "any amount"
    return f"{entry.largest} step{'s' if entry.largest != 1 else ''}"


def _example(entry: differences.Difference) -> str:
    example = entry.example
    assert example
    place = f"element {example.element}"
    if isinstance(example.tflm, str):
        place = f"output {example.output}"
    return f"`{entry.case}`, {place}: TFLM {example.tflm}, LiteRT {example.litert}"


_PREDICTIONS = {"predicted": "fit", "row_left_out": "row out", "board_left_out": "board out"}


def latency(page: Path, measurements: Path) -> str:
    """The page with its table of measured and predicted cycles made anew."""
    rows = read_rows(measurements)
    lines = [
        f"| board | kernels | model | measured | {' | '.join(_PREDICTIONS.values())} | source |",
        "|---|---|---|---|---|---|---|---|",
        *(_measured(row) for row in rows),
        "",
        *_medians([row for row in rows if not row["operator"]], "whole models"),
        *_medians([row for row in rows if row["operator"]], "sums of a type of operator"),
        _coverage([row for row in rows if not row["operator"]]),
        "",
    ]
    return with_tables(page, lines)


def _measured(row: Row) -> str:
    errors = " | ".join(f"{_error(row, column):+.1%}" for column in _PREDICTIONS)
    what = f"{row['model']}, {row['operator']}" if row["operator"] else row["model"]
    source = row["source"].partition(":")[0]
    cycles = f"{float(row['cycles']):,.0f}"
    return f"| {row['target']} | {row['library']} | {what} | {cycles} | {errors} | {source} |"


def _medians(rows: Sequence[Row], name: str) -> Iterator[str]:
    """A line of medians and largest errors."""
    parts: list[str] = []
    for column, title in _PREDICTIONS.items():
        errors = [abs(_error(row, column)) for row in rows]
        parts.append(f"{title} {median(errors):.1%} (at most {max(errors):.1%})")
    yield f"- {len(rows)} {name}, median error: {', '.join(parts)}"


def _coverage(rows: Sequence[Row]) -> str:
    """How many measurements lie in the interval of any board, each predicted without its board."""
    ends = tomllib.loads(INTERVALS.read_text(encoding="utf-8"))["board"]
    inside = [
        ends["low"] <= float(row["cycles"]) / float(row["board_left_out"]) <= ends["high"]
        for row in rows
    ]
    outside = [row["target"] for row, is_in in zip(rows, inside, strict=True) if not is_in]
    text = f"- {sum(inside)} of {len(rows)} whole models ({sum(inside) / len(rows):.0%})"
    text += " lie inside the 90 % interval of any board when nothing of their board is used"
    return f"{text}; outside: {', '.join(outside)}" if outside else text


def _error(row: Row, column: str) -> float:
    return float(row[column]) / float(row["cycles"]) - 1


if __name__ == "__main__":
    main()
