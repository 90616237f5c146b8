"""Published latencies that say something about boards, as equations for the fit.

Three kinds. A model that ran in TFLM with current kernels: its cycles. Two boards that ran the same
model in the same engine, whose code is not ours but made of the same instructions: the ratio of
their cycles. One board that ran a model with weights in flash and in RAM: the difference.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

# How far an equation is trusted: standard deviation of the logarithm. Other engines have many rows
# that err together.
WHOLE, RATIO, DIFFERENCE = 0.05, 0.30, 0.20
BASE = "nucleo-l4r5zi"
_RAM = "weights in RAM"
# Engines whose kernels use the same DSP instructions as CMSIS-NN's, by the column `framework`.
_ENGINES = ("HALE", "X-CUBE-AI", "Plumerai", "ONNC")
_BOARDS = {
    "l4r5zi": "nucleo-l4r5zi",
    "u575zi": "nucleo-u575zi-q",
    "h7a3zi": "nucleo-h7a3zi-q",
    "f746ng": "disco-f746ng",
    "cy8cproto": "cy8cproto-062-4343w",
    "u585i": "b-u585i-iot02a",
    "u385rg": "nucleo-u385rg-q",
    "m467hj": "numaker-m467hj",
}
_SMALL = ("min_ram",)


@dataclass(frozen=True, slots=True)
class Whole:
    """A model in TFLM: what it took on a target, with a library, at a clock."""

    target: str
    library: str
    clock_hz: float
    sha256: str
    cycles: float
    model: str
    source: str
    operator: str = ""

    @property
    def name(self) -> str:
        """What it is, in a table."""
        return f"{self.target} {self.library}"


@dataclass(frozen=True, slots=True)
class Ratio:
    """The cycles of a model on a target, as a share of those on `BASE`, in another engine."""

    target: str
    engine: str
    sha256: str
    share: float


@dataclass(frozen=True, slots=True)
class Difference:
    """The cycles that a model takes more with its weights in flash than in RAM."""

    target: str
    sha256: str
    cycles: float


def read_wholes(truth: Path, is_judged: bool = True) -> Iterator[Whole]:
    """Rows of boards.csv; those of operators only where all of a type are summed."""
    sources = {
        (row["model_sha256"], row["latency_ms"] or row["cycles"]): row["source"]
        for row in _rows(truth / "published.csv")
    }
    for row in _rows(truth / "boards.csv"):
        operator = row["op"].split()[0] if row["op"] else ""
        if (row["gate"] == "yes") is is_judged and (not operator or operator.isupper()):
            yield Whole(
                row["target"],
                row["kernels"],
                float(row["clock_mhz"]) * 1e6,
                row["model_sha256"],
                float(row["cycles"]),
                row["model"],
                sources.get((row["model_sha256"], row["latency_ms"] or row["cycles"]), ""),
                operator,
            )


def read_comparisons(truth: Path) -> Iterator[Ratio | Difference]:
    """What other engines' results in MLPerf Tiny say about boards."""
    for (engine, _), cycles in sorted(_engine_results(truth).items()):
        for (target, sha256, memory), value in sorted(cycles.items()):
            base = cycles.get((BASE, sha256, memory))
            in_flash = cycles.get((target, sha256, ""))
            if base and target != BASE:
                yield Ratio(target, engine, sha256, value / base)
            if memory and in_flash:
                yield Difference(target, sha256, in_flash - value)


def _engine_results(
    truth: Path,
) -> Mapping[tuple[str, str], dict[tuple[str, str, str], float]]:
    """Cycles by (engine, version), then by (target, model, where the weights lie)."""
    results: dict[tuple[str, str], dict[tuple[str, str, str], float]] = defaultdict(dict)
    for row in _rows(truth / "published.csv"):
        target = next((t for key, t in _BOARDS.items() if key in row["board"].lower()), None)
        if (
            target is None
            or row["measurement"] != "hardware"
            or row["framework"] not in _ENGINES
            or "tiny_results" not in row["source"]
            or row["op_name"]
            or not row["clock_mhz"]
            or any(word in row["board"] for word in _SMALL)
        ):
            continue
        memory = _RAM if row["memory_notes"] == _RAM else ""
        version = row["framework_version"]
        cycles = float(row["latency_ms"]) * float(row["clock_mhz"]) * 1e3
        results[row["framework"], version].setdefault((target, row["model_sha256"], memory), cycles)
    return results


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)
