"""How many more instructions operators execute when the compiler optimises for size."""

from __future__ import annotations

from pathlib import Path

from measured import read_nodes


def ratio_line(truth: Path, library: str, core: str, level: str) -> str:
    """The line of a table: the least and the most instructions of an operator for one at -O2."""
    usual = {
        (node.sha256, node.index): node.instructions
        for node in read_nodes(truth)
        if (node.library, node.core) == (library, core)
    }
    ratios = [
        node.instructions / usual[node.sha256, node.index]
        for node in read_nodes(truth, level)
        if (node.library, node.core) == (library, core)
    ]
    return f"beside_o2 = {{ least = {min(ratios):.3f}, most = {max(ratios):.3f} }}"
