"""What TFLM's interpreter executes beside the nodes: for an invocation, and for each node.

Invocations were counted as a whole on RISC-V, nodes each by itself; the rest is the interpreter's
loop. It is plain code and much the same on other cores. Its classes were not counted: they are
taken to be those of a loop over structures.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
from measured import read_rows

# Shares of loads, stores, branches and the rest in code that follows pointers.
SHARES = {"load": 0.3, "store": 0.1, "branch": 0.2, "branch_taken": 0.12, "alu": 0.4}


def interpreter_line(truth: Path) -> str:
    """The line of a table: what an invocation executes (entry), and each node (trip)."""
    entry, trip = _counts(truth)
    parts = (f"{name} = {{ {_mix(count)} }}" for name, count in (("entry", entry), ("trip", trip)))
    return f'"interpreter" = {{ from = "derived", {", ".join(parts)} }}'


def _mix(count: float) -> str:
    return ", ".join(f"{name} = {count * share:g}" for name, share in SHARES.items())


def _counts(truth: Path) -> tuple[float, float]:
    """Least squares over all models: whole invocations less the sum of their nodes."""
    nodes: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in read_rows(truth / "ops_riscv.csv"):
        if int(row["op_index"]) >= 0:
            key = row["model"], row["isa"], row["kernels"]
            nodes[key].append(int(row["instructions_icount"]))
    counts: list[tuple[int, int]] = []
    for row in read_rows(truth / "arena_riscv.csv"):
        own = nodes.get((row["model"], row["isa"], row["kernels"]))
        if own and row["subgraphs"] == "1" and row["invoke_instructions_icount"]:
            counts.append((len(own), int(row["invoke_instructions_icount"]) - sum(own)))
    matrix = np.array([[1.0, count] for count, _ in counts])
    found = np.linalg.lstsq(matrix, np.array([rest for _, rest in counts], np.float64))[0]
    entry, trip = (round(float(value), 1) for value in found)
    return entry, trip
